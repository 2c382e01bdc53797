package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestTableTellsTheTruth holds the column "Here" against the code: what is honoured
// or mapped fills a typed field, what is without effect fills none.
func TestTableTellsTheTruth(t *testing.T) {
	s := newSettings(nil, map[string]string{"DEFAULT.host": "h", "DEFAULT.my_ip": "192.0.2.1"})
	b := binder{s}
	b.config("/etc/zun")
	for _, o := range Options() {
		if read := s.used[o.Key()]; read != (o.Use != Inert) {
			t.Errorf("%s is listed as %q, and a typed field reads it: %v", o.Key(), o.Use, read)
		}
	}
	for key := range s.used {
		if _, known := s.rows[key]; !known {
			t.Errorf("a typed field reads %s, which the table does not hold", key)
		}
	}
}

// TestEveryOptionThatCountsIsRead holds the table against the rest of the program: what
// is honoured or mapped changes a typed field that code outside this package reads; what
// is awaited changes fields that nothing else reads. No field is read by nobody.
func TestEveryOptionThatCountsIsRead(t *testing.T) {
	read := readers(t)
	usual := assigned(nil)
	for _, o := range Options() {
		if o.Use == Inert {
			continue
		}
		fields := map[string]bool{}
		for _, value := range otherValues(o) {
			changed(reflect.ValueOf(usual), reflect.ValueOf(assigned([]entry{{section: o.Section, name: o.Name, value: value}})), "", fields)
		}
		if len(fields) == 0 {
			t.Errorf("%s changes no field, whatever its value", o.Key())
		}
		for field := range fields {
			if read(field) != (o.Use != Awaited) {
				t.Errorf("%s is %q and changes %s; code outside this package reads that: %v", o.Key(), o.Use, field, o.Use == Awaited)
			}
		}
	}
}

// assigned is the configuration that entries give.
func assigned(entries []entry) Config {
	entries = append([]entry{{section: "DEFAULT", name: "log_file", value: "zun.log"}}, entries...) // log_dir counts beside it
	return binder{newSettings(entries, map[string]string{"DEFAULT.host": "h", "DEFAULT.my_ip": "192.0.2.1"})}.config("/etc/zun")
}

// otherValues are good values of o, of which at least one is not its default.
func otherValues(o Option) []string {
	if len(o.Choices) > 0 {
		return o.Choices
	}
	switch o.Type {
	case Boolean:
		return []string{"true", "false"}
	case Integer, Seconds, Port:
		return []string{"7", "9"}
	case Float:
		return []string{"0.3", "0.7"}
	case Size:
		return []string{"7m"}
	case Address:
		return []string{"192.0.2.7"}
	case Prefixes:
		return []string{"198.51.100.0/24", "2001:db8::/32"}
	default:
		return []string{"other.example:7"}
	}
}

// changed collects the paths of the leaves in which two configurations differ.
func changed(a, b reflect.Value, path string, into map[string]bool) {
	if a.Kind() != reflect.Struct || a.Type().PkgPath() != reflect.TypeFor[Config]().PkgPath() {
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			into[path] = true
		}
		return
	}
	for i := range a.NumField() {
		changed(a.Field(i), b.Field(i), strings.TrimPrefix(path+"."+a.Type().Field(i).Name, "."), into)
	}
}

// readers says of a field of Config whether the composition reads it: by its whole path,
// or by its name where the struct that holds it is handed on whole.
func readers(t *testing.T) func(field string) bool {
	t.Helper()
	paths, names := map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob("../app/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no composition to look at: %v", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		inner := map[ast.Node]bool{}
		ast.Inspect(tree, func(n ast.Node) bool {
			if s, is := n.(*ast.SelectorExpr); is {
				names[s.Sel.Name] = true
				inner[s.X] = true
				if !inner[n] {
					paths[selection(s)] = true
				}
			}
			return true
		})
	}
	return func(field string) bool {
		for path := range paths {
			if path == field || strings.HasPrefix(path, field+".") {
				return true
			}
		}
		holder, name, nested := strings.Cut(field, ".")
		return nested && paths[holder] && names[name[strings.LastIndexByte(name, '.')+1:]]
	}
}

// selection is what a chain of selectors names, without the variable that it begins at.
func selection(s *ast.SelectorExpr) string {
	if outer, is := s.X.(*ast.SelectorExpr); is {
		return selection(outer) + "." + s.Sel.Name
	}
	return s.Sel.Name
}

func TestRowsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	s := newSettings(nil, map[string]string{"DEFAULT.host": "h", "DEFAULT.my_ip": "192.0.2.1"})
	for _, o := range Options() {
		if seen[o.Key()] {
			t.Errorf("%s is listed twice", o.Key())
		}
		seen[o.Key()] = true
		if o.Help == "" || o.Section == "" {
			t.Errorf("%s has no help or section", o.Key())
		}
		if (o.Use != Honoured) != (o.Note != "") {
			t.Errorf("%s is %q with the note %q", o.Key(), o.Use, o.Note)
		}
		if err := s.verdict(o); err != nil && o.Default != "" {
			t.Errorf("the default of %s is not usable: %v", o.Key(), err)
		}
	}
}

// TestEveryOptionOfTheOriginalIsListed reads the names that the original registers,
// kept in testdata as "section.option" lines.
func TestEveryOptionOfTheOriginalIsListed(t *testing.T) {
	text, err := os.ReadFile("testdata/original-options.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := newSettings(nil, nil).rows
	names := strings.Fields(string(text))
	if len(names) < 176 {
		t.Fatalf("only %d names in testdata", len(names))
	}
	for _, key := range names {
		if row, known := rows[key]; !known || row.Ours {
			t.Errorf("%s of the original is not listed (or as ours)", key)
		}
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"port", "host_ip", "max_limit", "workers"}
	for name, want := range map[string]string{"prot": "port", "hostip": "host_ip", "maxlimit": "max_limit", "zzz": "", "": "", "porst": "port"} {
		if got := nearest(name, candidates); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
