package contract

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
)

// form is a kind of word that is another one in every run.
type form struct {
	pattern string
	named   bool // stands for one thing: the same word must stand for the same thing again
	common  bool // two things may be called so
}

// forms lists them; the first that fits a place counts.
func forms() []form {
	const greek = `(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega)`
	return []form{
		{pattern: `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, named: true},
		{pattern: `\b[0-9a-f]{64}\b`, named: true},
		{pattern: `\b[0-9a-f]{12}\b`, named: true},
		{pattern: `127\.0\.0\.1:[0-9]{4,5}`, named: true},
		{pattern: `\b10\.[0-9]+\.[0-9]+\.[0-9]+\b`, named: true},
		{pattern: greek + `-[0-9]+\b`, named: true, common: true},
		{pattern: `[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?`},
		{pattern: `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]+`},
		{pattern: `(?:Less than a second|About an? [a-z]+|[0-9]+ (?:seconds?|mins?|minutes?|hours?))\b`},
	}
}

// nobody begins the uuids that stand for nothing in the recordings.
const nobody = "00000000-0000-0000-0000-"

// Names knows which word of a replay stands for which word of the recording.
type Names struct {
	forms    []form
	anywhere *regexp.Regexp
	ours     map[string]string // by theirs
	theirs   map[string]string // by ours, to see that two things are not mixed up
}

// NewNames returns names that know what is given: theirs to ours.
func NewNames(given map[string]string) *Names {
	n := &Names{forms: forms(), ours: maps.Clone(given), theirs: map[string]string{}}
	patterns := make([]string, 0, len(n.forms))
	for _, f := range n.forms {
		patterns = append(patterns, "("+f.pattern+")")
	}
	n.anywhere = regexp.MustCompile(strings.Join(patterns, "|"))
	return n
}

// Clone returns a copy to try things with.
func (n *Names) Clone() *Names {
	c := *n
	c.ours, c.theirs = maps.Clone(n.ours), maps.Clone(n.theirs)
	return &c
}

// Translate writes a text of the recording with our words.
func (n *Names) Translate(text string) string {
	return n.anywhere.ReplaceAllStringFunc(text, func(word string) string {
		if our, known := n.ours[word]; known {
			return our
		}
		return word
	})
}

// Request returns e with our words.
func (n *Names) Request(e Exchange) Exchange {
	e.Path, e.Query = n.Translate(e.Path), n.Translate(e.Query)
	e.Body = json.RawMessage(n.Translate(string(e.Body)))
	return e
}

// Same says whether got is the recorded text with our words, and learns the words
// that stand in it for the first time.
func (n *Names) Same(recorded, got string) bool {
	if recorded == got {
		return true
	}
	var pattern strings.Builder
	var asked []string
	end := 0
	for _, at := range n.anywhere.FindAllStringSubmatchIndex(recorded, -1) {
		word := recorded[at[0]:at[1]]
		pattern.WriteString(regexp.QuoteMeta(recorded[end:at[0]]))
		end = at[1]
		f := n.forms[which(at)]
		switch our, known := n.ours[word]; {
		case known:
			pattern.WriteString(regexp.QuoteMeta(our))
		case strings.HasPrefix(word, nobody):
			pattern.WriteString(word)
		case f.named:
			pattern.WriteString("(" + f.pattern + ")")
			asked = append(asked, word)
		default:
			pattern.WriteString("(?:" + f.pattern + ")")
		}
	}
	pattern.WriteString(regexp.QuoteMeta(recorded[end:]))
	found := regexp.MustCompile("^" + pattern.String() + "$").FindStringSubmatch(got)
	return found != nil && n.learn(asked, found[1:])
}

// which returns the index of the form that matched.
func which(at []int) int {
	for i := 2; i < len(at); i += 2 {
		if at[i] >= 0 {
			return i/2 - 1
		}
	}
	return 0
}

// learn takes words over unless that would give one of ours two meanings.
func (n *Names) learn(theirs, ours []string) bool {
	for i, word := range theirs {
		common := n.forms[which(n.anywhere.FindStringSubmatchIndex(word))].common
		if other, taken := n.theirs[ours[i]]; taken && other != word && !common {
			return false
		}
		if our, known := n.ours[word]; known && our != ours[i] {
			return false
		}
		n.ours[word], n.theirs[ours[i]] = ours[i], word
	}
	return true
}
