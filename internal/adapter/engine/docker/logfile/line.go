package logfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
)

// line is how Docker records a piece of output.
type line struct {
	Log    string    `json:"log"`
	Stream string    `json:"stream"`
	Time   time.Time `json:"time"`
}

// parse reads one line of the file. Nearly all have one form, for which the general
// decoder would cost ten times as much.
func parse(text []byte) (journal.Entry, error) {
	if e, ok := plainLine(text); ok {
		return e, nil
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return journal.Entry{}, fmt.Errorf("parse a line of the log: %w", err)
	}
	return journal.Entry{Stream: streamOf(l.Stream), At: l.Time, Data: []byte(l.Log)}, nil
}

func streamOf(name string) domain.LogStream {
	if name == "stderr" {
		return domain.Stderr
	}
	return domain.Stdout
}

// plainLine reads {"log":"TEXT\n","stream":"NAME","time":"TIME"} where TEXT has no
// escape; the entry's data lies in text.
func plainLine(text []byte) (e journal.Entry, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte(`{"log":"`))
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 0 {
		return e, false
	}
	data, rest := rest[:end], rest[end:]
	body, broken := bytes.CutSuffix(data, []byte(`\n`))
	rest, ok = bytes.CutPrefix(rest, []byte(`","stream":"`))
	if !ok || bytes.IndexByte(body, '\\') >= 0 {
		return e, false
	}
	stream, rest, ok := bytes.Cut(rest, []byte(`","time":"`))
	stamp, whole := bytes.CutSuffix(rest, []byte(`"}`))
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if !ok || !whole || err != nil {
		return e, false
	}
	if broken {
		body = append(body, '\n') // over the escape that stood for it
	}
	return journal.Entry{Stream: streamOf(string(stream)), At: at, Data: body}, true
}
