package cli

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
)

func TestSplitAndQuoteWords(t *testing.T) {
	for in, want := range map[string][]string{
		`sh -c "echo hi"`:    {"sh", "-c", "echo hi"},
		`a 'b "c" d' e\ f`:   {"a", `b "c" d`, "e f"},
		`"" x`:               {"", "x"},
		`"a\nb"`:             {`a\nb`},
		`  spaced   out  `:   {"spaced", "out"},
		"":                   nil,
		`'it'"'"'s' "q\"uo"`: {"it's", `q"uo`},
	} {
		got, err := splitWords(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("splitWords(%q) = %q, %v; want %q", in, got, err, want)
		}
		again, err := splitWords(quoteWords(got))
		if err != nil || len(again) != len(got) || (len(got) > 0 && !reflect.DeepEqual(again, got)) {
			t.Errorf("%q does not survive quoting: %q, %v", got, again, err)
		}
	}
	for _, in := range []string{`"open`, `'open`, `end\`} {
		if got, err := splitWords(in); err == nil {
			t.Errorf("splitWords(%q) = %q, want an error", in, got)
		}
	}
}

func TestArgumentsThatAreWrong(t *testing.T) {
	wrong := map[string]func(string) error{
		"network=a,port=b":                   func(s string) error { _, err := nets([]string{s}); return err },
		"v4-fixed-ip=10.0.0.1":               func(s string) error { _, err := nets([]string{s}); return err },
		"network=a,v4-fixed-ip=fe80::1":      func(s string) error { _, err := nets([]string{s}); return err },
		"network=a,colour=red":               func(s string) error { _, err := nets([]string{s}); return err },
		"source=a":                           func(s string) error { _, err := mounts([]string{s}); return err },
		"source=a,size=1,destination=/x":     func(s string) error { _, err := mounts([]string{s}); return err },
		"type=bind,source=/no,destination=/": func(s string) error { _, err := mounts([]string{s}); return err },
		"sometimes":                          func(s string) error { _, err := restart(s); return err },
		"always:3":                           func(s string) error { _, err := restart(s); return err },
		"on-failure:x":                       func(s string) error { _, err := restart(s); return err },
		"cmd=a,retries=3s":                   func(s string) error { _, err := healthcheck(s); return err },
		"novalue":                            func(s string) error { _, err := pairs("--label", []string{s}); return err },
	}
	for arg, read := range wrong {
		if err := read(arg); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q gave %v, want one line that says what is wrong", arg, err)
		}
	}
}

func TestArgumentsThatAreRight(t *testing.T) {
	policy, err := restart("on-failure:3")
	if err != nil || *policy != (api.RestartPolicy{Name: "on-failure", MaximumRetryCount: "3"}) {
		t.Errorf("restart: %+v, %v", policy, err)
	}
	health, err := healthcheck("cmd=true,interval=2m,retries=3,timeout=5s")
	if err != nil || *health != (api.HealthRequest{Cmd: "true", Interval: 120, Retries: 3, Timeout: 5}) {
		t.Errorf("healthcheck: %+v, %v", health, err)
	}
	labels, err := pairs("--label", []string{"a=1,b=2;c=x=y"})
	if err != nil || !reflect.DeepEqual(labels, map[string]string{"a": "1", "b": "2", "c": "x=y"}) {
		t.Errorf("pairs: %v, %v", labels, err)
	}
	whole, err := pairs("--label", []string{"a=1,2", "b=3"})
	if err != nil || !reflect.DeepEqual(whole, map[string]string{"a": "1,2", "b": "3"}) {
		t.Errorf("pairs given twice are taken whole: %v, %v", whole, err)
	}
}
