// Package msync is the wire of the Agora Chat service: the protobuf schema, the framing, and a one-line rendering of any frame for logs
// (protocol.md b). It holds no state and takes no decision.
package msync

//go:generate go -C protogen run . ..
