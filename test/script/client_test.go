//go:build integration

package script_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// resident is a Python process that runs Debian's clients, with the environment of
// one script.
type resident struct {
	in     io.WriteCloser
	out    *bufio.Scanner
	cmd    *exec.Cmd
	errors strings.Builder
}

// python is Debian's own, which has Debian's packages.
const python = "/usr/bin/python3"

const longestAnswer = 8 << 20

func startResident(program, dir string, env []string) (*resident, error) {
	r := &resident{cmd: exec.Command(python, program)}
	r.cmd.Env, r.cmd.Dir, r.cmd.Stderr = env, dir, &r.errors
	in, err := r.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.in, r.out = in, bufio.NewScanner(out)
	r.out.Buffer(nil, longestAnswer)
	return r, r.cmd.Start()
}

// answer is what one command did.
type answer struct {
	Code     int
	Out, Err string
}

func (r *resident) run(words []string) (answer, error) {
	var a answer
	line, err := json.Marshal(words)
	if err != nil {
		return a, err
	}
	if _, err := fmt.Fprintf(r.in, "%s\n", line); err != nil {
		return a, fmt.Errorf("ask the clients' process: %w\n%s", err, r.errors.String())
	}
	if !r.out.Scan() {
		return a, fmt.Errorf("the clients' process ended: %w\n%s", cmp.Or(r.out.Err(), io.EOF), r.errors.String())
	}
	return a, json.Unmarshal(r.out.Bytes(), &a)
}

// stop ends the process; its end is all that is wanted.
func (r *resident) stop() {
	_ = r.in.Close()
	_ = r.cmd.Wait()
}

// keyOfRun is where a script keeps what belongs to it.
type keyOfRun struct{}

// run is one script with one client at one version.
type run struct {
	client  string // "debian" or "ours"
	version string // empty: the client's default
	clients *resident
	bin     string   // our client
	dir     string   // where Debian's run
	env     []string // what they run with
	told    *told
}

func runOf(ts *testscript.TestScript) *run { return ts.Value(keyOfRun{}).(*run) }

// zun is a command of scripts: the zun of this run.
func zun(ts *testscript.TestScript, neg bool, args []string) {
	r := runOf(ts)
	var words []string
	if r.version != "" {
		words = []string{"--zun-api-version", r.version}
	}
	words = append(words, args...)
	if r.client == "ours" {
		check(ts, neg, ts.Exec(r.bin, words...))
		return
	}
	r.debian(ts, neg, append([]string{"zun"}, words...))
}

// openstack is a command of scripts: the unified client with Debian's plug-in.
func openstack(ts *testscript.TestScript, neg bool, args []string) {
	r := runOf(ts)
	words := []string{"openstack"}
	if r.version != "" {
		words = append(words, "--os-container-api-version", r.version)
	}
	r.debian(ts, neg, append(words, args...))
}

func (r *run) debian(ts *testscript.TestScript, neg bool, words []string) {
	answers := r.clients.run
	if r.told.note(r.version, withoutVersion(words), !neg) {
		answers = r.alone
	}
	a, err := answers(words)
	if err != nil {
		ts.Fatalf("%v", err)
	}
	_, _ = io.WriteString(ts.Stdout(), a.Out)
	_, _ = io.WriteString(ts.Stderr(), a.Err)
	if a.Code != 0 {
		err = fmt.Errorf("exit code %d\n%s%s", a.Code, a.Out, a.Err)
	}
	check(ts, neg, err)
}

// alone runs a command as a user does: as a process of its own.
func (r *run) alone(words []string) (answer, error) {
	const longest = 2 * time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, "/usr/bin/"+words[0], words[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = r.env, r.dir, &out, &errs
	err := cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.Exited() {
		err = nil // its exit code tells
	}
	return answer{Code: cmd.ProcessState.ExitCode(), Out: out.String(), Err: errs.String()}, err
}

// withoutVersion drops the option that run puts before the command.
func withoutVersion(words []string) []string {
	if len(words) > 2 && strings.HasSuffix(words[1], "-api-version") {
		return append([]string{words[0]}, words[3:]...)
	}
	return words
}

func check(ts *testscript.TestScript, neg bool, err error) {
	if err != nil && !neg {
		ts.Fatalf("the command failed: %v", err)
	}
	if err == nil && neg {
		ts.Fatalf("the command did not fail")
	}
}
