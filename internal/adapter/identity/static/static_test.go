package static_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/identity/static"
	"github.com/go-zun/zun/internal/domain"
)

func TestFirstStart(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{h.options.UsersFile, h.options.KeyFile, h.options.OpenRCFile, h.options.CloudsFile} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", filepath.Base(path), info.Mode())
		}
	}
	if users := h.read(h.options.UsersFile); strings.Contains(users, h.password("admin")) {
		t.Error("the users file holds a password")
	}
	openrc := h.read(h.options.OpenRCFile)
	for _, want := range []string{"OS_AUTH_URL='http://zun.test/identity/v3'", "OS_PASSWORD='" + h.password("admin") + "'", "OS_PROJECT_NAME='admin'"} {
		if !strings.Contains(openrc, want) {
			t.Errorf("openrc lacks %s:\n%s", want, openrc)
		}
	}
	before, clouds := h.token("admin"), h.read(h.options.CloudsFile)
	h.open()
	if h.read(h.options.OpenRCFile) != openrc || h.read(h.options.CloudsFile) != clouds {
		t.Error("the second start wrote the log-in files again")
	}
	if _, err := h.Authenticate(t.Context(), before); err != nil {
		t.Errorf("a token of before the restart: %v", err)
	}
}

func TestFirstStartOfReplicasAtOnce(t *testing.T) {
	h := newHouse(t)
	dir := filepath.Join(t.TempDir(), "shared")
	options := h.options
	options.UsersFile, options.KeyFile, options.RevocationFile = dir+"/users", dir+"/key", dir+"/revoked"
	options.OpenRCFile, options.CloudsFile = "", dir+"/clouds.yaml"
	var wg sync.WaitGroup
	replicas := make([]*static.Identity, 4)
	for n := range replicas {
		wg.Go(func() {
			identity, err := static.Open(options)
			if err != nil {
				t.Error(err)
			}
			replicas[n] = identity
		})
	}
	wg.Wait()
	first := &house{t: t, options: options, clock: h.clock, Identity: replicas[0], door: replicas[0].Handler()}
	token := first.token("admin")
	for n, replica := range replicas {
		if _, err := replica.Authenticate(t.Context(), token); err != nil {
			t.Errorf("replica %d does not know the token: %v", n, err)
		}
	}
}

func TestLostLoginFiles(t *testing.T) {
	h := newHouse(t)
	old := h.token("admin")
	if err := os.Remove(h.options.OpenRCFile); err != nil {
		t.Fatal(err)
	}
	h.open()
	if _, err := os.Stat(h.options.OpenRCFile); err == nil {
		t.Error("openrc was written again, but only hashes are kept")
	}
	password, err := static.ResetPassword(h.options, "admin")
	if err != nil {
		t.Fatal(err)
	}
	h.clock.Step(2 * time.Second)
	if r := h.do(call{method: "POST", path: "/v3/auth/tokens", body: byName("admin", password, "")}); r.status != 201 {
		t.Errorf("log-in with the new password: %d %s", r.status, r.text)
	}
	if r := h.do(call{method: "POST", path: "/v3/auth/tokens", body: byName("admin", h.password("admin"), "")}); r.status != 401 {
		t.Errorf("log-in with the old password: %d", r.status)
	}
	if _, err := h.Authenticate(t.Context(), old); !domain.IsKind(err, domain.Unauthenticated) {
		t.Errorf("a token of the old password: %v", err)
	}
	if _, err := static.ResetPassword(h.options, "nobody"); err == nil {
		t.Error("ResetPassword() of an unknown user succeeded")
	}
}

func TestGrant(t *testing.T) {
	h := newHouse(t)
	password, err := static.Grant(h.options, "carol", "shop", "reader")
	if err != nil || password == "" {
		t.Fatalf("Grant() = %q, %v", password, err)
	}
	if again, err := static.Grant(h.options, "carol", "demo", "member"); err != nil || again != "" {
		t.Errorf("a second grant: %q, %v", again, err)
	}
	h.clock.Step(2 * time.Second)
	for scope, want := range map[string][]string{
		"": {"reader"}, `{"project":{"name":"demo","domain":{"id":"default"}}}`: {"member", "reader"},
	} {
		r := h.do(call{method: "POST", path: "/v3/auth/tokens", body: byName("carol", password, scope)})
		actor, err := h.Authenticate(t.Context(), r.header.Get("X-Subject-Token"))
		if err != nil || !slices.Equal(actor.Roles, want) {
			t.Errorf("scope %q: %d, roles %v, %v", scope, r.status, actor.Roles, err)
		}
	}
	if _, err := h.Authenticate(t.Context(), h.token("demo")); err != nil {
		t.Errorf("another user after the grant: %v", err)
	}
	if _, err := static.Grant(h.options, "carol", "", "member"); err == nil {
		t.Error("a grant without a project succeeded")
	}
}

func TestAuthenticate(t *testing.T) {
	h := newHouse(t)
	token := h.token("demo")
	actor, err := h.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if actor.UserName != "demo" || actor.ProjectName != "demo" || actor.ProjectDomainID != "default" || actor.Token != token ||
		len(actor.ProjectID) != 32 || !slices.Equal(actor.Roles, []string{"member", "reader"}) || actor.IsAdmin {
		t.Errorf("actor = %+v", actor)
	}
	if h.Challenge() != `Keystone uri="http://zun.test/identity/v3"` {
		t.Errorf("challenge = %s", h.Challenge())
	}
	parts := strings.Split(token, ".")
	flipped := parts[0] + "." + parts[1][:8] + "A" + parts[1][9:] + "." + parts[2]
	if flipped == token {
		flipped = parts[0] + "." + parts[1][:8] + "B" + parts[1][9:] + "." + parts[2]
	}
	stranger := newHouse(t)
	for name, bad := range map[string]string{
		"none": "", "junk": "junk", "changed": flipped, "cut": token[:len(token)-1], "no signature": parts[0] + "." + parts[1] + ".",
		"foreign": stranger.token("demo"), "other form": "zun2." + parts[1] + "." + parts[2], "huge": token + strings.Repeat("A", 9000),
	} {
		if _, err := h.Authenticate(t.Context(), bad); !domain.IsKind(err, domain.Unauthenticated) {
			t.Errorf("%s token: %v", name, err)
		}
	}
	h.clock.Step(time.Hour - time.Second)
	if _, err := h.Authenticate(t.Context(), token); err != nil {
		t.Errorf("one second before the end: %v", err)
	}
	h.clock.Step(time.Second)
	if _, err := h.Authenticate(t.Context(), token); !domain.IsKind(err, domain.Unauthenticated) {
		t.Errorf("after the end: %v", err)
	}
}

func TestUnscopedTokenIsNoActor(t *testing.T) {
	h := newHouse(t)
	r := h.do(call{method: "POST", path: "/v3/auth/tokens", body: byName("demo", h.password("demo"), `"unscoped"`)})
	if r.status != 201 || r.at("token", "project") != nil || r.at("token", "catalog") != nil {
		t.Fatalf("unscoped log-in: %d %s", r.status, r.text)
	}
	if _, err := h.Authenticate(t.Context(), r.header.Get("X-Subject-Token")); !domain.IsKind(err, domain.Unauthenticated) {
		t.Errorf("got %v", err)
	}
}

func TestUsersFileIsFollowed(t *testing.T) {
	h := newHouse(t)
	token := h.token("demo")
	const was, without = "    roles:\n      demo:\n        - member", "    roles: {}"
	for _, step := range []struct {
		name, from, to string
		good           bool
	}{
		{"another role", was, "    roles:\n      demo:\n        - reader", true},
		{"a broken file keeps what was known", "users:", "users: [", true},
		{"mended", "users: [", "users:", true},
		{"no role left", "    default_project: demo\n    roles:\n      demo:\n        - reader", without, false},
	} {
		h.edit(h.options.UsersFile, step.from, step.to)
		h.clock.Step(2 * time.Second)
		if _, err := h.Authenticate(t.Context(), token); (err == nil) != step.good {
			t.Errorf("%s: %v\n%s", step.name, err, h.read(h.options.UsersFile))
		}
	}
}

func TestUnusableFiles(t *testing.T) {
	for name, spoil := range map[string]func(h *house){
		"may be read by every user":  func(h *house) { h.must(os.Chmod(h.options.UsersFile, 0o644)) },
		"not found in type":          func(h *house) { h.edit(h.options.UsersFile, "name: admin", "called: admin") },
		"password_hash of user":      func(h *house) { h.edit(h.options.UsersFile, "$2a$", "plain") },
		"is listed twice":            func(h *house) { h.edit(h.options.UsersFile, "name: demo", "name: admin") },
		"which is not listed":        func(h *house) { h.edit(h.options.UsersFile, "      demo:", "      demmo:") },
		"has no role in its default": func(h *house) { h.edit(h.options.UsersFile, "default_project: demo", "default_project: admin") },
		"expected at least 32 bytes": func(h *house) { h.must(os.WriteFile(h.options.KeyFile, []byte("c2hvcnQ="), 0o600)) },
		"token.key may be read":      func(h *house) { h.must(os.Chmod(h.options.KeyFile, 0o604)) },
	} {
		h := newHouse(t)
		spoil(h)
		if _, err := static.Open(h.options); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q, got %v", name, err)
		}
	}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestRevocationOutlivesRestartAndReachesReplicas(t *testing.T) {
	h := newHouse(t)
	replica := h.another()
	token, kept := h.token("demo"), h.token("demo")
	if r := h.do(call{method: "DELETE", path: "/v3/auth/tokens", token: token, subject: token}); r.status != 204 || r.text != "" {
		t.Fatalf("revoke: %d %q", r.status, r.text)
	}
	refused := func(who *house, when string) {
		t.Helper()
		if _, err := who.Authenticate(t.Context(), token); !domain.IsKind(err, domain.Unauthenticated) {
			t.Errorf("%s: the revoked token works: %v", when, err)
		}
		if _, err := who.Authenticate(t.Context(), kept); err != nil {
			t.Errorf("%s: the other token does not work: %v", when, err)
		}
	}
	refused(h, "at once")
	h.clock.Step(2 * time.Second)
	refused(replica, "another replica")
	h.open()
	refused(h, "after a restart")
	// A line torn by a crash must not swallow the next revocation.
	h.must(os.WriteFile(h.options.RevocationFile, []byte(h.read(h.options.RevocationFile)+"half-a-li"), 0o600))
	second := h.token("demo")
	h.do(call{method: "DELETE", path: "/v3/auth/tokens", token: kept, subject: second})
	h.open()
	refused(h, "after a torn line")
	if _, err := h.Authenticate(t.Context(), second); err == nil {
		t.Error("the revocation behind a torn line is lost")
	}
	h.clock.Step(2 * time.Hour)
	h.open()
	if left := h.read(h.options.RevocationFile); left != "" {
		t.Errorf("expired revocations are kept: %q", left)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	h := newHouse(b)
	token := h.token("demo")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Authenticate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
