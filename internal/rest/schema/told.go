package schema

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// below is the path of what is called name in what is at path.
func below(path, name string) string { return path + "\x00" + name }

func joined(path []string) string {
	var at string
	for _, name := range path {
		at = below(at, name)
	}
	return at
}

// told are the arguments as an error speaks of them.
type told struct {
	args    Object
	spelled spellings
	order   order
}

// value is what stands at path, its members in the order in which they were sent.
func (t told) value(path []string) any { return t.order.arrange(locate(t.args, path), joined(path)) }

// asGiven is what stands at path before digits were taken for a number.
func (t told) asGiven(path []string) any {
	if text, respelled := t.spelled[joined(path)]; respelled {
		return text
	}
	return locate(t.args, path)
}

// members is an object that knows its order.
type members []pair

type pair struct {
	name  string
	value any
}

// order are the names of the members of each object of a body, by its path, in the
// order in which they were sent. A name that was sent twice stands there twice.
type order map[string][]string

// maxOrdered bounds in bytes the bodies whose order is kept; of longer ones a message
// shows no more than the beginning anyway.
const maxOrdered = 64 << 10

// orderOf reads body as far as it is JSON.
func orderOf(body []byte) order {
	o := order{}
	if len(body) > maxOrdered {
		return o
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	o.read(decoder, "")
	return o
}

// read takes one value off the decoder and says whether there was one.
func (o order) read(decoder *json.Decoder, path string) bool {
	token, err := decoder.Token()
	if err != nil {
		return false
	}
	switch token {
	case json.Delim('{'):
		for decoder.More() {
			name, err := decoder.Token()
			text, isText := name.(string)
			if err != nil || !isText {
				return false
			}
			o[path] = append(o[path], text)
			if !o.read(decoder, below(path, text)) {
				return false
			}
		}
	case json.Delim('['):
		for i := 0; decoder.More(); i++ {
			if !o.read(decoder, below(path, strconv.Itoa(i))) {
				return false
			}
		}
	default:
		return true
	}
	_, err = decoder.Token() // the bracket that closes
	return err == nil
}

// arrange puts the members of value, and of all that is in it, into their order.
func (o order) arrange(value any, path string) any {
	switch v := value.(type) {
	case Object:
		arranged, done := make(members, 0, len(v)), map[string]bool{}
		for _, name := range slices.Concat(o[path], sortedNames(v)) {
			if inner, there := v[name]; there && !done[name] {
				arranged = append(arranged, pair{name, o.arrange(inner, below(path, name))})
			}
			done[name] = true
		}
		return arranged
	case []any:
		all := make([]any, len(v))
		for i, inner := range v {
			all[i] = o.arrange(inner, below(path, strconv.Itoa(i)))
		}
		return all
	default:
		return value
	}
}
