//go:build !race

package session_test

// stormSeeds is how many storms are lived through.
const stormSeeds = 5
