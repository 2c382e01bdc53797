package policy_test

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/policy"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/kit/clock"
	"github.com/go-zun/zun/internal/kit/printed"
	"github.com/go-zun/zun/internal/rest"
)

var (
	_      rest.Policy = (*policy.Policy)(nil)
	update             = flag.Bool("update", false, "write docs/reference/policy.md anew")
)

// files is a directory with a policy file and policy.d.
type files struct {
	t       *testing.T
	dir     string
	clock   *clock.Clock
	log     *strings.Builder
	options policy.Options
}

func newFiles(t *testing.T, content string) *files {
	t.Helper()
	f := &files{t: t, dir: t.TempDir(), clock: clock.At(time.Unix(1_000_000, 0)), log: &strings.Builder{}}
	f.options = policy.Options{File: f.dir + "/policy.yaml", Dirs: []string{f.dir + "/policy.d"}, Now: f.clock.Now,
		Log: slog.New(slog.NewTextHandler(f.log, nil))}
	if content != "" {
		f.write("policy.yaml", content)
	}
	return f
}

func (f *files) write(name, content string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *files) open() *policy.Policy {
	f.t.Helper()
	p, err := policy.Open(f.options)
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// own is an object of the actors' project, other one of another project.
var (
	own   = rest.Target{ProjectID: "p1", UserID: "u1"}
	other = rest.Target{ProjectID: "p2", UserID: "u2"}
)

func actor(roles ...string) domain.Actor {
	return domain.Actor{UserID: "u1", UserName: "alice", ProjectID: "p1", ProjectName: "one", Roles: roles}
}

func TestDefaults(t *testing.T) {
	p := newFiles(t, "").open()
	admin, member, reader := actor("admin", "member", "reader"), actor("member", "reader"), actor("reader")
	manager, legacy, nobody := actor("manager", "member", "reader"), actor("_member_"), actor()
	foreign := other
	for _, c := range []struct {
		rule   string
		target rest.Target
		yes    []domain.Actor
		no     []domain.Actor
	}{
		{"container:get_one", own, []domain.Actor{admin, member, manager, reader, legacy, nobody}, nil},
		{"container:get_one", foreign, []domain.Actor{admin}, []domain.Actor{member, manager, reader, legacy}},
		{"container:create", own, []domain.Actor{admin, member, manager, legacy, nobody}, []domain.Actor{reader}},
		{"container:delete", foreign, []domain.Actor{admin}, []domain.Actor{member, manager, reader, legacy}},
		{"container:logs", own, []domain.Actor{reader, member}, nil},
		{"container:execute", own, []domain.Actor{member}, []domain.Actor{reader}},
		{"container:get_archive", own, []domain.Actor{member}, []domain.Actor{reader}},
		{"registry:create", own, []domain.Actor{member}, []domain.Actor{reader}},
		{"capsule:get_all", own, []domain.Actor{reader}, nil},
		{"container:get_one:host", own, []domain.Actor{admin}, []domain.Actor{member, manager, reader}},
		{"host:get_all", own, []domain.Actor{admin}, []domain.Actor{manager, member}},
		{"container:create:privileged", own, nil, []domain.Actor{admin, member}},
		{"network:create", own, []domain.Actor{admin, actor("ADMIN")}, []domain.Actor{member}},
		{"no:such:rule", own, nil, []domain.Actor{admin}},
		{"container:get_one", rest.Target{}, []domain.Actor{admin}, []domain.Actor{member, {}}},
	} {
		for _, who := range c.yes {
			if !p.Allowed(c.rule, who, c.target) {
				t.Errorf("%s on %v is refused to %v", c.rule, c.target, who.Roles)
			}
		}
		for _, who := range c.no {
			if p.Allowed(c.rule, who, c.target) {
				t.Errorf("%s on %v is allowed to %v", c.rule, c.target, who.Roles)
			}
		}
	}
	if !p.IsAdmin(admin) || p.IsAdmin(manager) {
		t.Error("IsAdmin() is wrong")
	}
	if !p.Allowed("host:get_all", actor("admin"), rest.Target{}) || !p.Allowed("container:get_one", domain.SystemActor("req-1"), other) {
		t.Error("an administrator needs no target, and the system is one")
	}
}

// TestDefaultsAreTheOriginals holds the table against the original's, of which
// testdata lists name and default. Where the original says admin_or_owner, ours is that
// or its form without mere readers.
func TestDefaultsAreTheOriginals(t *testing.T) {
	content, err := os.ReadFile("testdata/original-rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]policy.Rule{}
	for _, rule := range policy.Rules() {
		if _, twice := ours[rule.Name]; twice || rule.Help == "" || (len(rule.Operations) == 0) != !strings.Contains(rule.Name, ":") {
			t.Errorf("row %+v is listed twice or not whole", rule)
		}
		ours[rule.Name] = rule
	}
	words := map[string][]string{"admin_or_owner": {"rule:admin_or_owner", "rule:admin_or_writer"}, "admin": {"rule:admin_api"}, "nobody": {"rule:deny_everybody"}}
	for line := range strings.Lines(string(content)) {
		name, want, _ := strings.Cut(strings.TrimSpace(line), " ")
		accepted := words[want]
		if accepted == nil {
			accepted = []string{strings.ReplaceAll(want, "_or_", " or ")}
		}
		if rule, known := ours[name]; !known || !slices.Contains(accepted, rule.Default) {
			t.Errorf("%s: original %q, ours %q", name, want, rule.Default)
		}
		delete(ours, name)
	}
	for name, rule := range ours {
		if strings.HasSuffix(rule.Help, "(extension)") {
			delete(ours, name)
		}
	}
	if len(ours) != 2 {
		t.Errorf("rules that the original does not have: %v", ours)
	}
}

func TestLanguage(t *testing.T) {
	for text, want := range map[string]bool{
		`""`: true, `"@"`: true, `"!"`: false, `"not !"`: true, `"not not @"`: true,
		`"role:member"`: true, `"role:MEMBER"`: true, `"role:admin"`: false,
		`"role:admin or role:member"`: true, `"role:admin and role:member"`: false,
		`"role:member or role:admin and !"`: true, `"(role:member or role:admin) and !"`: false,
		`"not role:admin and role:member"`: true, `"not (role:admin or role:member)"`: false,
		`"((role:member))"`: true, `"( role:member )"`: true, `"role:member AND NOT role:admin"`: true,
		`"project_id:%(project_id)s"`: true, `"(project_id:%(project_id)s)"`: true, `"user_id:%(user_id)s and project_id:p1"`: true,
		`"project_id:%(user_id)s"`: false, `"tenant:%(tenant_id)s"`: true, `"user_name:alice"`: true,
		`"is_admin:True"`: false, `"is_admin:False"`: true, `"roles:member"`: true, `"project_name:one"`: true,
		`"'p1':%(project_id)s"`: true, `"'p2':%(project_id)s"`: false, `"True:True"`: true, `"1:2"`: false, `"None:None"`: true,
		`"user_domain_id:x"`: false, `"rule:yes"`: true, `"rule:no or rule:yes"`: true,
		`[]`: true, `["@"]`: true, `["!", "role:member"]`: true, `[["role:member", "role:admin"]]`: false,
		`[["role:admin"], ["role:member", "project_id:%(project_id)s"]]`: true, `[[]]`: false, `[[], ["@"]]`: true,
	} {
		f := newFiles(t, "\"test\": "+text+"\n\"yes\": \"@\"\n\"no\": \"!\"\n")
		if got := f.open().Allowed("test", actor("member"), own); got != want {
			t.Errorf("%s = %v, want %v", text, got, want)
		}
	}
}

func TestUnusableFiles(t *testing.T) {
	for content, want := range map[string]string{
		`"a": "role:x or"`:                             `policy.yaml:1: rule a: the rule ends where a check is expected`,
		"\n\n\"a\": \"role:x role:y\"":                 `policy.yaml:3: rule a: "role:y" stands where the rule should end`,
		`"a": "(role:x"`:                               "a parenthesis is not closed",
		`"a": "role:x)"`:                               `")" stands where the rule should end`,
		`"a": "and role:x"`:                            `"and" stands where a check is expected`,
		`"a": "member"`:                                `"member" is no check: expected @, ! or kind:match`,
		`"a": ":member"`:                               `":member" is no check`,
		`"a": "'x"`:                                    `is no check`,
		`"a": "http://policy/check"`:                   "asks an outside service",
		`"a": "colour:red"`:                            `compares "colour", which an actor does not have`,
		`"a": "project_id:%(colour)s"`:                 "a target has no attribute %(colour)s",
		`"a": "rule:b"`:                                "refers to rule:b, which does not exist",
		`"a": "rule:a"`:                                "refers to itself: a -> a",
		"\"a\": \"rule:b\"\n\"b\": \"not rule:a\"":     "refers to itself: a -> b -> a",
		`"admin_api": "rule:container:create:runtime"`: "refers to itself",
		`"a": 7`:                     "7 is no rule: expected a text or a list",
		`"a": {"b": "c"}`:            "is no rule",
		`"a": [7]`:                   "7 in a list is no check",
		`"a": ["role:x and"]`:        "",
		`- a`:                        `expected "rule name": "rule" pairs`,
		"\"a\": \"@\"\n\"a\": \"!\"": "line 2: rule a stands already in line 1",
		`"a": "@`:                    "read policy file",
		`"a": "` + strings.Repeat("(", 60) + "@" + strings.Repeat(")", 60) + `"`: "are nested",
		`"a": "` + strings.Repeat("not ", 60) + `@"`:                             "are nested",
	} {
		_, err := policy.Open(newFiles(t, content).options)
		if want == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", content, err, want)
		}
	}
}

func TestPlaces(t *testing.T) {
	f := newFiles(t, "# only comments\n")
	f.write("policy.d/10-first.yaml", `"container:start": "!"`+"\n"+`"container:stop": "!"`)
	f.write("policy.d/20-second.json", `{"container:stop": [["role:member"]]}`)
	f.write("policy.d/.30-draft", `junk`)
	p := f.open()
	if p.Allowed("container:start", actor("member"), own) || !p.Allowed("container:stop", actor("member"), other) {
		t.Error("the files of policy.d do not count in the order of their names")
	}

	bare := newFiles(t, "")
	bare.write("policy.json", `{"container:start": "!"}`)
	if bare.open().Allowed("container:start", actor("member"), own) {
		t.Error("policy.json is not read where policy.yaml is missing")
	}
	bare.options.Required = true
	if _, err := policy.Open(bare.options); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a policy file that was asked for and is missing: %v", err)
	}
}

func TestOverridesReachRulesBuiltOnThem(t *testing.T) {
	p := newFiles(t, `
"context_is_admin": "role:cloud_admin"
"admin_or_owner": "is_admin:True or user_id:%(user_id)s"
`).open()
	chief := actor("cloud_admin", "reader")
	for rule, target := range map[string]rest.Target{"container:delete": other, "host:get_all": other, "container:create": own} {
		if !p.Allowed(rule, chief, target) {
			t.Errorf("%s is refused to the renamed administrator", rule)
		}
	}
	if p.Allowed("host:get_all", actor("admin"), own) {
		t.Error("the role admin still counts as administrator")
	}
	colleague := actor("member")
	colleague.UserID = "u9"
	if p.Allowed("container:stop", colleague, own) || p.Allowed("container:get_one", colleague, own) || !p.Allowed("container:stop", actor("member"), own) {
		t.Error("the overridden admin_or_owner does not reach the rules built on it")
	}
}

func TestFilesAreFollowed(t *testing.T) {
	f := newFiles(t, "")
	p := f.open()
	ask := func() bool { return p.Allowed("container:start", actor("member"), own) }
	for _, step := range []struct {
		name   string
		change func()
		want   bool
	}{
		{"defaults", func() {}, true},
		{"a file appears", func() { f.write("policy.yaml", `"container:start": "!"`) }, false},
		{"a broken file keeps the rules", func() { f.write("policy.yaml", `"container:start": "@ @"`) }, false},
		{"mended", func() { f.write("policy.yaml", `"container:start": "role:member"`) }, true},
		{"a file in policy.d", func() { f.write("policy.d/a", `"container:start": "role:admin"`) }, false},
		{"one is empty, as while it is written anew", func() { f.write("policy.d/a", "") }, false},
		{"both are gone", func() {
			if err := os.Remove(f.dir + "/policy.yaml"); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(f.dir + "/policy.d"); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"one says that there is nothing", func() { f.write("policy.yaml", "# nothing") }, false},
		{"both say so", func() { f.write("policy.d/a", "# nothing") }, true},
	} {
		step.change()
		f.clock.Step(2 * time.Second)
		if got := ask(); got != step.want {
			t.Errorf("%s: allowed = %v, want %v", step.name, got, step.want)
		}
	}
	if got := strings.Count(f.log.String(), "cannot be used"); got != 4 { // broken, empty, gone, one back
		t.Errorf("unusable files were logged %d times: %s", got, f.log)
	}
}

func TestUnknownRulesAreWarnedAbout(t *testing.T) {
	f := newFiles(t, "\"container:begin\": \"!\"\n\"helper\": \"@\"\n\"container:stop\": \"rule:helper\"\n")
	f.open()
	if log := f.log.String(); !strings.Contains(log, "rule=container:begin") || strings.Contains(log, "helper") {
		t.Errorf("warnings: %s", log)
	}
	var out strings.Builder
	if err := policy.CheckFile(&out, f.options.File); err != nil || !strings.Contains(out.String(), ":1: nothing asks for the rule container:begin") ||
		!strings.Contains(out.String(), "3 rules are overridden or added") {
		t.Errorf("CheckFile() = %v: %s", err, out.String())
	}
	f.write("policy.yaml", `"a": "member"`)
	if err := policy.CheckFile(&out, f.options.File); err == nil || !strings.Contains(err.Error(), "policy.yaml:1: rule a") {
		t.Errorf("CheckFile() of a wrong file = %v", err)
	}
	if err := policy.CheckFile(&out, f.dir+"/none"); err == nil {
		t.Error("CheckFile() of no file succeeded")
	}
}

func TestSampleIsUsableWhenUncommented(t *testing.T) {
	var out strings.Builder
	if err := policy.PrintSample(&out); err != nil {
		t.Fatal(err)
	}
	f := newFiles(t, strings.ReplaceAll(out.String(), "\n#\"", "\n\""))
	p := f.open()
	if p.Allowed("container:start", actor("reader"), own) || !p.Allowed("container:start", actor("member"), own) || f.log.Len() > 0 {
		t.Errorf("the sample is not the defaults: %s", f.log)
	}
}

// known is an Identity that knows one actor.
type known struct{ actor domain.Actor }

func (k known) Authenticate(_ context.Context, token string) (domain.Actor, error) {
	if token == "" {
		return domain.Actor{}, domain.NewFault(domain.Unauthenticated, "unauthorized", "no token")
	}
	return k.actor, nil
}

func (known) Challenge() string { return "challenge" }

func TestJudgedIdentity(t *testing.T) {
	p := newFiles(t, "").open()
	for role, want := range map[string]bool{"admin": true, "member": false} {
		identity := p.Judged(known{actor(role)})
		if got, err := identity.Authenticate(t.Context(), "t"); err != nil || got.IsAdmin != want || identity.Challenge() != "challenge" {
			t.Errorf("%s: %+v, %v", role, got, err)
		}
		if _, err := identity.Authenticate(t.Context(), ""); !domain.IsKind(err, domain.Unauthenticated) {
			t.Errorf("no token: %v", err)
		}
	}
}

func TestReferenceIsPrintedFromTheTable(t *testing.T) {
	var want strings.Builder
	if err := policy.Reference(&want); err != nil {
		t.Fatal(err)
	}
	printed.Hold(t, "../../../docs/reference/policy.md", want.String(), *update)
}

func BenchmarkAllowed(b *testing.B) {
	p, err := policy.Open(policy.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	who := actor("member", "reader")
	b.ReportAllocs()
	for b.Loop() {
		if !p.Allowed("container:start", who, own) {
			b.Fatal("refused")
		}
	}
}
