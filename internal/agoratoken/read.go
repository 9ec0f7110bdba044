package agoratoken

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
)

const (
	version       = "007"
	maxText       = 2 << 10 // bytes of token text
	maxRaw        = 2 << 10 // bytes after unpacking
	maxEntries    = 32      // services in a token, privileges in a service
	signatureSize = 32
)

// Unverified is a token that was read and whose signature nobody checked. It is for clients, who have no certificate.
type Unverified struct {
	claims Claims
	id     [signatureSize]byte
}

// Claims returns what the token says. Anybody can make a token say anything: compare and warn, but grant nothing.
func (u Unverified) Claims() Claims { return u.claims }

// ID returns the signature bytes. Two texts with the same ID are the same token: the text alone is no identity, since the same token can
// be packed in many ways.
func (u Unverified) ID() [32]byte { return u.id }

// Read reads a token without checking its signature. The text must be the token and nothing else: no white space, no bytes behind any of
// its layers, no unknown service. Errors are of kind too_long, version or malformed. Hostile text costs a bounded amount of memory.
func Read(text string) (Unverified, error) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	e, err := open(text, s)
	if err != nil {
		return Unverified{}, err
	}
	claims, err := e.claims()
	if err != nil {
		return Unverified{}, err
	}
	return Unverified{claims: claims, id: [signatureSize]byte(e.signature)}, nil
}

// scratch holds the layers of one token while it is read.
type scratch struct {
	text   [maxText]byte
	packed [maxText / 4 * 3]byte
	raw    [maxRaw]byte
	signer signer
}

var strictBase64 = base64.StdEncoding.Strict()

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// envelope is an unpacked token up to its services, which are not looked at yet. Its slices point into the scratch of open.
type envelope struct {
	signature              []byte
	signed                 []byte // what the signature covers
	appID                  []byte
	issuedAt, expire, salt uint32
	services               reader
}

// open undoes base64 and zlib within fixed limits and reads the fields before the services.
func open(text string, s *scratch) (envelope, error) {
	switch {
	case len(text) > maxText:
		return envelope{}, fail(KindTooLong, "the text has %d bytes, a token at most %d; pass the token alone", len(text), maxText)
	case !strings.HasPrefix(text, version):
		return envelope{}, fail(KindVersion, "the text does not begin with 007, so it is no AccessToken2; pass the token that the token builder made")
	case strings.ContainsAny(text, "\r\n"):
		// The decoder skips line breaks even when it is strict.
		return envelope{}, fail(KindMalformed, "the token has a line break inside; copy it as one line")
	}
	n := copy(s.text[:], text[len(version):])
	n, err := strictBase64.Decode(s.packed[:], s.text[:n])
	if err != nil {
		return envelope{}, badBase64(err, len(text)-len(version))
	}
	n, err = inflate(s.raw[:], s.packed[:n])
	switch {
	case errors.Is(err, errInflated):
		return envelope{}, fail(KindTooLong, "the token unpacks to more than %d bytes; refuse it, no token builder makes such a token", maxRaw)
	case errors.Is(err, errCut):
		return envelope{}, cut("the token's compressed data ends too early, it was cut; copy it completely")
	case err != nil:
		return envelope{}, fail(KindMalformed, "the token's compressed data is damaged, it was cut or altered; copy it completely")
	}
	r := reader{rest: s.raw[:n]}
	e := envelope{signature: r.bytes()}
	e.signed = r.rest
	e.appID = r.bytes()
	e.issuedAt, e.expire, e.salt = r.uint32(), r.uint32(), r.uint32()
	e.services = r
	if r.short || len(e.signature) != signatureSize {
		return envelope{}, fail(KindMalformed, "the token's fields are incomplete; build a new one")
	}
	return e, nil
}

// badBase64 tells a text of size bytes that was cut from one that was altered: the decoder stumbles over its last, incomplete group.
func badBase64(err error, size int) *Error {
	if at, ok := errors.AsType[base64.CorruptInputError](err); ok && size%4 != 0 && int(at) >= size-size%4 {
		return cut("the token's base64 is incomplete, its end was cut off; copy it completely")
	}
	return fail(KindMalformed, "the token is not valid base64, it was altered; copy it again")
}

// claims reads the services and returns everything that the token says.
func (e envelope) claims() (Claims, error) {
	r := e.services
	count := int(r.uint16())
	if count > maxEntries {
		return Claims{}, fail(KindMalformed, "the token counts %d services, more than the %d allowed; build it with fewer", count, maxEntries)
	}
	c := Claims{AppID: string(e.appID), IssuedAt: e.issuedAt, Expire: e.expire, Salt: e.salt, Services: make([]Service, 0, count)}
	for range count {
		s, err := r.service()
		if err != nil {
			return Claims{}, err
		}
		c.Services = append(c.Services, s)
	}
	if r.short || len(r.rest) != 0 {
		return Claims{}, fail(KindMalformed, "the token's services are incomplete or followed by other data; build a new one")
	}
	return c, nil
}

// reader takes fields off the unpacked token, little endian (protocol.md e). Once data is missing it is short and yields zeros.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if r.short || n > len(r.rest) {
		r.short = true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) bytes() []byte { return r.take(int(r.uint16())) }

func (r *reader) service() (Service, error) {
	id := r.uint16()
	kind, known := products[id]
	if !known && !r.short {
		return Service{}, fail(KindMalformed, "the token has a service of the unknown type %d, so what follows cannot be read; build it without", id)
	}
	s := Service{Type: id, Name: kind.name}
	count := int(r.uint16())
	if count > maxEntries {
		return Service{}, fail(KindMalformed, "the token counts %d privileges in one service, more than the %d allowed; build it with fewer", count, maxEntries)
	}
	s.Privileges = make([]Privilege, 0, count)
	for range count {
		p := Privilege{ID: r.uint16(), Expire: r.uint32()}
		p.Name = kind.privilege(p.ID)
		if slices.ContainsFunc(s.Privileges, func(other Privilege) bool { return other.ID == p.ID }) && !r.short {
			return Service{}, fail(KindMalformed, "the token lists the privilege %q twice; build a new one", p.Name)
		}
		s.Privileges = append(s.Privileges, p)
	}
	for _, f := range kind.fields {
		switch f {
		case channel:
			s.Channel = string(r.bytes())
		case user:
			s.User = string(r.bytes())
		case role:
			s.Role = new(int16(r.uint16())) //nolint:gosec // the two bytes are a signed number
		case permissions:
			var err error
			if s.Permissions, err = r.permissions(); err != nil {
				return Service{}, err
			}
		}
	}
	return s, nil
}

// permissions reads RTM2's lists of resources. Counts that lie end with the data.
func (r *reader) permissions() ([]Permission, error) {
	var all []Permission
	for resources := r.uint16(); resources > 0 && !r.short; resources-- {
		resource := r.uint16()
		for rights := r.uint16(); rights > 0 && !r.short; rights-- {
			if len(all) == maxEntries {
				return nil, fail(KindMalformed, "the token has more than the %d lists of permissions allowed; build it with fewer", maxEntries)
			}
			p := Permission{Resource: nameOf(rtm2Resources, resource), Right: nameOf(rtm2Rights, r.uint16())}
			count := int(r.uint16())
			p.Names = make([]string, 0, min(count, len(r.rest)/2))
			for ; count > 0 && !r.short; count-- {
				p.Names = append(p.Names, string(r.bytes()))
			}
			all = append(all, p)
		}
	}
	return all, nil
}
