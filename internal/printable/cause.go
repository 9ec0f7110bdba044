package printable

import (
	"errors"
	"io"
)

// Cause says why an exchange with a server broke: the innermost message, because the wrapping ones repeat the address, and in words where the
// standard library has none for a person.
func Cause(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	switch {
	case errors.Is(err, io.EOF):
		return "the connection was closed without an answer"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer broke off"
	default:
		return Line(err.Error(), 200)
	}
}
