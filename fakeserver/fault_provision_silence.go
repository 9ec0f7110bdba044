package fakeserver

func provisionSilenceFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultProvision, "silence", "no answer comes, and the connection stays open", nil},
		login:     func(l *link, _ *fault, _ string) { l.waiting = true },
	}
}

func provisionCloseFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultProvision, "close", "the connection is closed before the answer", nil},
		login:     func(l *link, f *fault, _ string) { l.close("fault " + f.ID) },
	}
}
