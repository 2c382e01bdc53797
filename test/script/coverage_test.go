//go:build integration

package script_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// told notes which commands the stories gave, by command line and version.
type told struct {
	commands []string // of the contract

	mu    sync.Mutex
	lines map[string]map[string]bool // by version, then by words without options
	alone map[string]bool            // the commands that ran as a process of their own, and whether to succeed
}

func newTold(dir string) (*told, error) {
	all, err := commands(dir)
	return &told{commands: all, lines: map[string]map[string]bool{}, alone: map[string]bool{}}, err
}

// note notes a command and says whether it is to run as a process of its own: each does
// the first time that it is given at the client's default version, and again the first
// time that it is to succeed.
func (t *told) note(version string, words []string, succeeds bool) (alone bool) {
	var plain []string
	for _, word := range words {
		if strings.HasPrefix(word, "-") {
			break
		}
		plain = append(plain, word)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines[version] == nil {
		t.lines[version] = map[string]bool{}
	}
	line := strings.Join(plain, " ")
	t.lines[version][line] = true
	command := t.named(line)
	succeeded, ran := t.alone[command]
	if version != "" || command == "" || ran && (succeeded || !succeeds) {
		return false
	}
	t.alone[command] = succeeds
	return true
}

// named is the contract's command that line gives; "quota class get" is not "quota".
func (t *told) named(line string) (longest string) {
	for _, command := range t.commands {
		if len(command) > len(longest) && (line == command || strings.HasPrefix(line, command+" ")) {
			longest = command
		}
	}
	return longest
}

// gave says whether a story gave command at version.
func (t *told) gave(version, command string) bool {
	for line := range t.lines[version] {
		if line == command || strings.HasPrefix(line, command+" ") {
			return true
		}
	}
	return false
}

var quoted = regexp.MustCompile("`([^`]+)`")

// commands reads the command lines of both clients off the tables of the contract.
func commands(dir string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "..", "contract", "cli.md"))
	if err != nil {
		return nil, err
	}
	var all []string
	section := ""
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "## ") || strings.HasPrefix(line, "### ") {
			section = strings.TrimSpace(strings.TrimLeft(line, "# "))
		}
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.Contains(cells[1], "`zun`") {
			continue
		}
		switch {
		case strings.HasPrefix(section, "3. "):
			all = append(all, ofRow(cells[1], cells[2], "openstack appcontainer ")...)
		case strings.HasPrefix(section, "4. "):
			all = append(all, ofRow(cells[1], cells[2], "openstack ")...)
		}
	}
	return all, nil
}

// ofRow returns the command lines of one row; beside is what the second cell leaves out.
func ofRow(zun, openstack, beside string) []string {
	var all []string
	for _, name := range quoted.FindAllStringSubmatch(zun, -1) {
		all = append(all, "zun "+name[1])
	}
	if strings.TrimSpace(openstack) == "same" {
		openstack = zun
	}
	last := ""
	for _, name := range quoted.FindAllStringSubmatch(openstack, -1) {
		command := name[1]
		if rest, same := strings.CutPrefix(command, "… "); same { // but for its last word like the one before
			command = last[:strings.LastIndexByte(last, ' ')+1] + rest
		}
		last = command
		all = append(all, beside+command)
	}
	return all
}

// untold reads which commands no story gives, at some versions ("*" is all), and why.
func untold(path string) (map[string][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	all := map[string][]string{}
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		what, reason, found := strings.Cut(line, ": ")
		command, versions, at := strings.Cut(what, " @ ")
		if !found || !at || reason == "" {
			return nil, fmt.Errorf("%s: %q is not COMMAND @ VERSIONS: REASON", path, line)
		}
		all[command] = append(all[command], strings.Fields(versions)...)
	}
	return all, nil
}

// complete fails for every command of the contract that was neither given at a version
// nor listed with the reason, and for every one that was listed and given.
func complete(t *testing.T, told *told, versions []string) {
	t.Helper()
	all := told.commands
	const least = 90 // command lines of both clients
	if len(all) < least {
		t.Fatalf("only %d commands are read off the contract", len(all))
	}
	excused, err := untold("untold.txt")
	if err != nil {
		t.Fatal(err)
	}
	for command := range excused {
		if !slices.Contains(all, command) {
			t.Errorf("untold.txt lists %q, which the contract does not", command)
		}
	}
	given := 0
	ran := func(command string) bool { _, alone := told.alone[command]; return alone }
	for _, version := range versions {
		for _, command := range all {
			listed := slices.Contains(excused[command], "*") || slices.Contains(excused[command], shown(version))
			switch gave := told.gave(version, command); {
			case gave && listed:
				t.Errorf("%q is given at %s and listed in untold.txt", command, shown(version))
			case !gave && !listed:
				t.Errorf("%q is neither given at %s nor listed in untold.txt", command, shown(version))
			case gave && version == "" && !ran(command):
				t.Errorf("%q never ran as a process of its own", command)
			case gave:
				given++
			}
		}
	}
	t.Logf("%d commands of the contract, %d of %d with a version given, %d as processes of their own", len(all), given, len(all)*len(versions), len(told.alone))
}

func shown(version string) string {
	if version == "" {
		return "default"
	}
	return version
}
