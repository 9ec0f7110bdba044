//go:build unix

package fakeserver

import "syscall"

// writeSome writes as much as a connection takes without waiting. It returns true, which means: and do not wait until there is room for more.
func (o *outbound) writeSome(fd uintptr) bool {
	n, err := syscall.Write(int(fd), o.bytes)
	switch err {
	case nil:
		o.n = n
	case syscall.EAGAIN, syscall.EINTR: // what is left is written by somebody who can wait
	default:
		o.err = err
	}
	return true
}
