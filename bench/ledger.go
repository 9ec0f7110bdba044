package main

// ledger counts what became of one sender's messages at one place: at their receiver, or back at the sender as acknowledgements. Its owner
// guards it.
type ledger struct {
	highest   uint64
	arrived   uint64
	missing   map[uint64]bool // below highest
	doubled   int
	reordered int
	foreign   int // from somebody else, or never sent
}

// note takes the number of a message of which that many have been sent, and reports whether it comes for the first time.
func (l *ledger) note(number, sent uint64) bool {
	switch {
	case number == 0 || number > sent:
		l.foreign++
		return false
	case number > l.highest:
		for n := l.highest + 1; n < number; n++ {
			if l.missing == nil {
				l.missing = make(map[uint64]bool)
			}
			l.missing[n] = true
		}
		l.highest = number
	case l.missing[number]:
		delete(l.missing, number)
		l.reordered++
	default:
		l.doubled++
		return false
	}
	l.arrived++
	return true
}

// harm is what went wrong in a run. But for Sent all must be 0.
type harm struct {
	Sent                     int
	Lost, Doubled, Reordered int // deliveries
	Foreign                  int // deliveries that do not name the right sender, or that nobody sent
	Unacked                  int
	Overacked                int // acknowledgements of what was acknowledged before, or was never sent
	Failed                   int // logins, heartbeats without an answer, renewals, and connections that ended by themselves
}

func (h *harm) add(sent uint64, acks, inbox *ledger) {
	h.sum(harm{
		Sent: int(sent), Lost: int(sent - inbox.arrived), Doubled: inbox.doubled, Reordered: inbox.reordered, Foreign: inbox.foreign,
		Unacked: int(sent - acks.arrived), Overacked: acks.doubled + acks.foreign,
	})
}

func (h *harm) sum(o harm) {
	h.Sent += o.Sent
	h.Lost += o.Lost
	h.Doubled += o.Doubled
	h.Reordered += o.Reordered
	h.Foreign += o.Foreign
	h.Unacked += o.Unacked
	h.Overacked += o.Overacked
	h.Failed += o.Failed
}

// any reports whether something went wrong.
func (h harm) any() bool {
	h.Sent = 0
	return h != harm{}
}
