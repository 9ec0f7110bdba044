//go:build race

package session_test

// stormSeeds is how many storms are lived through: the race detector makes each ten times as long.
const stormSeeds = 1
