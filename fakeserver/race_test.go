//go:build race

package fakeserver

// lorisSockets is how many sockets TestSlowLoris opens: the race detector makes each twenty times as dear.
const lorisSockets = 1000
