package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// TestPromisesNameTheirTests holds that each line of the guarantees in docs/consoles.md
// names a test, and that every test named there exists. A word in code marks is a
// package, from where on its tests are meant, or a test; one in quotation marks is a
// test within a test.
func TestPromisesNameTheirTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "consoles.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n## Guarantees")
	table, _, ends := strings.Cut(table, "\n## ")
	if !found || !ends {
		t.Fatal("docs/consoles.md has no section of guarantees")
	}
	word := regexp.MustCompile("`([^`]+)`|\"([^\"]+)\"")
	packages := map[string]map[string]bool{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 || strings.HasPrefix(cells[0], "---") || strings.TrimSpace(cells[2]) == "Test" {
			continue
		}
		at, tests := "internal/term", 0
		for _, names := range word.FindAllStringSubmatch(cells[2], -1) {
			if strings.Contains(names[1], "/") {
				at = names[1]
				continue
			}
			if packages[at] == nil {
				packages[at] = namesOf(t, at)
			}
			tests++
			if name := names[1] + names[2]; !packages[at][name] {
				t.Errorf("%s: there is no %q in %s", strings.TrimSpace(cells[0]), name, at)
			}
		}
		if tests == 0 {
			t.Errorf("%s: no test holds it", strings.TrimSpace(cells[0]))
		}
	}
	if len(packages) < 5 {
		t.Errorf("the table names tests of %d packages only", len(packages))
	}
}

// namesOf returns the test functions and the string literals of a package.
func namesOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no package %s: %v", dir, err)
	}
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if strings.HasPrefix(n.Name.Name, "Test") || strings.HasPrefix(n.Name.Name, "Fuzz") {
					names[n.Name.Name] = true
				}
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					names[text] = true
				}
			}
			return true
		})
	}
	return names
}
