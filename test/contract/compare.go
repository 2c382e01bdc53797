package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Mismatch is one place where an answer differs from the recorded one.
type Mismatch struct {
	At        string // "http.status", "header.NAME", or the path of a member with dots
	Want, Got string // as JSON; "absent" if there is none
}

// String implements fmt.Stringer.
func (m Mismatch) String() string {
	return fmt.Sprintf("%s: want %s, got %s", m.At, cut(m.Want), cut(m.Got))
}

func cut(s string) string {
	const longest = 400
	if len(s) > longest {
		return s[:longest] + "..."
	}
	return s
}

const (
	absent          = "absent"
	statusOfHTTP    = "http.status"
	requestIDHeader = "X-Openstack-Request-Id"
)

// requestIDForm is how every id of a request looks.
var requestIDForm = regexp.MustCompile(`^req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// ownRequest finds the member of an error that names its request. The original left it
// empty and named the request in the header alone; here both must name the same one.
var ownRequest = regexp.MustCompile(`^errors\.[0-9]+\.request_id$`)

// namedHeaders are those that the contract speaks of.
func namedHeaders() []string {
	return []string{
		"X-Openstack-Request-Id", "Openstack-Api-Version", "Openstack-Api-Minimum-Version", "Openstack-Api-Maximum-Version",
		"Vary", "Location", "Allow", "Www-Authenticate", "Content-Type",
	}
}

// Differ returns where got differs from what was recorded of e; it learns names.
func (n *Names) Differ(e Exchange, got Reply) []Mismatch {
	c := &comparison{names: n, requestID: got.Header.Get(requestIDHeader)}
	if e.Status != got.Status {
		c.wrong(statusOfHTTP, e.Status, got.Status)
	}
	for _, name := range namedHeaders() {
		c.header(name, e.Replied[name], got.Header)
	}
	c.value("", decoded(e.Answer), decoded(got.Body))
	return c.found
}

// decoded is a body as JSON, or as text if it is none. No body is null, which is what
// the recorder wrote for it.
func decoded(body []byte) any {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return string(body)
	}
	return v
}

type comparison struct {
	names     *Names
	requestID string // that the header of our answer names
	found     []Mismatch
}

func (c *comparison) wrong(at string, want, got any) {
	c.found = append(c.found, Mismatch{At: at, Want: text(want), Got: text(got)})
}

func text(v any) string {
	if v == absent {
		return absent
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(out.String())
}

func (c *comparison) header(name string, recorded []string, got http.Header) {
	want, have := canonical(recorded), canonical(got.Values(name))
	if name == requestIDHeader && want != "" && !requestIDForm.MatchString(have) {
		c.wrong("header."+name, want, have)
		return
	}
	if !c.names.Same(want, have) {
		c.wrong("header."+name, want, have)
	}
}

// canonical joins the values of a header; members of a list are put in order.
func canonical(values []string) string {
	all := strings.Split(strings.Join(values, ","), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (c *comparison) value(at string, want, got any) {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			c.object(at, w, g)
			return
		}
	case []any:
		if g, ok := got.([]any); ok {
			c.list(at, w, g)
			return
		}
	case string:
		if g, ok := got.(string); ok && c.sameText(strings.TrimPrefix(at, "."), w, g) {
			return
		}
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(w, g) {
			return
		}
	default:
		if want == got {
			return
		}
	}
	c.wrong(strings.TrimPrefix(at, "."), want, got)
}

func (c *comparison) sameText(at, want, got string) bool {
	if want == "" && ownRequest.MatchString(at) {
		return requestIDForm.MatchString(got) && got == c.requestID
	}
	return c.names.Same(want, got)
}

func sameNumber(a, b json.Number) bool {
	x, errX := strconv.ParseFloat(string(a), 64)
	y, errY := strconv.ParseFloat(string(b), 64)
	return errX == nil && errY == nil && x == y
}

func (c *comparison) list(at string, want, got []any) {
	for i := range max(len(want), len(got)) {
		place := at + "." + strconv.Itoa(i)
		switch {
		case i >= len(got):
			c.wrong(strings.TrimPrefix(place, "."), want[i], absent)
		case i >= len(want):
			c.wrong(strings.TrimPrefix(place, "."), absent, got[i])
		default:
			c.value(place, want[i], got[i])
		}
	}
}

func (c *comparison) object(at string, want, got map[string]any) {
	left := maps.Clone(got)
	for _, key := range slices.Sorted(maps.Keys(want)) {
		place := strings.TrimPrefix(at+"."+key, ".")
		our, found := c.member(key, left)
		if !found {
			c.wrong(place, want[key], absent)
			continue
		}
		c.value(place, want[key], left[our])
		delete(left, our)
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		c.wrong(strings.TrimPrefix(at+"."+key, "."), absent, left[key])
	}
}

// member finds what a member is called with us; its name may be a uuid.
func (c *comparison) member(key string, among map[string]any) (string, bool) {
	if our := c.names.Translate(key); our != key {
		_, found := among[our]
		return our, found
	}
	if _, found := among[key]; found {
		return key, true
	}
	for _, candidate := range slices.Sorted(maps.Keys(among)) {
		if c.names.Same(key, candidate) {
			return candidate, true
		}
	}
	return "", false
}
