package body_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/body"
)

// FuzzParse holds that any bytes are an object or a fault of the caller, and that what
// passes can be stored: JSON again, of text that is UTF-8.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "[]", `{"a":1}`, `{"a":"\u0000"}`, `{"a":1e999}`, "{\"a\":\"\xff\"}", strings.Repeat("[", 40), `{"a":{"b":[1,{"c":null}]}} x`, `{"\\":"\""}`} {
		f.Add([]byte(seed))
	}
	const deepest = 32
	f.Fuzz(func(t *testing.T, text []byte) {
		object, err := body.Parse(text, deepest)
		if err == nil {
			err = body.Check(object, false)
		}
		if err != nil {
			if domain.AsFault(err).Kind != domain.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if _, err := json.Marshal(object); err != nil || object == nil {
			t.Errorf("%q is read as %v: %v", text, object, err)
		}
	})
}
