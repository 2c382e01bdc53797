package app_test

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What one reads in a sitting, in lines: a file, and a package without its tests. What
// is generated is read by nobody, and a suite, such as storetest, is a test.
const (
	fileBudget    = 500
	packageBudget = 2500
)

func TestBudgets(t *testing.T) {
	byPackage := map[string]int{}
	for _, room := range []string{"internal", "api", "client", "cmd", "bench"} {
		err := filepath.WalkDir(filepath.Join("../..", room), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			lines, generated := count(t, path)
			if generated {
				return nil
			}
			if lines > fileBudget {
				t.Errorf("%s has %d lines and may have %d: part it by what it tells of", path, lines, fileBudget)
			}
			if !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(filepath.Dir(path), "test") {
				byPackage[filepath.Dir(path)] += lines
			}
			return nil
		})
		if err != nil {
			t.Fatalf("walk %s: %v", room, err)
		}
	}
	if len(byPackage) < 8 {
		t.Fatalf("only %d packages seen; the test looks in the wrong place", len(byPackage))
	}
	for room, lines := range byPackage {
		if lines > packageBudget {
			t.Errorf("%s has %d lines and may have %d: open a room for the part that has a noun of its own", room, lines, packageBudget)
		}
	}
}

func count(t *testing.T, path string) (lines int, generated bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines++
		if strings.HasPrefix(scanner.Text(), "// Code generated ") {
			return 0, true
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	return lines, false
}
