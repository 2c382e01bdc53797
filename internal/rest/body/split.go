package body

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-zun/zun/internal/domain"
)

// Split reads a JSON object as far as the text of its member called name, which follows
// as value without ever being held: it may be larger than all memory. before is the
// object as read so far, with an empty text in the member's place. Without such a member
// value is nil and before all there was. What stands beside the text may be most bytes
// long, else it is TooLarge.
func Split(r io.Reader, name string, most int) (before []byte, value *Text, err error) {
	in := bufio.NewReaderSize(r, 32<<10)
	s := scanner{wanted: `"` + name + `"`}
	for len(s.read) <= most {
		b, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			return s.read, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if s.step(b) {
			return append(s.read, `""}`...), &Text{in: in, most: most}, nil
		}
	}
	return nil, nil, domain.NewFault(domain.TooLarge, "request-entity-too-large",
		"What stands beside %s in the request body is larger than %d bytes.", name, most)
}

// scanner follows an object byte by byte as far as it must be understood.
type scanner struct {
	wanted string // with its quotes
	read   []byte
	depth  int
	quoted bool // inside a text
	escape bool
	value  bool // behind the colon of a member
	start  int  // of the present text
	key    string
}

// step takes the next byte; true: it opens the text that is wanted.
func (s *scanner) step(b byte) (found bool) {
	if !s.quoted && b == '"' && s.depth == 1 && s.value && s.key == s.wanted {
		return true
	}
	s.read = append(s.read, b)
	switch {
	case s.escape:
		s.escape = false
	case s.quoted && b == '\\':
		s.escape = true
	case s.quoted && b == '"':
		s.quoted = false
		if s.depth == 1 && !s.value {
			s.key = string(s.read[s.start:])
		}
	case s.quoted:
	case b == '"':
		s.quoted, s.start = true, len(s.read)-1
	case b == '{', b == '[':
		s.depth++
	case b == '}', b == ']':
		s.depth--
	case s.depth == 1 && b == ':':
		s.value = true
	case s.depth == 1 && b == ',':
		s.value = false
	}
	return false
}

// ErrBroken says that an object ended before its end, or was none.
var ErrBroken = errors.New("the JSON of the request broke off")

// Text reads the text of a member, with its escapes resolved. Its end is io.EOF only if
// the whole object ended well.
type Text struct {
	in    *bufio.Reader
	most  int
	ready []byte // resolved and not yet read
	held  [utf8.UTFMax]byte
	err   error
}

// Read implements io.Reader.
func (t *Text) Read(p []byte) (int, error) {
	for {
		if len(t.ready) > 0 {
			n := copy(p, t.ready)
			t.ready = t.ready[n:]
			return n, nil
		}
		if t.err != nil || len(p) == 0 {
			return 0, t.err
		}
		if n := t.plain(p); n > 0 {
			return n, nil
		}
	}
}

// Err is why the reading ended before its end, nil if it did not.
func (t *Text) Err() error {
	if errors.Is(t.err, io.EOF) {
		return nil
	}
	return t.err
}

// plain reads what needs no resolving; 0: something did, or the end is reached.
func (t *Text) plain(p []byte) int {
	if _, err := t.in.Peek(1); err != nil {
		t.fail(err)
		return 0
	}
	chunk, _ := t.in.Peek(min(t.in.Buffered(), len(p))) // all of it is there
	n := bytes.IndexAny(chunk, `"\`)
	if n < 0 {
		n = len(chunk)
	}
	copy(p, chunk[:n])
	_, _ = t.in.Discard(n)
	if n > 0 {
		return n
	}
	if b, _ := t.in.ReadByte(); b == '"' {
		t.end()
	} else if err := t.resolve(); err != nil {
		t.fail(err)
	}
	return 0
}

func (t *Text) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = ErrBroken
	}
	t.err = err
}

// end reads what stands behind the text: members that nobody asks for, and the end.
func (t *Text) end() {
	s := scanner{depth: 1, value: true}
	for len(s.read) <= t.most {
		b, err := t.in.ReadByte()
		if errors.Is(err, io.EOF) && s.depth == 0 {
			t.err = io.EOF
			return
		}
		if err != nil {
			t.fail(err)
			return
		}
		s.step(b)
	}
	t.err = ErrBroken
}

// resolve reads one escape, behind its backslash.
func (t *Text) resolve() error {
	b, err := t.in.ReadByte()
	if err != nil {
		return err
	}
	short := map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
	r, known := short[b]
	switch {
	case known:
	case b != 'u':
		return ErrBroken
	default:
		if r, err = t.unit(); err != nil {
			return err
		}
		if utf16.IsSurrogate(r) {
			r = t.pair(r)
		}
	}
	t.ready = utf8.AppendRune(t.held[:0], r)
	return nil
}

// unit reads the four digits of an escape.
func (t *Text) unit() (rune, error) {
	var digits [4]byte
	if _, err := io.ReadFull(t.in, digits[:]); err != nil {
		return 0, ErrBroken
	}
	n, err := strconv.ParseUint(string(digits[:]), 16, 16)
	if err != nil {
		return 0, ErrBroken
	}
	return rune(n), nil
}

// pair joins a surrogate to the one that follows; alone it is no character.
func (t *Text) pair(high rune) rune {
	next, err := t.in.Peek(6)
	if err != nil || next[0] != '\\' || next[1] != 'u' {
		return utf8.RuneError
	}
	low, err := strconv.ParseUint(string(next[2:]), 16, 16)
	if err != nil || !utf16.IsSurrogate(rune(low)) {
		return utf8.RuneError
	}
	_, _ = t.in.Discard(6)
	return utf16.DecodeRune(high, rune(low))
}
