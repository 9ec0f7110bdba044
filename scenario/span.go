package scenario

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ttlchat/ttlchat/internal/pattern"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// Span is a length of time: a fraction of the token's life and an offset, written as 8s, 0.8T or 0.8T-1s.
type Span struct {
	Fraction float64
	Offset   time.Duration
}

// maxFraction and maxOffset bound what a scenario may wait for.
const (
	maxFraction = 1000
	maxOffset   = 10 * 365 * 24 * time.Hour
)

var spanTerm = pattern.New(`[+-]?[^+-]+`)

// Of returns the span for a lifetime.
func (s Span) Of(ttl time.Duration) time.Duration {
	return time.Duration(math.Round(s.Fraction*float64(ttl)/1e3))*time.Microsecond + s.Offset
}

// IsZero reports whether the span has no length.
func (s Span) IsZero() bool { return s == Span{} }

// String writes the span as scenarios do.
func (s Span) String() string {
	switch {
	case s.Fraction == 0:
		return shortDuration(s.Offset)
	case s.Offset == 0:
		return fraction(s.Fraction)
	case s.Offset < 0:
		return fraction(s.Fraction) + shortDuration(s.Offset)
	default:
		return fraction(s.Fraction) + "+" + shortDuration(s.Offset)
	}
}

func fraction(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) + "T" }

// shortDuration leaves out the zeros that time.Duration writes behind hours and minutes.
func shortDuration(d time.Duration) string {
	text := d.String()
	if cut, ok := strings.CutSuffix(text, "m0s"); ok {
		text = cut + "m"
	}
	if cut, ok := strings.CutSuffix(text, "h0m"); ok {
		text = cut + "h"
	}
	return text
}

func parseSpan(text string) (Span, error) {
	wrong := fmt.Errorf("%q is no time; write an offset such as 8s, a fraction of the life such as 0.8T, or a sum such as 0.8T+2s", printable.Line(text, 60))
	var s Span
	terms := spanTerm().FindAllString(text, -1)
	if strings.Join(terms, "") != text || len(terms) == 0 {
		return s, wrong
	}
	for _, term := range terms {
		if number, ok := strings.CutSuffix(term, "T"); ok {
			f, err := strconv.ParseFloat(number, 64)
			if number == "" || number == "+" || number == "-" {
				f, err = strconv.ParseFloat(number+"1", 64)
			}
			if err != nil || strings.ContainsAny(number, "xXpPeEiInN_") {
				return s, wrong
			}
			s.Fraction += f
			continue
		}
		d, err := time.ParseDuration(term)
		if err != nil {
			return s, wrong
		}
		s.Offset += d
	}
	if math.Abs(s.Fraction) > maxFraction || s.Offset.Abs() > maxOffset {
		return s, fmt.Errorf("%q is too long; at most %dT and ten years", printable.Line(text, 60), maxFraction)
	}
	return s, nil
}

func (s *Span) parse(text string) (err error) {
	*s, err = parseSpan(text)
	return err
}

// Instant is a point of time: a span from the start, or from an event.
type Instant struct {
	// Event is LANE/NAME or NAME, empty for the start; Nth counts its occurrences from 1.
	Event string
	Nth   int
	Plus  Span
}

var eventInstant = pattern.New(`^((?:[a-z0-9_.@-]+/)?[a-z][a-z_]*(?:\.[a-z_]+)*)(?:#([0-9]{1,6}))?([+-].*)?$`)

// String writes the instant as scenarios do.
func (i Instant) String() string {
	if i.Event == "" {
		return i.Plus.String()
	}
	text := i.Event
	if i.Nth > 1 {
		text += "#" + strconv.Itoa(i.Nth)
	}
	switch plus := i.Plus.String(); {
	case i.Plus.IsZero():
	case strings.HasPrefix(plus, "-"):
		text += plus
	default:
		text += "+" + plus
	}
	return text
}

func (i *Instant) parse(text string) error {
	m := eventInstant().FindStringSubmatch(text)
	if m == nil {
		plus, err := parseSpan(text)
		if err != nil {
			return fmt.Errorf("%q is no instant; write an offset such as 8s, a fraction of the life such as 0.8T, an event such as token.will_expire, or a sum of them",
				printable.Line(text, 60))
		}
		*i = Instant{Plus: plus}
		return nil
	}
	*i = Instant{Event: m[1], Nth: 1}
	if m[2] != "" {
		if i.Nth, _ = strconv.Atoi(m[2]); i.Nth < 1 {
			return fmt.Errorf("%q: events are counted from #1", printable.Line(text, 60))
		}
	}
	if m[3] == "" {
		return nil
	}
	return i.Plus.parse(m[3])
}

// Window is a stretch of time between two instants, written as 0.8T..0.8T+1s; either end may be left out.
type Window struct {
	From, To *Instant
	text     string
}

// IsZero reports whether any time will do.
func (w Window) IsZero() bool { return w.From == nil && w.To == nil }

// String writes the window as scenarios do.
func (w Window) String() string { return w.text }

func (w *Window) parse(text string) error {
	from, to, ok := strings.Cut(text, "..")
	if !ok || from == "" && to == "" {
		return fmt.Errorf("%q is no window; write two instants with .. between them, such as 0.8T..0.8T+1s, or leave one of them out", printable.Line(text, 60))
	}
	*w = Window{text: text}
	for _, end := range []struct {
		text string
		at   **Instant
	}{{from, &w.From}, {to, &w.To}} {
		if end.text == "" {
			continue
		}
		*end.at = new(Instant)
		if err := (*end.at).parse(end.text); err != nil {
			return err
		}
	}
	return nil
}

// Range is a number with bounds, written as 2, 1..3 or 2..; Max is -1 without an upper bound.
type Range struct{ Min, Max int }

// Holds reports whether n is in the range.
func (r Range) Holds(n int) bool { return n >= r.Min && (r.Max < 0 || n <= r.Max) }

// String says the range in words.
func (r Range) String() string {
	switch {
	case r.Max < 0:
		return fmt.Sprintf("at least %d", r.Min)
	case r.Min == r.Max:
		return strconv.Itoa(r.Min)
	case r.Min == 0:
		return fmt.Sprintf("at most %d", r.Max)
	default:
		return fmt.Sprintf("%d to %d", r.Min, r.Max)
	}
}

// of says the range of things.
func (r Range) of(one, many string) string {
	if r.Max == 1 {
		many = one
	}
	return r.String() + " " + many
}

func (r *Range) parse(text string) error {
	low, high, spread := strings.Cut(text, "..")
	if !spread {
		high = low
	}
	wrong := fmt.Errorf("%q is no count; write a number, or a range such as 1..3, 2.. or ..3", printable.Line(text, 40))
	*r = Range{0, -1}
	for _, end := range []struct {
		text string
		n    *int
	}{{low, &r.Min}, {high, &r.Max}} {
		if end.text == "" && spread {
			continue
		}
		n, err := strconv.ParseUint(end.text, 10, 24)
		if err != nil {
			return wrong
		}
		*end.n = int(n)
	}
	if low == "" && high == "" || r.Max >= 0 && r.Max < r.Min {
		return wrong
	}
	return nil
}
