package app_test

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// room is one entry of the first column of CONTRIBUTING's table: a package, or with
// dots at its end all packages below it.
type room struct {
	name string
	row  int
}

// TestEveryPackageIsInTheTable holds the table of packages in CONTRIBUTING: each package
// stands in it once, and no row imports from one below it.
func TestEveryPackageIsInTheTable(t *testing.T) {
	rooms := readRooms(t)
	rows := map[string]int{}
	all := packages(t)
	for _, n := range all {
		row, times := rowOf(rooms, n.path)
		if times != 1 {
			t.Errorf("CONTRIBUTING.md names %s %d times in its table of packages: it has one row", n.path, times)
		}
		rows[n.path] = row
	}
	for _, n := range all {
		for _, imported := range n.imports {
			inner, ours := strings.CutPrefix(imported, module)
			if ours && rows[inner] > rows[n.path] {
				t.Errorf("%s imports %s, which stands below it in CONTRIBUTING.md: the table goes bottom up", n.path, inner)
			}
		}
	}
	for _, r := range rooms {
		if !strings.HasSuffix(r.name, "/...") && rows[r.name] == 0 {
			t.Errorf("CONTRIBUTING.md names %s in its table of packages: there is none", r.name)
		}
	}
}

func rowOf(rooms []room, name string) (row, times int) {
	for _, r := range rooms {
		parent, all := strings.CutSuffix(r.name, "/...")
		if r.name == name || all && under(name, parent) {
			row, times = r.row, times+1
		}
	}
	return row, times
}

// readRooms reads the table; a name without a path is a neighbour of the one before it.
func readRooms(t *testing.T) []room {
	t.Helper()
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| Package |")
	if !found {
		t.Fatal("CONTRIBUTING.md has no table of packages")
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	var rooms []room
	row := 0
	for line := range strings.Lines(table) {
		if row++; row > 1 && !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(line, "|")
		if row < 3 {
			continue // the rest of the head, and what is beneath it
		}
		before := ""
		for _, match := range quoted.FindAllStringSubmatch(cells[1], -1) {
			name := match[1]
			if before != "" && !strings.Contains(name, "/") {
				name = path.Join(path.Dir(before), name)
			}
			rooms = append(rooms, room{name, row})
			before = name
		}
	}
	return rooms
}
