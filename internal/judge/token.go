package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// Token is everything that a token says. Names in it are as the token has them: escape them before a terminal sees them.
type Token struct {
	Version   string     `json:"version"` // "007" or "006"
	Short     string     `json:"token"`   // enough to recognize it, too little to use it
	AppID     string     `json:"app_id"`
	IssuedAt  *time.Time `json:"issued_at,omitempty"` // nil for 006, which does not say it
	Life      *int64     `json:"life_s,omitempty"`    // seconds from the issue that the token claims for itself; nil for 006
	ExpiresAt time.Time  `json:"expires_at"`          // when the service stops taking it, its 24 hours included
	Salt      uint32     `json:"salt"`
	Services  []Service  `json:"services"`
	Genuine   Genuine    `json:"signature"`
}

// Service is one product that a token is for.
type Service struct {
	Type        uint16                  `json:"type,omitempty"` // the number in a 007 token
	Name        string                  `json:"name"`
	User        string                  `json:"user,omitempty"`
	Channel     string                  `json:"channel,omitempty"`
	UserCRC     *uint32                 `json:"user_crc32,omitempty"`    // 006 has no names, only their checksums
	ChannelCRC  *uint32                 `json:"channel_crc32,omitempty"` // of the user, in a 006 token for rtm
	Privileges  []Privilege             `json:"privileges"`
	Role        *int16                  `json:"role,omitempty"`
	Permissions []agoratoken.Permission `json:"permissions,omitempty"`
}

// Privilege is one right and its end. A 007 token says it as seconds from the issue, a 006 token as a date.
type Privilege struct {
	ID        uint16     `json:"id"`
	Name      string     `json:"name"`
	Life      *uint32    `json:"life_s,omitempty"`     // 007
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // 006; the year 1970 stands for 0, which is as long as the token
}

// Field is one line of a description: what it is called, what the token says, and what that means. It is safe on a terminal.
type Field struct {
	Name, Value, Meaning string
	// At is the instant that ends the value, or is all of it; it is left to the reader in which time zone to show it.
	At time.Time
}

// Text is the whole value, its instant in UTC and as seen from the given time.
func (f Field) Text(now time.Time) string {
	if f.At.IsZero() {
		return f.Value
	}
	return strings.TrimLeft(f.Value+" "+agoratoken.Moment(f.At.Unix(), now), " ")
}

func date(second int64) *time.Time { return new(time.Unix(second, 0).UTC()) }

func (w *weigher) token(text string, c agoratoken.Claims) {
	t := &Token{
		Version: "007", Short: printable.Token(text), AppID: c.AppID, IssuedAt: date(int64(c.IssuedAt)), Life: new(int64(c.Expire)), Salt: c.Salt,
		Genuine: Unchecked, Services: make([]Service, 0, len(c.Services)),
	}
	for _, s := range c.Services {
		privileges := make([]Privilege, 0, len(s.Privileges))
		for _, p := range s.Privileges {
			privileges = append(privileges, Privilege{ID: p.ID, Name: p.Name, Life: new(p.Expire)})
		}
		t.Services = append(t.Services, Service{
			Type: s.Type, Name: s.Name, User: s.User, Channel: s.Channel, Privileges: privileges, Role: s.Role, Permissions: s.Permissions,
		})
	}
	w.Token = t
}

func (w *weigher) token006(text string, read agoratoken.Token006) {
	s := Service{Name: name006(read), UserCRC: new(read.UserCRC), ChannelCRC: new(read.ChannelCRC)}
	for _, p := range read.Privileges {
		s.Privileges = append(s.Privileges, Privilege{ID: p.ID, Name: p.Name, ExpiresAt: date(int64(p.ExpiresAt))})
	}
	w.Token = &Token{
		Version: "006", Short: printable.Token(text), AppID: read.AppID, Salt: read.Salt, Services: []Service{s}, Genuine: Unchecked,
	}
}

// name006 is the service that a 006 token is for, as its privileges tell.
func name006(read agoratoken.Token006) string {
	if slices.ContainsFunc(read.Privileges, func(p agoratoken.Privilege006) bool { return p.ID == agoratoken.PrivilegeLogin006 }) {
		return RTM
	}
	return RTC
}

// description is a token field by field.
type description []Field

func (d *description) add(name, value, meaning string) {
	*d = append(*d, Field{Name: name, Value: value, Meaning: meaning})
}

// Describe returns every field of the token for a person.
func (t *Token) Describe() []Field {
	var d description
	kind := "AccessToken2, for every service"
	if t.Version == "006" {
		kind = "AccessToken, the old kind, for rtc and rtm alone"
	}
	d.add("token", t.Short, "")
	d.add("version", t.Version, kind)
	d.add("app id", printable.Line(t.AppID, 64), "the project")
	if t.IssuedAt != nil {
		d = append(d, Field{Name: "issued", At: *t.IssuedAt, Meaning: "by the clock of the token server"})
		d.add("life", span(*t.Life), "from the issue")
	}
	d.add("salt", fmt.Sprint(t.Salt), "random, tells tokens of the same second apart")
	for _, s := range t.Services {
		s.describe(&d)
	}
	d = append(d, Field{Name: "expires", At: t.ExpiresAt, Meaning: "the earliest of all ends, at most 24 h after the issue"})
	d.add("signature", string(t.Genuine), map[Genuine]string{
		Yes: "made with this App Certificate", No: "altered, or made with another App Certificate",
		Unchecked: "needs the App Certificate, and for a 006 token its channel and user",
	}[t.Genuine])
	return d
}

func (s Service) describe(d *description) {
	d.add("service", s.Name, meanings[s.Name])
	switch {
	case s.ChannelCRC != nil && s.Name == RTM:
		d.add("  user", checksum(*s.ChannelCRC), "a checksum, the token does not have the name")
	case s.ChannelCRC != nil:
		d.add("  channel", checksum(*s.ChannelCRC), "a checksum, the token does not have the name")
		d.add("  user", checksum(*s.UserCRC), "a checksum; 00000000 is uid 0, everybody")
	case s.Name == RTC && s.User == "":
		d.add("  user", "uid 0", "everybody may use the token")
	}
	if s.Channel != "" {
		d.add("  channel", printable.Line(s.Channel, 64), "or room, the only one it opens")
	}
	if s.User != "" {
		d.add("  user", printable.Line(s.User, 64), "the only one who may use it")
	}
	for _, p := range s.Privileges {
		*d = append(*d, p.describe())
	}
	if s.Role != nil {
		d.add("  role", fmt.Sprint(*s.Role), "in the room")
	}
	for _, p := range s.Permissions {
		d.add("  may", p.Right+" "+p.Resource, printable.Line(strings.Join(p.Names, ", "), 120))
	}
}

func (p Privilege) describe() Field {
	f := Field{Name: "  may", Value: p.Name}
	switch {
	case p.Life != nil && *p.Life == 0:
		f.Meaning = "for 0 s; outside chat that is as long as the token"
	case p.Life != nil:
		f.Meaning = "for " + span(int64(*p.Life))
	case p.ExpiresAt.Unix() == 0:
		f.Meaning = "as long as the token"
	default:
		f.Value, f.At = f.Value+" until", *p.ExpiresAt
	}
	return f
}

var meanings = map[string]string{
	Chat: "text chat", RTC: "audio and video calls", RTM: "signalling", "rtm2": "signalling, with permissions", "streaming": "media streaming",
	"fpa": "full-path accelerator", "fcdn": "content delivery", "apaas": "flexible classroom and other ready-made apps",
	"convoai": "conversational AI", "stt": "speech to text",
}

func checksum(crc uint32) string { return fmt.Sprintf("%08x", crc) }

// span prints a life, in days too when it is long.
func span(s int64) string {
	if text := agoratoken.Span(s); strings.HasSuffix(text, "days") {
		return fmt.Sprintf("%s (%d s)", text, s)
	}
	return agoratoken.Span(s)
}
