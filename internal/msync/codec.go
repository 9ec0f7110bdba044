package msync

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// MaxFrame is the largest frame in bytes that is read or written. A frame is one encoded MSync without a length prefix (protocol.md b).
const MaxFrame = 1 << 20

var (
	// ErrTooLarge means that a frame, a payload or a token is longer than its limit.
	ErrTooLarge = errors.New("msync: too large")
	// ErrMalformed means that the bytes are not what they should be; the cause is wrapped beside it.
	ErrMalformed = errors.New("msync: malformed")
)

// Decode reads one frame. Fields and enum values that the schema does not know are kept, so that Encode writes them again.
// It fails with ErrTooLarge or ErrMalformed.
func Decode(b []byte) (*MSync, error) {
	if err := checkSize("frame", len(b), MaxFrame); err != nil {
		return nil, err
	}
	m := new(MSync)
	if err := unmarshal("frame", b, m); err != nil {
		return nil, err
	}
	return m, nil
}

// Encode writes one frame. It fails with ErrTooLarge or ErrMalformed.
func Encode(m *MSync) ([]byte, error) {
	return marshal("frame", m)
}

// Pack makes the frame that carries payload under cmd. A nil payload leaves the field out, as the SDK's heartbeat does (protocol.md a.4).
// It fails with ErrTooLarge or ErrMalformed.
func Pack(cmd MSync_Command, payload proto.Message) (*MSync, error) {
	b, err := marshal("payload", payload)
	if err != nil {
		return nil, err
	}
	return &MSync{Command: cmd.Enum(), Payload: b}, nil
}

// Payload reads the frame's payload into the message that belongs to its command; an absent payload is an empty message.
// It fails with ErrMalformed.
func Payload(m *MSync, into proto.Message) error {
	return unmarshal("payload", m.GetPayload(), into)
}

func marshal(what string, m proto.Message) ([]byte, error) {
	b, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrMalformed, what, err)
	}
	if err := checkSize(what, len(b), MaxFrame); err != nil {
		return nil, err
	}
	return b, nil
}

func unmarshal(what string, b []byte, into proto.Message) error {
	if err := proto.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%w %s of %d bytes: %w", ErrMalformed, what, len(b), err)
	}
	return nil
}

func checkSize(what string, size, limit int) error {
	if size > limit {
		return fmt.Errorf("%w: a %s of %d bytes, the limit is %d", ErrTooLarge, what, size, limit)
	}
	return nil
}
