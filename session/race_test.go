//go:build race

package session_test

// What the race detector makes ten times as long is tested with less: stormsUsual storms are lived through, and herdUsual clients renew.
const stormsUsual, herdUsual = 1, 300
