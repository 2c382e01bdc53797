package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-zun/zun/internal/adapter/seal"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

var _ control.Secrets = (*seal.Sealer)(nil)

func open(t *testing.T, path string) *seal.Sealer {
	t.Helper()
	s, err := seal.Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustSeal(t *testing.T, s *seal.Sealer, plain string) []byte {
	t.Helper()
	sealed, err := s.Seal([]byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealAndOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "seal.key")
	s := open(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info, err)
	}
	for _, plain := range []string{"", "hunter2", strings.Repeat("long ", 10_000)} {
		sealed := mustSeal(t, s, plain)
		if len(plain) > 0 && bytes.Contains(sealed, []byte(plain)) {
			t.Error("the secret stands in what is sealed")
		}
		if bytes.Equal(sealed, mustSeal(t, s, plain)) {
			t.Error("the same secret is sealed the same way twice")
		}
		for name, who := range map[string]*seal.Sealer{"same": s, "after a restart": open(t, path)} {
			if got, err := who.Open(sealed); err != nil || string(got) != plain {
				t.Errorf("%s: got %.20q, %v", name, got, err)
			}
		}
	}
}

func TestWhatDoesNotFit(t *testing.T) {
	dir := t.TempDir()
	s, stranger := open(t, filepath.Join(dir, "a")), open(t, filepath.Join(dir, "b"))
	sealed := mustSeal(t, s, "hunter2")
	forged := bytes.Clone(sealed)
	forged[len(forged)-1] ^= 1
	for name, c := range map[string]struct {
		who    *seal.Sealer
		sealed []byte
		says   string
	}{
		"another key":  {stranger, sealed, "which is not in " + filepath.Join(dir, "b")},
		"changed":      {s, forged, "does not fit, or the data is damaged"},
		"cut":          {s, sealed[:12], "does not fit, or the data is damaged"},
		"empty":        {s, nil, "was not sealed by this service"},
		"plain text":   {s, []byte("hunter2"), "was not sealed by this service"},
		"another form": {s, append([]byte{2}, sealed[1:]...), "was not sealed by this service"},
		"long id":      {s, []byte{1, 200, 'x'}, "was not sealed by this service"},
	} {
		_, err := c.who.Open(c.sealed)
		if !domain.IsKind(err, domain.Internal) || !strings.Contains(err.Error(), c.says) || domain.AsFault(err).Code != "secret-unreadable" {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

func TestSameIDWithAnotherKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	sealed := mustSeal(t, open(t, path), "hunter2")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(string(content), " ")
	other := id + " " + strings.Repeat("A", 43) + "=\n"
	if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, path).Open(sealed); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("got %v", err)
	}
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	running := open(t, path)
	old := mustSeal(t, running, "old")
	if err := seal.Rotate(path); err != nil {
		t.Fatal(err)
	}
	restarted := open(t, path)
	fresh := mustSeal(t, restarted, "new")
	if bytes.Equal(old[:10], fresh[:10]) {
		t.Error("the new key does not seal")
	}
	for name, who := range map[string]*seal.Sealer{"running": running, "restarted": restarted} {
		for want, sealed := range map[string][]byte{"old": old, "new": fresh} {
			if got, err := who.Open(sealed); err != nil || string(got) != want {
				t.Errorf("%s replica opens %s: %q, %v", name, want, got, err)
			}
		}
	}
	if err := seal.Rotate(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("Rotate() of no file succeeded")
	}
}

func TestUnusableKeyFiles(t *testing.T) {
	good := strings.Repeat("A", 43) + "="
	for content, want := range map[string]string{
		"":                                   "holds no key",
		"# nothing\n\n":                      "holds no key",
		"id":                                 `line 1: expected "id key"`,
		"a " + good + "\nb short\n":          "line 2: expected a key of 32 bytes in base64",
		"a c2hvcnQ=":                         "expected a key of 32 bytes",
		"a " + good + "\n\na " + good:        "line 3: the id a stands there already",
		strings.Repeat("i", 65) + " " + good: `expected "id key"`,
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.Open(path, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "key")
	if _, err := seal.Open(path, false); err == nil || !strings.Contains(err.Error(), "find key file") {
		t.Errorf("a missing file: %v", err)
	}
	open(t, path)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Open(path, true); err == nil || !strings.Contains(err.Error(), "chmod 0600") {
		t.Errorf("a file for everybody: %v", err)
	}
}

func TestReplicasStartingAtOnceShareOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	var wg sync.WaitGroup
	sealers := make([]*seal.Sealer, 8)
	for n := range sealers {
		wg.Go(func() {
			s, err := seal.Open(path, true)
			if err != nil {
				t.Error(err)
			}
			sealers[n] = s
		})
	}
	wg.Wait()
	sealed := mustSeal(t, sealers[0], "shared")
	for _, s := range sealers {
		if got, err := s.Open(sealed); err != nil || string(got) != "shared" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("drafts are left: %v, %v", left, err)
	}
}

func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "key")
	s, err := seal.Open(path, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{1, 0})
	f.Add([]byte{1, 8, 'a'})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if plain, err := s.Open(sealed); err == nil {
			t.Errorf("%q opens as %q", sealed, plain)
		}
	})
}
