package cli

import (
	"errors"
	"io"
)

// errEscaped says that the user typed ~. at the beginning of a line.
var errEscaped = errors.New("disconnected")

// escapes passes on what is typed but for ~. at the beginning of a line, which ends
// the reading with errEscaped; ~~ there is one ~.
type escapes struct {
	from  io.Reader
	begun bool // a line has begun
	tilde bool // a ~ is held back
}

// Read implements io.Reader.
func (e *escapes) Read(p []byte) (int, error) {
	if len(p) < 2 { // one byte typed may become two
		return 0, io.ErrShortBuffer
	}
	for {
		n, err := e.from.Read(p[:len(p)/2])
		kept, escaped := e.filter(append([]byte{}, p[:n]...), p[:0])
		switch {
		case escaped:
			return len(kept), errEscaped
		case len(kept) > 0 || err != nil:
			return len(kept), err
		}
	}
}

// filter appends to kept what of typed is passed on.
func (e *escapes) filter(typed, kept []byte) ([]byte, bool) {
	for _, c := range typed {
		switch {
		case e.tilde && c == '.':
			return kept, true
		case e.tilde:
			e.tilde = false
			kept = append(kept, '~')
			if c != '~' {
				kept = append(kept, c)
			}
		case !e.begun && c == '~':
			e.tilde = true
			continue
		default:
			kept = append(kept, c)
		}
		e.begun = c != '\r' && c != '\n'
	}
	return kept, false
}
