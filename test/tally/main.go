// Command tally reads `go test -json` on standard input, shows what a person
// needs to see, and closes with the figures of a suite: how many tests ran,
// failed and were skipped. A skip fails the suite unless test/SKIPS lists it with
// its reason, because a test that quietly does not run proves nothing.
//
//	go test -json ./... | tally -suite unit -skips test/SKIPS
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type tally struct {
	ran, failed int
	skipped     []string
	broken      []string            // packages that failed outside any test
	output      map[string][]string // of each test, shown if it fails
	packages    int
}

func main() {
	suite := flag.String("suite", "tests", "name of the suite, for the closing line")
	skipsFile := flag.String("skips", "test/SKIPS", "file of allowed skips: one `package.Test reason` a line")
	figures := flag.String("figures", "", "file to append `suite ran failed skipped seconds` to")
	flag.Parse()
	started := time.Now()
	allowed, err := readSkips(*skipsFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(2)
	}
	t := tally{output: map[string][]string{}}
	if err := t.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(2)
	}
	good := t.report(*suite, allowed)
	if *figures != "" {
		appendFigures(*figures, *suite, &t, time.Since(started))
	}
	if !good {
		os.Exit(1)
	}
}

func readSkips(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the list of allowed skips: %w", err)
	}
	allowed := map[string]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("%s: %q names a skip without a reason", file, line)
		}
		allowed[name] = strings.TrimSpace(reason)
	}
	return allowed, nil
}

func (t *tally) read(r io.Reader) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var e event
		if json.Unmarshal(scanner.Bytes(), &e) != nil {
			fmt.Println(scanner.Text()) // not JSON: a compiler's or linker's own words
			continue
		}
		t.take(e)
	}
	return scanner.Err()
}

func (t *tally) take(e event) {
	key := e.Package + "." + e.Test
	switch e.Action {
	case "output", "build-output":
		t.output[key] = append(t.output[key], e.Output)
	case "pass":
		t.end(e, false)
	case "fail", "build-fail":
		t.end(e, true)
	case "skip":
		if e.Test != "" {
			t.skipped = append(t.skipped, key)
		}
	}
}

func (t *tally) end(e event, failed bool) {
	key := e.Package + "." + e.Test
	if e.Test == "" {
		t.packages++
		if failed {
			t.broken = append(t.broken, e.Package)
		}
		return
	}
	t.ran++
	if failed {
		t.failed++
		fmt.Printf("FAIL %s (%.1f s)\n%s", key, e.Elapsed, strings.Join(t.output[key], ""))
	}
	delete(t.output, key)
}

func (t *tally) report(suite string, allowed map[string]string) bool {
	good := t.failed == 0
	for _, p := range t.broken {
		good = false
		fmt.Printf("FAIL package %s\n%s", p, strings.Join(t.output[p+"."], ""))
	}
	for _, name := range t.skipped {
		if reason, ok := allowed[name]; ok {
			fmt.Printf("skipped by list: %s: %s\n", name, reason)
			continue
		}
		good = false
		fmt.Printf("FAIL %s was skipped and test/SKIPS does not list it\n", name)
	}
	if t.ran == 0 {
		good = false
		fmt.Println("FAIL no test ran")
	}
	fmt.Printf("suite %s: ran %d, failed %d, skipped %d\n", suite, t.ran, t.failed, len(t.skipped))
	return good
}

func appendFigures(file, suite string, t *tally, took time.Duration) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		return
	}
	_, err = fmt.Fprintf(f, "%s %d %d %d %.0f\n", suite, t.ran, t.failed+len(t.broken), len(t.skipped), took.Seconds())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
	}
}
