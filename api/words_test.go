package api_test

import (
	"reflect"
	"testing"

	"github.com/go-zun/zun/api"
)

func TestSplitAndJoinWords(t *testing.T) {
	for in, want := range map[string][]string{
		`sh -c "echo hi"`:    {"sh", "-c", "echo hi"},
		`a 'b "c" d' e\ f`:   {"a", `b "c" d`, "e f"},
		`"" x`:               {"", "x"},
		`"a\nb"`:             {`a\nb`},
		`  spaced   out  `:   {"spaced", "out"},
		"":                   nil,
		`'it'"'"'s' "q\"uo"`: {"it's", `q"uo`},
	} {
		got, err := api.SplitWords(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("SplitWords(%q) = %q, %v; want %q", in, got, err, want)
		}
		again, err := api.SplitWords(api.JoinWords(got))
		if err != nil || len(again) != len(got) || (len(got) > 0 && !reflect.DeepEqual(again, got)) {
			t.Errorf("%q does not survive quoting: %q, %v", got, again, err)
		}
	}
	for _, in := range []string{`"open`, `'open`, `end\`} {
		if got, err := api.SplitWords(in); err == nil {
			t.Errorf("SplitWords(%q) = %q, want an error", in, got)
		}
	}
}
