//go:build integration

package script_test

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// transcript is what a person saw of the original: output by command line, without
// the global options.
type transcript map[string]string

func readTranscript(dir, file string) (transcript, error) {
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	all := transcript{}
	for entry := range strings.SplitSeq("\n"+string(text), "\n$ ") {
		line, output, found := strings.Cut(entry, "\n")
		words := strings.Fields(line)
		if !found || len(words) < 4 {
			continue
		}
		all[words[0]+" "+strings.Join(words[3:], " ")] = output
	}
	return all, nil
}

// layout is the shape of a printed table: its columns, and for a table of properties
// their names in order.
func layout(output string) []string {
	var shape []string
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case shape == nil:
			shape = append(shape, strings.Join(cells, "|"))
		case shape[0] == "Property|Value" || shape[0] == "Field|Value":
			if cells[0] != "" {
				shape = append(shape, cells[0])
			}
		}
	}
	return shape
}

// recorded is a command of scripts: what was printed last has the columns, or the
// properties in the order, that the transcript shows for the command line that
// begins with the words given.
func recorded(all transcript) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		begin := strings.Join(args, " ")
		shortest := "" // so that "quota-get" is not "quota-get --usages"
		for line := range all {
			fits := line == begin || strings.HasPrefix(line, begin+" ")
			if fits && (shortest == "" || len(line) < len(shortest)) {
				shortest = line
			}
		}
		if shortest == "" {
			ts.Fatalf("no transcript of %q", begin)
		}
		want, got := layout(all[shortest]), layout(ts.ReadFile("stdout"))
		if strings.Join(want, "\n") != strings.Join(got, "\n") {
			ts.Fatalf("recorded were\n%s\nand printed\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}
