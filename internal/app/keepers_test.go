package app

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/adapter/policy"
	"github.com/go-zun/zun/internal/adapter/seal"
	"github.com/go-zun/zun/internal/cli/usage"
	"github.com/go-zun/zun/internal/config"
)

// run runs zun-api with args on the state directory and returns its failure.
func run(t *testing.T, state string, args ...string) error {
	t.Helper()
	cmd := serviceCommand("zun-api", "", API, []chore{Rules(), Seal(), People()})
	return usage.Execute(context.Background(), cmd, append(args, "--config-file", os.DevNull, "--set", "DEFAULT.state_path="+state))
}

func TestTheKeyIsRotatedWithoutLosingWhatItSealed(t *testing.T) {
	state := t.TempDir()
	file := filepath.Join(state, "seal.key")
	before, err := seal.Open(file, true)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := before.Seal([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t, state, "seal", "rotate"); err != nil {
		t.Fatal(err)
	}
	now, err := os.ReadFile(file)
	if err != nil || !strings.HasSuffix(string(now), string(old)) || len(now) <= len(old) {
		t.Errorf("the file holds %q after %q: %v", now, old, err)
	}
	after, err := seal.Open(file, false)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := after.Open(sealed); err != nil || string(plain) != "secret" {
		t.Errorf("opened %q, %v", plain, err)
	}
}

func TestPolicyFilesAreChecked(t *testing.T) {
	state := t.TempDir()
	good, bad := filepath.Join(state, "good.yaml"), filepath.Join(state, "bad.yaml")
	for file, content := range map[string]string{good: `"image:pull": "rule:admin_or_owner"`, bad: `"image:pull": "rule:"`} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(t, state, "policy", "check", good); err != nil {
		t.Errorf("a good file: %v", err)
	}
	for _, file := range []string{bad, filepath.Join(state, "none.yaml")} {
		if err := run(t, state, "policy", "check", file); err == nil {
			t.Errorf("%s passes", file)
		}
	}
	var sample strings.Builder
	if err := policy.PrintSample(&sample); err != nil || !strings.Contains(sample.String(), `#"image:pull"`) {
		t.Errorf("sample %v", err)
	}
	if err := run(t, state, "policy", "sample"); err != nil {
		t.Error(err)
	}
}

func TestRolesAreGrantedToNewUsers(t *testing.T) {
	s := t.TempDir()
	c, _, err := config.Load(config.Source{Files: []string{os.DevNull}, Set: []string{"DEFAULT.state_path=" + s}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openIdentity(c, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := run(t, s, "user", "grant", "ann", "shop", "member"); err != nil {
		t.Fatal(err)
	}
	if err := run(t, s, "user", "password", "ann"); err != nil {
		t.Error(err)
	}
	if err := run(t, s, "user", "password", "nobody"); err == nil {
		t.Error("an unknown user has a new password")
	}
}
