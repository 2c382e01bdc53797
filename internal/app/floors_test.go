package app_test

import (
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/go-zun/zun/"

// floor is one row of the house's table of directions: packages under room may
// import, of this module, only what stands in may (prefixes; "std" alone means
// nothing of the module). Third lists the outside modules a floor may use when it
// is bound; nil means any.
type floor struct {
	room   string
	may    []string
	third  []string
	reason string
}

var floors = []floor{
	{"internal/domain", nil, []string{}, "the ground floor is pure: rules that need no technology to be tested"},
	{"internal/failpoint", nil, []string{}, "a failpoint may stand anywhere, so it may lean on nothing"},
	{"internal/config", nil, []string{"gopkg.in/ini.v1"}, "configuration is read before anything else exists"},
	{"internal/control", []string{"internal/control", "internal/domain", "internal/failpoint"}, []string{"github.com/google/uuid"}, "the brain decides through ports; it knows no driver, wire or SQL"},
	{"internal/agent", []string{"internal/agent", "internal/domain", "internal/failpoint"}, []string{"github.com/google/uuid"}, "the hands act through ports and never know the brain's code"},
	{"internal/rest", []string{"internal/rest", "internal/control", "internal/domain", "api"}, nil, "the front door knows use cases and wire types, never a back door"},
	{"internal/term", []string{"internal/term", "internal/control", "internal/domain"}, nil, "the console door carries bytes; it decides nothing"},
	{"internal/link", []string{"internal/link", "internal/gen", "internal/control", "internal/agent", "internal/domain"}, nil, "the wire serves both wings and nobody else"},
	{"internal/adapter/store", []string{"internal/adapter/store", "internal/control", "internal/domain"}, nil, "a back door knows the port it serves"},
	{"internal/adapter/engine", []string{"internal/adapter/engine", "internal/agent", "internal/domain"}, nil, "a back door knows the port it serves"},
	{"internal/adapter/identity", []string{"internal/adapter/identity", "internal/rest", "internal/control", "internal/domain"}, nil, "a back door knows the port it serves"},
	{"internal/adapter/policy", []string{"internal/adapter/policy", "internal/rest", "internal/control", "internal/domain"}, nil, "a back door knows the port it serves"},
	{"internal/adapter/seal", []string{"internal/control", "internal/domain"}, nil, "a back door knows the port it serves"},
	{"internal/adapter/network", []string{"internal/adapter/network", "internal/control", "internal/agent", "internal/domain"}, nil, "a back door knows the port it serves"},
	{"internal/adapter/volume", []string{"internal/adapter/volume", "internal/control", "internal/agent", "internal/domain"}, nil, "a back door knows the port it serves"},
	{"internal/adapter/image", []string{"internal/adapter/image", "internal/control", "internal/agent", "internal/domain"}, nil, "a back door knows the port it serves"},
	{"internal/cli", []string{"internal/cli", "client", "api"}, nil, "the command line is a user like any other"},
	{"api", []string{"api"}, []string{}, "public wire types cost their importers nothing"},
	{"client", []string{"client", "api"}, nil, "the public client leans on nothing internal"},
	{"cmd", []string{"internal/app", "internal/cli"}, nil, "a main only says which composition runs"},
}

// roomsApart are rooms inside one adapter folder that must not know each other.
var roomsApart = [][]string{
	{"internal/adapter/engine/docker", "internal/adapter/engine/fake", "internal/adapter/engine/containerd"},
	{"internal/adapter/network/plumb", "internal/adapter/network/local", "internal/adapter/network/neutron"},
	{"internal/adapter/identity/static", "internal/adapter/identity/keystone"},
}

// testHouse are the rooms whose packages only tests may import.
var testHouse = []string{"internal/kit", "test"}

type node struct {
	path    string
	imports []string
}

func TestFloors(t *testing.T) {
	for _, n := range packages(t) {
		for _, f := range floors {
			if under(n.path, f.room) {
				checkFloor(t, n, f)
			}
		}
		checkApart(t, n)
		checkTestHouse(t, n)
	}
}

func checkFloor(t *testing.T, n node, f floor) {
	t.Helper()
	for _, imported := range n.imports {
		if inner, ok := strings.CutPrefix(imported, module); ok {
			if !underAny(inner, f.may) {
				t.Errorf("%s imports %s: %s", n.path, inner, f.reason)
			}
			continue
		}
		outside := strings.Contains(strings.SplitN(imported, "/", 2)[0], ".")
		if outside && f.third != nil && !underAny(imported, f.third) {
			t.Errorf("%s imports %s: %s", n.path, imported, f.reason)
		}
	}
}

func checkApart(t *testing.T, n node) {
	t.Helper()
	for _, rooms := range roomsApart {
		for _, mine := range rooms {
			for _, other := range rooms {
				if mine != other && under(n.path, mine) && importsUnder(n, other) {
					t.Errorf("%s imports %s: two adapters never meet", n.path, other)
				}
			}
		}
	}
}

// checkTestHouse keeps the test house, the suites and the conformance suites out of
// binaries, and adapters out of everything but the roof, the benches, which measure
// them, and the suites, which tell the fake engine to fail.
func checkTestHouse(t *testing.T, n node) {
	t.Helper()
	for _, imported := range n.imports {
		inner, ok := strings.CutPrefix(imported, module)
		if !ok {
			continue
		}
		if underAny(inner, testHouse) || strings.HasSuffix(path.Base(inner), "test") {
			if !underAny(n.path, testHouse) && !strings.HasSuffix(path.Base(n.path), "test") {
				t.Errorf("%s imports %s: test rooms are for tests", n.path, inner)
			}
		}
		if under(inner, "internal/adapter") && !under(n.path, "internal/adapter") &&
			!under(n.path, "internal/app") && !under(n.path, "bench") && !underAny(n.path, testHouse) {
			t.Errorf("%s imports %s: only the roof knows adapters", n.path, inner)
		}
	}
}

func packages(t *testing.T) []node {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	var nodes []node
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		nodes = append(nodes, node{path: strings.TrimPrefix(words[0], module), imports: words[1:]})
	}
	if len(nodes) < 8 {
		t.Fatalf("only %d packages listed; the test looks in the wrong place", len(nodes))
	}
	return nodes
}

func under(p, room string) bool { return p == room || strings.HasPrefix(p, room+"/") }

func underAny(p string, rooms []string) bool {
	for _, room := range rooms {
		if under(p, room) {
			return true
		}
	}
	return false
}

func importsUnder(n node, room string) bool {
	for _, imported := range n.imports {
		if under(strings.TrimPrefix(imported, module), room) {
			return true
		}
	}
	return false
}
