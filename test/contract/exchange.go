package contract

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Exchange is one recorded request with the answer of the original service. Bodies
// that were no JSON are recorded as strings.
type Exchange struct {
	Label   string              `json:"label"`
	Method  string              `json:"method"`
	Path    string              `json:"path"`
	Query   string              `json:"query"`
	Header  map[string]string   `json:"req_headers"`
	Body    json.RawMessage     `json:"req_body"`
	Status  int                 `json:"status"`
	Answer  json.RawMessage     `json:"resp_body"`
	Replied map[string][]string `json:"resp_headers"`

	File string `json:"-"`
	Line int    `json:"-"` // from 1
}

// Name is how reports and allowed.jsonl name the exchange.
func (e Exchange) Name() string { return fmt.Sprintf("%s:%d", e.File, e.Line) }

// Difference is a line of allowed.jsonl: on which exchange what may differ, and why.
type Difference struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Status int    `json:"status,omitempty"` // what is answered here instead; 0: as recorded
	Code   string `json:"code,omitempty"`   // of the fault, likewise
	Title  string `json:"title,omitempty"`  // its beginning, likewise
	Skip   bool   `json:"skip,omitempty"`   // cannot be replayed at the front door alone
	Reason string `json:"reason"`
}

// Read returns the exchanges recorded in a file of dir.
func Read(dir, file string) ([]Exchange, error) {
	var all []Exchange
	err := lines(filepath.Join(dir, file), func(n int, text []byte) error {
		e := Exchange{File: file, Line: n}
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		all = append(all, e)
		return nil
	})
	return all, err
}

// ReadAllowed returns the allowed differences by the name of their exchange.
func ReadAllowed(path string) (map[string]Difference, error) {
	all := map[string]Difference{}
	err := lines(path, func(n int, text []byte) error {
		var d Difference
		if err := json.Unmarshal(text, &d); err != nil {
			return fmt.Errorf("%s line %d: %w", path, n, err)
		}
		if d.Reason == "" {
			return fmt.Errorf("%s line %d has no reason", path, n)
		}
		all[fmt.Sprintf("%s:%d", d.File, d.Line)] = d
		return nil
	})
	return all, err
}

const longestLine = 16 << 20

func lines(path string, each func(n int, text []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open recordings: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, longestLine)
	for n := 1; scanner.Scan(); n++ {
		if strings.TrimSpace(scanner.Text()) == "" {
			continue
		}
		if err := each(n, scanner.Bytes()); err != nil {
			return err
		}
	}
	return scanner.Err()
}
