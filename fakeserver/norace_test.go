//go:build !race

package fakeserver

// lorisSockets is how many sockets TestSlowLoris opens.
const lorisSockets = 5000
