package msync

// Abridge returns a frame that LineOf renders like this one, and that is shorter when this is a batch of many messages: those that a line
// does not list are left empty. It costs far less than rendering.
func Abridge(frame []byte) []byte {
	cmd, payload, ok := Peek(frame)
	if !ok || cmd != MSync_SYNC {
		return frame
	}
	const downMetas = 4
	short := make([]byte, 0, len(payload)/4)
	metas := 0
	for rest := payload; len(rest) > 0; {
		f := nextField(rest)
		if f.number == 0 {
			return frame
		}
		if f.number == downMetas {
			metas++
		}
		if f.number == downMetas && metas > maxItems {
			short = appendBytes(short, downMetas, nil)
		} else {
			short = append(short, rest[:f.size]...)
		}
		rest = rest[f.size:]
	}
	return append(appendHead(cmd, len(short)), short...)
}
