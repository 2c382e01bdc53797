package policy

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
)

// FuzzFile reads any text as a file of policies: it is refused with a reason, or every
// rule of the service can be judged by it; nobody is an administrator by accident.
func FuzzFile(f *testing.F) {
	for _, text := range []string{
		"", "# nothing", `"container:create": "role:member"`, `{"context_is_admin": "role:boss"}`, "context_is_admin: '!'", "a: [[role:b, '@'], [\"!\"]]",
		"container:get_one: rule:container:get_one", "a: &x role:b\nb: *x", "admin_or_owner: \"project_id:%(project_id)s and not role:reader\"", "- a", "a: {b: c}", "? [a]\n: b",
	} {
		f.Add([]byte(text))
	}
	file := filepath.Join(f.TempDir(), "policy.yaml")
	nobody := domain.Actor{UserID: "u", ProjectID: "p"}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := Open(Options{File: file, Required: true, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a reason")
			}
			return
		}
		for _, row := range Rules() {
			p.Allowed(row.Name, nobody, rest.Target{ProjectID: "p", UserID: "u"})
		}
		if p.Allowed("no:such:rule", nobody, rest.Target{}) {
			t.Errorf("%q allows what no rule names", text)
		}
	})
}
