package fakeserver

import (
	"maps"
	"slices"
	"time"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// kickOperations are the kicks of the wire by what SDKs call them (protocol.md c, "Kick").
var kickOperations = map[int]msync.StatisticsBody_Operation{
	206: msync.StatisticsBody_USER_LOGIN_ANOTHER_DEVICE,
	207: msync.StatisticsBody_USER_REMOVED,
	216: msync.StatisticsBody_USER_KICKED_BY_CHANGE_PASSWORD,
	217: msync.StatisticsBody_USER_KICKED_BY_OTHER_DEVICE,
}

// KickCodes lists the codes that [Server.Kick] knows.
func KickCodes() []int { return slices.Sorted(maps.Keys(kickOperations)) }

// Kick tells a user's connections why they have to go, with a code of [KickCodes], and closes them. The reason may be empty. An empty user means
// everybody. It returns how many connections it reached, which is none for any other code.
func (s *Server) Kick(user string, code int, reason string) int {
	op, ok := kickOperations[code]
	if !ok {
		return 0
	}
	links := s.hub.links(user)
	for _, l := range links {
		l.kick(op, reason)
	}
	return len(links)
}

// CutUser cuts a user's connections without a word, as a network that fails does; an empty user means everybody. It returns how many those
// were.
func (s *Server) CutUser(user string) int {
	links := s.hub.links(user)
	for _, l := range links {
		s.cut(l)
	}
	return len(links)
}

// SetClockOffset puts the emulator's clock that far ahead of the machine's; everything that becomes due by it happens at once.
func (s *Server) SetClockOffset(d time.Duration) { s.clock.SetOffset(d) }

// FreezeClock stops the emulator's clock, or lets it go on from where it stopped.
func (s *Server) FreezeClock(frozen bool) { s.clock.Freeze(frozen) }

// Reset makes the emulator what it was after its start: no faults, no revocations, the clock of the configuration, only the users of the
// configuration, no messages and files, and no Chat token of before is known. Connections are cut. The journal goes on.
func (s *Server) Reset() {
	s.faults.clear("")
	s.CutUser("")
	s.clock.Freeze(false)
	s.clock.SetOffset(s.cfg.ClockOffset)
	s.hub.reset()
	s.revoked.forget()
	s.handedOut.forget()
	s.chatTokens.forget()
	s.files.forget()
	s.journal.add(&Entry{Name: EmulatorReset})
}
