package cli_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestCommitTakesARegistryWithAPort holds where the tag begins.
func TestCommitTakesARegistryWithAPort(t *testing.T) {
	for given, want := range map[string][2]string{
		"app":                      {"app", ""},
		"app:v1":                   {"app", "v1"},
		"reg.example:5000/app":     {"reg.example:5000/app", ""},
		"reg.example:5000/a/app:2": {"reg.example:5000/a/app", "2"},
	} {
		s, code, _, errs := run(t, "commit", "web", given)
		if code != 0 {
			t.Fatalf("%s: %d %q", given, code, errs)
		}
		asked, err := url.Parse(strings.Fields(s.requests[len(s.requests)-1])[1])
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{asked.Query().Get("repository"), asked.Query().Get("tag")}; got != want {
			t.Errorf("%s: asked for %v, want %v", given, got, want)
		}
	}
}
