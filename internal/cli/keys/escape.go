// Package keys reads what a user types into a remote terminal.
package keys

import (
	"errors"
	"io"
)

// ErrEscaped says that the user typed ~. at the beginning of a line.
var ErrEscaped = errors.New("disconnected")

// Escapes passes on what is typed but for ~. at the beginning of a line, which ends
// the reading with ErrEscaped; ~~ there is one ~.
type Escapes struct {
	From  io.Reader
	begun bool // a line has begun
	tilde bool // a ~ is held back
}

// Read implements io.Reader.
func (e *Escapes) Read(p []byte) (int, error) {
	if len(p) < 2 { // one byte typed may become two
		return 0, io.ErrShortBuffer
	}
	for {
		n, err := e.From.Read(p[:len(p)/2])
		kept, escaped := e.filter(append([]byte{}, p[:n]...), p[:0])
		switch {
		case escaped:
			return len(kept), ErrEscaped
		case len(kept) > 0 || err != nil:
			return len(kept), err
		}
	}
}

// filter appends to kept what of typed is passed on.
func (e *Escapes) filter(typed, kept []byte) ([]byte, bool) {
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
