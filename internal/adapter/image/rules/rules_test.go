package rules_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/image/rules"
	"github.com/go-zun/zun/internal/domain"
)

const pinned = "@sha256:0000000000000000000000000000000000000000000000000000000000000000"

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image-policy.yaml")
	put(t, path, content)
	return path
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func key(t *testing.T, path string) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	put(t, path, text)
	return text
}

func TestJudge(t *testing.T) {
	path := write(t, "")
	want := key(t, filepath.Join(filepath.Dir(path), "release.pub"))
	put(t, path, `
registries: [registry.example:5000, docker.io]
rules:
- {images: ["*/prod/*"], digest: true}
- {images: ["docker.io/library/signed", "*/prod/web"], signed_by: [release.pub]}
`)
	r, err := rules.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ reference, refusal, keys string }{
		{"cirros", "", ""}, {"registry.example:5000/x:1", "", ""}, {"somebody/x", "", ""},
		{"images.example/x", "Image images.example/x comes from the registry images.example, which is not allowed here; allowed: registry.example:5000, docker.io.", ""},
		{"registry.example/x", "Image registry.example/x comes from the registry registry.example, which is not allowed here; allowed: registry.example:5000, docker.io.", ""},
		{"registry.example:5000/prod/a:1", "Image registry.example:5000/prod/a:1 must be named by its digest here, as registry.example:5000/prod/a@sha256:...", ""},
		{"registry.example:5000/prod/a" + pinned, "", ""}, {"registry.example:5000/prod/a:1" + pinned, "", ""},
		{"signed", "", want}, {"docker.io/library/signed:2", "", want}, {"signed/x", "", ""},
		{"registry.example:5000/prod/web" + pinned, "", want},
	} {
		keys, err := r.Judge(c.reference)
		if c.refusal != "" {
			if !domain.IsKind(err, domain.Forbidden) || domain.AsFault(err).Message != c.refusal {
				t.Errorf("%s: %v", c.reference, err)
			}
			continue
		}
		if err != nil || strings.Join(keys, "") != c.keys {
			t.Errorf("%s: %d keys, %v", c.reference, len(keys), err)
		}
	}
}

func TestAPolicyIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	r, err := rules.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	judge := func(refused bool) {
		t.Helper()
		if _, err := r.Judge("cirros"); (err != nil) != refused {
			t.Errorf("refused: %v", err)
		}
	}
	later := time.Now()
	change := func(content string) {
		put(t, path, content)
		later = later.Add(time.Second)
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
	}
	judge(false)
	change("registries: [images.example]\n")
	judge(true)
	change("registries: what\n") // wrong: the former holds
	judge(true)
	change("") // an editor is about to write it
	judge(true)
	change("registries: [docker.io]\n")
	judge(false)
	change("registries: [images.example]\n")
	judge(true)
	if err := os.Remove(path); err != nil { // lost, or about to be replaced
		t.Fatal(err)
	}
	judge(true)
	change("# none\n")
	judge(false)
}

func TestWrongPoliciesAreExplained(t *testing.T) {
	for content, want := range map[string]string{
		"rule: []\n":                                       "field rule not found",
		"rules: [{digest: true}]\n":                        "rule 1: images names no pattern",
		"rules: [{images: [x]}]\n":                         "rule 1: it demands nothing",
		"rules: [{images: [x], signed_by: [none]}]\n":      "rule 1: read key",
		"rules: [{images: [x], signed_by: [/dev/null]}]\n": "/dev/null holds no public key in PEM form",
	} {
		path := write(t, content)
		var out strings.Builder
		if err := rules.Check(&out, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", content, err)
		}
		if _, err := rules.Open(path, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%q was opened", content)
		}
	}
	var out strings.Builder
	if err := rules.Check(&out, write(t, rules.Sample)); err != nil || !strings.Contains(out.String(), "is right") {
		t.Errorf("the sample: %q, %v", out.String(), err)
	}
	out.Reset()
	if err := rules.Check(&out, "/nowhere/policy.yaml"); err != nil || out.String() != "/nowhere/policy.yaml is not there: nothing is demanded of images\n" {
		t.Errorf("a missing one: %q, %v", out.String(), err)
	}
}
