package fakeserver

import "time"

func frameDelayFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultLink, "delay", "each frame comes late, one after the other", append([]FaultParam{
			durationParam("delay", time.Second, "how late"),
		}, frameParams()...)},
		frame: func(w *faultyFrames, f *fault, _ []byte) passage {
			f.wait(w.ended(), f.values.duration("delay"))
			return passOn
		},
	}
}

func slowReaderFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultLink, "slow-reader", "the emulator pauses before it reads each frame, so that the client's writes pile up", []FaultParam{
			durationParam("pause", time.Second, "how long"),
		}},
		beforeRead: func(w *faultyFrames, f *fault) { f.wait(w.ended(), f.values.duration("pause")) },
	}
}
