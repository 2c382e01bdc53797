package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strings"
)

// Allowance is a line of running.jsonl: where the answers to some lines of a file may
// differ from the recording, or which cannot be replayed here, and why.
type Allowance struct {
	File  string `json:"file"`
	Lines []int  `json:"lines"`
	// At names the places (one that ends in ".*" is all that is below, "*" all but the
	// status) and what stands there instead: a value, a text with * for anything, or a list of alternatives.
	At map[string]json.RawMessage `json:"at,omitempty"`
	// Needs names what is missing here; such a line is counted and not sent.
	Needs string `json:"needs,omitempty"`
	// Send are members of the recorded request that mean something else here: what is sent instead.
	Send map[string]json.RawMessage `json:"send,omitempty"`
	// Sometimes says that the difference hangs on the moment and need not be there.
	Sometimes bool   `json:"sometimes,omitempty"`
	Reason    string `json:"reason"`

	used bool
}

// Allowances are those of all lines, by the name of the exchange.
type Allowances map[string][]*Allowance

// ReadAllowances reads the file at path.
func ReadAllowances(path string) (Allowances, error) {
	all := Allowances{}
	err := lines(path, func(n int, text []byte) error {
		a := &Allowance{}
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(a); err != nil {
			return fmt.Errorf("%s line %d: %w", path, n, err)
		}
		if a.Reason == "" || len(a.Lines) == 0 || (a.Needs == "") == (len(a.At)+len(a.Send) == 0) {
			return fmt.Errorf("%s line %d: lines, a reason and either needs, or at or send are wanted", path, n)
		}
		for _, line := range a.Lines {
			each := *a // each line answers for itself whether it needs what is allowed
			name := Exchange{File: a.File, Line: line}.Name()
			all[name] = append(all[name], &each)
		}
		return nil
	})
	return all, err
}

// Needs returns why the exchange cannot be replayed here; empty: it can.
func (a Allowances) Needs(e Exchange) string {
	for _, one := range a[e.Name()] {
		if one.Needs != "" {
			one.used = true
			return one.Needs
		}
	}
	return ""
}

// Instead returns e as it is sent here, and whether that is otherwise than recorded.
func (a Allowances) Instead(e Exchange) (Exchange, bool) {
	changed := false
	for _, one := range a[e.Name()] {
		var body map[string]json.RawMessage
		if len(one.Send) == 0 || json.Unmarshal(e.Body, &body) != nil {
			continue
		}
		maps.Copy(body, one.Send)
		text, err := json.Marshal(body)
		if err != nil {
			continue
		}
		e.Body, changed, one.used = text, true, true
	}
	return e, changed
}

// Judge divides the mismatches of an exchange into those that are allowed and others.
func (a Allowances) Judge(e Exchange, all []Mismatch) (allowed, wrong []Mismatch) {
	for _, m := range all {
		if a.allows(e, m) {
			allowed = append(allowed, m)
		} else {
			wrong = append(wrong, m)
		}
	}
	return allowed, wrong
}

func (a Allowances) allows(e Exchange, m Mismatch) bool {
	for _, one := range a[e.Name()] {
		for at, instead := range one.At {
			if covers(at, m.At) && fits(instead, m.Got) {
				one.used = true
				return true
			}
		}
	}
	return false
}

func covers(at, place string) bool {
	above, all := strings.CutSuffix(at, ".*")
	return at == place || at == "*" && place != statusOfHTTP || all && (place == above || strings.HasPrefix(place, above+"."))
}

// fits says whether got is what an allowance names.
func fits(instead json.RawMessage, got string) bool {
	if string(instead) == got {
		return true
	}
	var alternatives []json.RawMessage
	if json.Unmarshal(instead, &alternatives) == nil {
		for _, one := range alternatives {
			if fits(one, got) {
				return true
			}
		}
		return false
	}
	var glob, have string
	if json.Unmarshal(instead, &glob) != nil {
		return false
	}
	if glob == "*" || glob == got {
		return true
	}
	if json.Unmarshal([]byte(got), &have) != nil {
		return false
	}
	return matches(glob, have)
}

// matches compares with * for any text, slashes included.
func matches(glob, have string) bool {
	const slash = "\x00"
	escape := strings.NewReplacer("/", slash, "[", `\[`, "?", `\?`, `\`, `\\`)
	ok, err := path.Match(escape.Replace(glob), strings.ReplaceAll(have, "/", slash))
	return err == nil && ok
}

// Vague says whether all below some place may differ on an exchange: what stands there
// is then perhaps another thing, and teaches no names.
func (a Allowances) Vague(e Exchange) bool {
	for _, one := range a[e.Name()] {
		for at := range one.At {
			if strings.HasSuffix(at, "*") {
				return true
			}
		}
	}
	return false
}

// Unused returns what is allowed on an exchange and was not needed.
func (a Allowances) Unused(e Exchange) []string {
	var all []string
	for _, one := range a[e.Name()] {
		if !one.used && !one.Sometimes {
			all = append(all, fmt.Sprintf("%s is allowed to differ (%s) and does not", e.Name(), one.Reason))
		}
	}
	return all
}
