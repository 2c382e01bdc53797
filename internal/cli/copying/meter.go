package copying

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// meter shows at a terminal how much was copied. Elsewhere it shows nothing.
type meter struct {
	to    io.Writer
	shown bool // anywhere at all
	count int64
	next  time.Time // when to show it again
}

const showEvery = 200 * time.Millisecond

func newMeter(to io.Writer) *meter {
	return &meter{to: to, shown: isTerminal(to), next: time.Now().Add(showEvery)}
}

// reading counts what is read of r.
func (p *meter) reading(r io.Reader) io.Reader { return counted{r, p} }

type counted struct {
	io.Reader
	meter *meter
}

// Read implements io.Reader.
func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.meter.add(int64(n))
	return n, err
}

func (p *meter) add(n int64) {
	p.count += n
	if now := time.Now(); p.shown && now.After(p.next) {
		p.next = now.Add(showEvery)
		p.show()
	}
}

func (p *meter) show() { _, _ = fmt.Fprintf(p.to, "\r\x1b[Kcopied %s", size(p.count)) }

// end leaves the line as it was last.
func (p *meter) end() {
	if p.shown {
		p.show()
		_, _ = fmt.Fprintln(p.to)
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// size is n bytes as people read them.
func size(n int64) string {
	const unit = 1000
	value, at := float64(n), 0
	for value >= unit && at < len("kMGTPE") {
		value, at = value/unit, at+1
	}
	if at == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %cB", value, "kMGTPE"[at-1])
}
