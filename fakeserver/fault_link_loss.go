package fakeserver

func dropFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultLink, "drop", "frames are lost", frameParams()},
		frame:     func(*faultyFrames, *fault, []byte) passage { return passNowhere },
	}
}

func duplicateFault() *faultKind {
	return &faultKind{
		FaultKind: FaultKind{FaultLink, "duplicate", "frames come twice", frameParams()},
		frame:     func(*faultyFrames, *fault, []byte) passage { return passTwice },
	}
}
