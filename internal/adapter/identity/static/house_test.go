package static_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/go-zun/zun/internal/adapter/identity/static"
	"github.com/go-zun/zun/internal/kit/clock"
	"github.com/go-zun/zun/internal/rest"
)

var _ rest.Identity = (*static.Identity)(nil)

// house is one built-in identity in a directory of its own.
type house struct {
	*static.Identity
	t       testing.TB
	options static.Options
	clock   *clock.Clock
	door    http.Handler
}

func newHouse(tb testing.TB) *house {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "state")
	c := clock.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	h := &house{t: tb, clock: c, options: static.Options{
		UsersFile: dir + "/users.yaml", KeyFile: dir + "/token.key", RevocationFile: dir + "/revoked", OpenRCFile: dir + "/openrc",
		CloudsFile: dir + "/clouds.yaml", IdentityURL: "http://zun.test/identity", ContainerURL: "http://zun.test/v1",
		Region: "RegionOne", TokenLife: time.Hour, Cost: bcrypt.MinCost, Now: c.Now, Log: slog.New(slog.DiscardHandler),
	}}
	h.open()
	return h
}

// open starts the identity, or starts it again.
func (h *house) open() {
	h.t.Helper()
	identity, err := static.Open(h.options)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Identity, h.door = identity, identity.Handler()
}

// another opens a second replica on the same files.
func (h *house) another() *house {
	h.t.Helper()
	replica := *h
	replica.open()
	return &replica
}

func (h *house) read(path string) string {
	h.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(content)
}

func (h *house) edit(path string, replace ...string) {
	h.t.Helper()
	content := strings.NewReplacer(replace...).Replace(h.read(path))
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// password reads the password of user out of clouds.yaml.
func (h *house) password(user string) string {
	h.t.Helper()
	found := regexp.MustCompile(`username: ` + user + `\n +password: (\S+)`).FindStringSubmatch(h.read(h.options.CloudsFile))
	if found == nil {
		h.t.Fatalf("no password of %s in clouds.yaml", user)
	}
	return found[1]
}

// call is one request; reply what came back.
type call struct {
	method, path, body, token, subject, from string
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func (h *house) do(c call) reply {
	h.t.Helper()
	r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
	r.Header.Set("X-Auth-Token", c.token)
	r.Header.Set("X-Subject-Token", c.subject)
	if c.from != "" {
		r.RemoteAddr = c.from + ":1"
	}
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, r)
	content, err := io.ReadAll(w.Result().Body)
	if err != nil {
		h.t.Fatal(err)
	}
	out := reply{status: w.Code, header: w.Header(), text: string(content)}
	if len(content) > 0 {
		if err := json.Unmarshal(content, &out.body); err != nil {
			h.t.Fatalf("%s %s: %v in %q", c.method, c.path, err, content)
		}
	}
	return out
}

// at walks the reply's JSON by names.
func (r reply) at(path ...string) any {
	var value any = r.body
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// byName is the body of a password log-in; scope is JSON or "".
func byName(user, password, scope string) string {
	if scope != "" {
		scope = `,"scope":` + scope
	}
	return `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"` + user +
		`","domain":{"name":"Default"},"password":"` + password + `"}}}` + scope + `}}`
}

// token logs user in to the default project.
func (h *house) token(user string) string {
	h.t.Helper()
	r := h.do(call{method: "POST", path: "/v3/auth/tokens", body: byName(user, h.password(user), "")})
	if r.status != http.StatusCreated {
		h.t.Fatalf("log-in of %s: %d %s", user, r.status, r.text)
	}
	return r.header.Get("X-Subject-Token")
}
