//go:build !race

package session_test

// stormsUsual is how many storms are lived through, herdUsual how many clients renew at once.
const stormsUsual, herdUsual = 5, 1000
