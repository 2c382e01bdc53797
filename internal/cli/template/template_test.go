package template_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/cli/template"
)

const pod = "kind: capsule\nmetadata: {name: web}\nspec:\n  containers:\n  - image: nginx\n"

func TestATemplateComesFromAFileOrTheWeb(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pod.yaml")
	if err := os.WriteFile(file, []byte(pod), 0o600); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/pod.json" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"kind": "capsule", "metadata": {"name": "web"}}`))
	}))
	defer web.Close()
	for _, location := range []string{file, "file://" + file, web.URL + "/pod.json"} {
		got, err := template.Read(t.Context(), location)
		if err != nil || got["kind"] != "capsule" {
			t.Errorf("%s: %v, %v", location, got, err)
		}
	}
	for location, want := range map[string]string{
		file + ".gone":          "no such file",
		web.URL + "/other.json": "404 Not Found",
		"ftp://example/x":       "only files and addresses",
		"http://127.0.0.1:1/x":  "connection refused",
	} {
		if _, err := template.Read(t.Context(), location); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", location, err, want)
		}
	}
}

func TestWhatIsNoTemplateIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "empty",
		"- a":                                   "cannot unmarshal",
		"a: [":                                  "line 1",
		"a: {1: b}":                             "no JSON",
		"a: .inf":                               "no JSON",
		strings.Repeat("#", template.Longest+1): "longer than",
	} {
		if got, err := template.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, %v, want %q", text, got, err, want)
		}
	}
}

// FuzzParse holds that whatever is read as a template can be sent.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{pod, `{"kind": "capsule"}`, "a: &a [*a]", "a: &x {b: 1}\nc: *x", "a: .nan", "? [a]\n: b", "a: !!binary aGk=", "a: 2001-01-01"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := template.Parse(text)
		if err != nil {
			return
		}
		if _, err := json.Marshal(got); err != nil || len(got) == 0 {
			t.Errorf("%q is read as %v, which cannot be sent: %v", text, got, err)
		}
	})
}
