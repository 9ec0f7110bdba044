package main

// ledger counts what became of one sender's messages at their receiver. Its owner guards it.
type ledger struct {
	highest   uint64
	arrived   uint64
	missing   map[uint64]bool // below highest
	doubled   int
	reordered int
}

func (l *ledger) note(number uint64) {
	switch {
	case number > l.highest:
		for n := l.highest + 1; n < number; n++ {
			if l.missing == nil {
				l.missing = make(map[uint64]bool)
			}
			l.missing[n] = true
		}
		l.highest = number
		l.arrived++
	case l.missing[number]:
		delete(l.missing, number)
		l.reordered++
		l.arrived++
	default:
		l.doubled++
	}
}

// harm is what went wrong with the messages of a run.
type harm struct{ Sent, Lost, Doubled, Reordered int }

func (h *harm) add(sent uint64, l *ledger) {
	h.Sent += int(sent)
	h.Lost += int(sent - l.arrived)
	h.Doubled += l.doubled
	h.Reordered += l.reordered
}

func (h *harm) sum(o harm) {
	h.Sent += o.Sent
	h.Lost += o.Lost
	h.Doubled += o.Doubled
	h.Reordered += o.Reordered
}
