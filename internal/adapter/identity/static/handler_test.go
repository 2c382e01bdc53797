package static_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestLoginForms(t *testing.T) {
	h := newHouse(t)
	password := h.password("demo")
	project := h.do(call{method: "GET", path: "/v3/auth/projects", token: h.token("demo")})
	list, ok := project.at("projects").([]any)
	if !ok || len(list) != 1 {
		t.Fatalf("projects of demo: %s", project.text)
	}
	first, _ := list[0].(map[string]any)
	id := fmt.Sprint(first["id"])
	token := h.token("demo")
	userID := fmt.Sprint(h.do(call{method: "GET", path: "/v3/auth/tokens", token: token, subject: token}).at("token", "user", "id"))
	byToken := `{"auth":{"identity":{"methods":["token"],"token":{"id":"` + token + `"}}%s}}`
	byID := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"` + userID + `","password":"` + password + `"}}}}}`
	for name, body := range map[string]string{
		"default project":        byName("demo", password, ""),
		"project by id":          byName("demo", password, `{"project":{"id":"`+id+`"}}`),
		"project by name":        byName("demo", password, `{"project":{"name":"demo","domain":{"id":"default"}}}`),
		"project by domain name": byName("demo", password, `{"project":{"name":"demo","domain":{"name":"Default"}}}`),
		"user by id":             byID,
		"token":                  fmt.Sprintf(byToken, ""),
		"token to a project":     fmt.Sprintf(byToken, `,"scope":{"project":{"id":"`+id+`"}}`),
	} {
		r := h.do(call{method: "POST", path: "/v3/auth/tokens", body: body})
		if r.status != 201 || r.at("token", "project", "id") != id || r.header.Get("X-Subject-Token") == "" {
			t.Errorf("%s: %d %s", name, r.status, r.text)
			continue
		}
		if actor, err := h.Authenticate(t.Context(), r.header.Get("X-Subject-Token")); err != nil || actor.ProjectID != id {
			t.Errorf("%s: the token gives %+v, %v", name, actor, err)
		}
	}
}

func TestLoginRefusals(t *testing.T) {
	h := newHouse(t)
	password := h.password("demo")
	const required = "The request you have made requires authentication."
	for name, c := range map[string]struct {
		body, message string
		status        int
	}{
		"wrong password":      {byName("demo", "wrong", ""), required, 401},
		"empty password":      {byName("demo", "", ""), required, 401},
		"unknown user":        {byName("nobody", password, ""), required, 401},
		"another domain":      {strings.ReplaceAll(byName("demo", password, ""), "Default", "Other"), required, 401},
		"user without domain": {strings.ReplaceAll(byName("demo", password, ""), `"domain":{"name":"Default"},`, ""), required, 401},
		"foreign project":     {byName("demo", password, `{"project":{"name":"admin","domain":{"id":"default"}}}`), required, 401},
		"unknown project":     {byName("demo", password, `{"project":{"id":"feed"}}`), required, 401},
		"domain scope":        {byName("demo", password, `{"domain":{"id":"default"}}`), "tokens for projects only", 401},
		"system scope":        {byName("demo", password, `{"system":{"all":true}}`), "tokens for projects only", 401},
		"unknown method":      {`{"auth":{"identity":{"methods":["totp"]}}}`, "unsupported method", 401},
		"bad token":           {`{"auth":{"identity":{"methods":["token"],"token":{"id":"x"}}}}`, required, 401},
		"no auth":             {`{}`, "'auth' is a required property", 400},
		"no methods":          {`{"auth":{"identity":{}}}`, "'methods' is a required property", 400},
		"no password object":  {`{"auth":{"identity":{"methods":["password"]}}}`, "needs the object of its name", 400},
		"no JSON":             {`{"auth":`, "no JSON", 400},
		"wrong types":         {`{"auth":{"identity":{"methods":"password"}}}`, "no JSON", 400},
		"scope is a number":   {byName("demo", password, `7`), "no JSON", 400},
		"too large":           {`{"auth":"` + strings.Repeat("x", 70_000) + `"}`, "too large", 413},
		"long name":           {byName(strings.Repeat("x", 300), password, ""), required, 401},
	} {
		r := h.do(call{method: "POST", path: "/v3/auth/tokens", body: c.body, from: "192.0.2." + strconv.Itoa(len(name))})
		message := fmt.Sprint(r.at("error", "message"))
		if r.status != c.status || !strings.Contains(message, c.message) || r.at("error", "code") != float64(c.status) ||
			r.at("error", "title") != http.StatusText(c.status) {
			t.Errorf("%s: %d %s, want %d %q", name, r.status, r.text, c.status, c.message)
		}
		if challenged := r.header.Get("WWW-Authenticate") != ""; challenged != (r.status == 401) {
			t.Errorf("%s: challenge %v", name, challenged)
		}
	}
}

func TestTokenReply(t *testing.T) {
	h := newHouse(t)
	r := h.do(call{method: "POST", path: "/v3/auth/tokens", body: byName("admin", h.password("admin"), "")})
	if r.at("token", "issued_at") != "2026-11-23T12:00:00.000000Z" || r.at("token", "expires_at") != "2026-11-23T13:00:00.000000Z" {
		t.Errorf("times: %s", r.text)
	}
	if r.at("token", "user", "domain", "name") != "Default" || r.at("token", "is_domain") != false || r.header.Get("Vary") != "X-Auth-Token" {
		t.Errorf("token: %s", r.text)
	}
	var roles []string
	for _, role := range list(r.at("token", "roles")) {
		roles = append(roles, fmt.Sprint(role["name"]))
	}
	if !slices.Equal(roles, []string{"admin", "manager", "member", "reader"}) {
		t.Errorf("roles = %v", roles)
	}
	urls := map[string]string{}
	for _, service := range list(r.at("token", "catalog")) {
		for _, endpoint := range list(service["endpoints"]) {
			urls[fmt.Sprint(service["type"], " ", endpoint["interface"])] = fmt.Sprint(endpoint["url"])
		}
	}
	if urls["container public"] != "http://zun.test/v1" || urls["identity admin"] != "http://zun.test/identity/v3" || len(urls) != 6 {
		t.Errorf("catalog = %v", urls)
	}
	bare := h.do(call{method: "POST", path: "/v3/auth/tokens?nocatalog", body: byName("admin", h.password("admin"), "")})
	if bare.at("token", "catalog") != nil {
		t.Error("nocatalog is not followed")
	}
}

// list reads a JSON array of objects.
func list(value any) []map[string]any {
	var out []map[string]any
	items, _ := value.([]any)
	for _, item := range items {
		if object, ok := item.(map[string]any); ok {
			out = append(out, object)
		}
	}
	return out
}

func TestTokenMadeFromTokenDoesNotOutliveIt(t *testing.T) {
	h := newHouse(t)
	token := h.token("demo")
	h.clock.Step(30 * time.Minute)
	r := h.do(call{method: "POST", path: "/v3/auth/tokens", body: `{"auth":{"identity":{"methods":["token"],"token":{"id":"` + token + `"}}}}`})
	if r.at("token", "expires_at") != "2026-11-23T13:00:00.000000Z" {
		t.Errorf("expires at %v", r.at("token", "expires_at"))
	}
}

func TestLookups(t *testing.T) {
	h := newHouse(t)
	admin, demo := h.token("admin"), h.token("demo")
	who, err := h.Authenticate(t.Context(), demo)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, token, holds string
		status             int
	}{
		{"/v3/auth/tokens", demo, `"name":"demo"`, 200},
		{"/v3/auth/catalog", demo, `"type":"container"`, 200},
		{"/v3/auth/projects", demo, `"self":"http://zun.test/identity/v3/auth/projects"`, 200},
		{"/v3/auth/domains", demo, `"domains":[]`, 200},
		{"/v3/projects", admin, `"name":"demo"`, 200},
		{"/v3/projects?name=demo", admin, `"projects":[{"id":"` + who.ProjectID, 200},
		{"/v3/projects?domain_id=other", admin, `"projects":[]`, 200},
		{"/v3/projects", demo, "not authorized", 403},
		{"/v3/projects/" + who.ProjectID, demo, `"enabled":true`, 200},
		{"/v3/projects/unknown", demo, "not authorized", 403},
		{"/v3/projects/unknown", admin, "Could not find project: unknown.", 404},
		{"/v3/users", admin, `"name":"admin"`, 200},
		{"/v3/users", demo, "not authorized", 403},
		{"/v3/users/" + who.UserID, demo, `"default_project_id":"` + who.ProjectID, 200},
		{"/v3/users/" + who.UserID + "/projects", demo, `"name":"demo"`, 200},
		{"/v3/users/unknown", admin, "Could not find user: unknown.", 404},
		{"/v3/users/unknown", demo, "not authorized", 403},
		{"/v3/roles", demo, `"name":"reader"`, 200},
		{"/v3/roles/admin", demo, `"id":"admin"`, 200},
		{"/v3/roles/none", demo, "Could not find role", 404},
		{"/v3/domains?name=Default", demo, `"id":"default"`, 200},
		{"/v3/domains/default", demo, `"name":"Default"`, 200},
		{"/v3/domains/none", demo, "Could not find domain", 404},
		{"/v3/groups", admin, "could not be found", 404},
		{"/v3/projects", "junk", "requires authentication", 401},
		{"/v3/projects", "", "requires authentication", 401},
	} {
		r := h.do(call{method: "GET", path: c.path, token: c.token, subject: demo})
		if r.status != c.status || !strings.Contains(r.text, c.holds) {
			t.Errorf("GET %s: %d %s, want %d with %s", c.path, r.status, r.text, c.status, c.holds)
		}
	}
}

func TestAskingAboutTokens(t *testing.T) {
	h := newHouse(t)
	admin, demo := h.token("admin"), h.token("demo")
	for _, c := range []struct {
		method, token, subject string
		status                 int
	}{
		{"GET", admin, demo, 200},
		{"HEAD", admin, demo, 200},
		{"GET", demo, demo, 200},
		{"GET", demo, admin, 403},
		{"DELETE", demo, admin, 403},
		{"GET", admin, "junk", 404},
		{"DELETE", admin, "", 404},
		{"GET", "junk", demo, 401},
		{"DELETE", admin, demo, 204},
		{"GET", admin, demo, 404},
	} {
		if r := h.do(call{method: c.method, path: "/v3/auth/tokens", token: c.token, subject: c.subject}); r.status != c.status {
			t.Errorf("%s as %.20s of %.20s: %d %s, want %d", c.method, c.token, c.subject, r.status, r.text, c.status)
		}
	}
}

func TestDiscovery(t *testing.T) {
	h := newHouse(t)
	server := httptest.NewServer(http.StripPrefix("/identity", h.door))
	defer server.Close()
	for path, want := range map[string]int{"/identity": 300, "/identity/": 300, "/identity/v3": 200, "/identity/v3/": 200} {
		got, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		var body map[string]any
		err = json.NewDecoder(got.Body).Decode(&body)
		if got.StatusCode != want || err != nil || !strings.Contains(fmt.Sprint(body), "http://zun.test/identity/v3/") {
			t.Errorf("GET %s: %d %v %v", path, got.StatusCode, body, err)
		}
		h.must(got.Body.Close())
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	h := newHouse(t)
	guess := func(user, password, from string) reply {
		return h.do(call{method: "POST", path: "/v3/auth/tokens", body: byName(user, password, ""), from: from})
	}
	for range 5 {
		if r := guess("admin", "wrong", "198.51.100.1"); r.status != 401 {
			t.Fatalf("a first failure: %d", r.status)
		}
	}
	r := guess("admin", h.password("admin"), "198.51.100.1")
	if r.status != 429 || r.header.Get("Retry-After") != "1" || r.header.Get("WWW-Authenticate") != "" {
		t.Errorf("after five failures: %d %v", r.status, r.header)
	}
	if r := guess("admin", h.password("admin"), "198.51.100.2"); r.status != 201 {
		t.Errorf("the same user from elsewhere: %d, strangers must not lock it out", r.status)
	}
	if r := guess("demo", h.password("demo"), "198.51.100.1"); r.status != 201 {
		t.Errorf("another user from there: %d", r.status)
	}
	h.clock.Step(time.Second)
	if r := guess("admin", "wrong", "198.51.100.1"); r.status != 401 {
		t.Errorf("after the wait: %d", r.status)
	}
	if r := guess("admin", "wrong", "198.51.100.1"); r.header.Get("Retry-After") != "2" {
		t.Errorf("the wait does not grow: %v", r.header)
	}
	h.clock.Step(2 * time.Second)
	if r := guess("admin", h.password("admin"), "198.51.100.1"); r.status != 201 {
		t.Errorf("the right password after the wait: %d", r.status)
	}
	for n := range 50 {
		guess(fmt.Sprint("user", n), "wrong", "203.0.113.9")
	}
	if r := guess("demo", h.password("demo"), "203.0.113.9"); r.status != 429 {
		t.Errorf("a source that tried fifty names: %d", r.status)
	}
}

// TestAUserIsGuessedNoMoreOftenByOtherWords: beside an id, a name says nothing, and an id
// names the same user as its name.
func TestAUserIsGuessedNoMoreOftenByOtherWords(t *testing.T) {
	h := newHouse(t)
	known := h.do(call{method: "POST", path: "/v3/auth/tokens", body: byName("admin", h.password("admin"), ""), from: "198.51.100.2"})
	id := fmt.Sprint(known.at("token", "user", "id"))
	guess := func(user string) int {
		body := `{"auth":{"identity":{"methods":["password"],"password":{"user":{` + user + `,"password":"wrong"}}}}}`
		return h.do(call{method: "POST", path: "/v3/auth/tokens", body: body, from: "198.51.100.1"}).status
	}
	for n := range 5 {
		if got := guess(fmt.Sprintf(`"id":%q,"name":"x%d"`, id, n)); got != 401 {
			t.Fatalf("a first failure: %d", got)
		}
	}
	for _, user := range []string{`"id":"` + id + `","name":"y"`, `"id":"` + id + `"`, `"name":"admin","domain":{"id":"default"}`} {
		if got := guess(user); got != 429 {
			t.Errorf("after five failures %s: %d", user, got)
		}
	}
}

func FuzzLogin(f *testing.F) {
	f.Add(byName("demo", "x", `{"project":{"name":"demo","domain":{"id":"default"}}}`))
	f.Add(`{"auth":{"identity":{"methods":["token","password"],"token":{"id":"zun1.e30.AA"},"password":{"user":null}},"scope":[]}}`)
	h := newHouse(f)
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		h.door.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v3/auth/tokens", strings.NewReader(body)))
		if w.Code >= 500 {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
		if _, err := h.Authenticate(t.Context(), body); err == nil {
			t.Errorf("%q is taken for a token", body)
		}
	})
}
