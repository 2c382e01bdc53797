package body_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/body"
)

func TestATextIsReadAsItComes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ object, before, value string }{
		"alone":        {`{"data":"abc"}`, `{"data":""}`, "abc"},
		"empty":        {`{"data":""}`, `{"data":""}`, ""},
		"among others": {` { "path" : "/tmp", "n": {"data":"x"}, "data" : "a b" , "more": [1,"}"] } `, `{"path":"/tmp","n":{"data":"x"},"data":""}`, "a b"},
		"escapes":      {`{"data":"\"\\\/\b\f\n\r\té\ud83d\udc33\ud83dx"}`, `{"data":""}`, "\"\\/\b\f\n\r\té🐳�x"},
	} {
		for kind, r := range map[string]io.Reader{"whole": strings.NewReader(c.object), "in bytes": iotest.OneByteReader(strings.NewReader(c.object))} {
			before, value, err := body.Split(r, "data", 1<<10)
			if err != nil || value == nil {
				t.Fatalf("%s, %s: %v, %v", name, kind, value, err)
			}
			got, err := io.ReadAll(value)
			if err != nil || string(got) != c.value || value.Err() != nil {
				t.Errorf("%s, %s: read %q, %v", name, kind, got, err)
			}
			if compact(t, before) != c.before {
				t.Errorf("%s, %s: before it is %s", name, kind, before)
			}
		}
	}
}

func compact(t *testing.T, text []byte) string {
	t.Helper()
	var b strings.Builder
	var raw json.RawMessage = text
	packed, err := json.Marshal(raw)
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	b.Write(packed)
	return b.String()
}

func TestATextThatBreaksOff(t *testing.T) {
	t.Parallel()
	for _, object := range []string{`{"data":"abc`, `{"data":"abc\`, `{"data":"abc"`, `{"data":"abc","x":"`, `{"data":"\x"}`, `{"data":"\u12"}`, `{"data":"\uzzzz"}`,
		`{"data":"abc"}` + strings.Repeat(" ", 2000)} {
		_, value, err := body.Split(strings.NewReader(object), "data", 1<<10)
		if err != nil || value == nil {
			t.Fatalf("%.20s: %v, %v", object, value, err)
		}
		if got, err := io.ReadAll(value); !errors.Is(err, body.ErrBroken) || !errors.Is(value.Err(), body.ErrBroken) {
			t.Errorf("%.20s: read %q, %v", object, got, err)
		}
	}
	gone := errors.New("gone")
	_, value, err := body.Split(io.MultiReader(strings.NewReader(`{"data":"abc`), iotest.ErrReader(gone)), "data", 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(value); !errors.Is(err, gone) {
		t.Errorf("a body that ends: %v", err)
	}
}

func TestWhatHasNoSuchText(t *testing.T) {
	t.Parallel()
	for _, object := range []string{``, `junk`, `[]`, `{}`, `{"x":"data"}`, `{"data":1}`, `{"x":{"data":"abc"}}`, `["data","x"]`} {
		before, value, err := body.Split(strings.NewReader(object), "data", 1<<10)
		if err != nil || value != nil || string(before) != object {
			t.Errorf("%s: %q, %v, %v", object, before, value, err)
		}
	}
	_, _, err := body.Split(strings.NewReader(`{"x":"`+strings.Repeat("y", 2000)+`","data":""}`), "data", 1<<10)
	if !domain.IsKind(err, domain.TooLarge) {
		t.Errorf("much beside it: %v", err)
	}
}
