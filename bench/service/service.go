// Package service runs the real binaries for a bench, in a directory of their own,
// and reads what the kernel accounts to them.
package service

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-zun/zun/client"
)

// Bounds of what a process may take to come and go.
const (
	startBound = 30 * time.Second
	stopBound  = 30 * time.Second
	lookEvery  = 5 * time.Millisecond // more often would take the processor from what is waited for
)

// Options say what is started.
type Options struct {
	Binary   string   // its path
	Dir      string   // holds its state and its log
	Settings []string // section.option=value
	// URL is where the process serves HTTP; empty when it serves none.
	URL string
	// Health is the path below URL that answers once the process serves; empty: /healthcheck.
	Health string
}

// Service is a running process.
type Service struct {
	Options
	// Started is the time from the start of the process to its first healthy answer;
	// zero when it serves no HTTP.
	Started time.Duration

	process *exec.Cmd
	ended   chan error
}

// Start runs the binary and waits until it is healthy.
func Start(ctx context.Context, o Options) (*Service, error) {
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("make a directory for %s: %w", o.Binary, err)
	}
	args := []string{"--set", "DEFAULT.state_path=" + o.Dir}
	for _, s := range o.Settings {
		args = append(args, "--set", s)
	}
	log, err := os.Create(o.logFile())
	if err != nil {
		return nil, fmt.Errorf("make the log of %s: %w", o.Binary, err)
	}
	defer log.Close() //nolint:errcheck // the process has its own handle
	s := &Service{Options: o, process: exec.Command(o.Binary, args...), ended: make(chan error, 1)}
	s.process.Stdout, s.process.Stderr = log, log
	begun := time.Now()
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Binary, err)
	}
	go func() { s.ended <- s.process.Wait() }()
	if o.URL == "" {
		return s, nil
	}
	err = s.Await(ctx, "a healthy answer", startBound, func() (bool, error) { return s.healthy(ctx), nil })
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.Started = time.Since(begun)
	return s, nil
}

func (s *Service) healthy(ctx context.Context) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+cmp.Or(s.Health, "/healthcheck"), http.NoBody)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Await asks until done says so, for bound at most, and fails at once if the process
// ends meanwhile.
func (s *Service) Await(ctx context.Context, what string, bound time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("%s ended before %s: %w: %s", s.Binary, what, err, s.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s did not come from %s within %s: %s", what, s.Binary, bound, s.lastWords())
		case <-tick.C:
		}
	}
}

// lastWords is the end of the process's log, which goes with its directory.
func (s *Service) lastWords() string {
	data, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return lines[len(lines)-1]
}

func (o Options) logFile() string { return filepath.Join(o.Dir, filepath.Base(o.Binary)+".log") }

// Stop ends the process gracefully, and by force if that takes too long.
func (s *Service) Stop() error {
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", s.Binary, err)
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(stopBound):
		_ = s.process.Process.Kill()
		<-s.ended
		return fmt.Errorf("%s did not stop within %s and was killed", s.Binary, stopBound)
	}
}

// Kill ends the process as a crash would.
func (s *Service) Kill() {
	_ = s.process.Process.Kill() // it may have ended by itself
	<-s.ended
}

// Chore runs a short task of the binary with the service's settings and returns what
// it printed.
func Chore(ctx context.Context, o Options, args ...string) (string, error) {
	for _, setting := range append([]string{"DEFAULT.state_path=" + o.Dir}, o.Settings...) {
		args = append(args, "--set", setting)
	}
	out, err := exec.CommandContext(ctx, o.Binary, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", o.Binary, strings.Join(args, " "), err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1], nil
}

// Login returns a client of the service as its administrator, and the bare token.
func (s *Service) Login(ctx context.Context) (*client.Client, string, error) {
	words, err := exports(filepath.Join(s.Dir, "openrc"))
	if err != nil {
		return nil, "", err
	}
	who := &client.Keystone{
		AuthURL: words["OS_AUTH_URL"], Username: words["OS_USERNAME"], Password: words["OS_PASSWORD"], ProjectName: words["OS_PROJECT_NAME"],
		UserDomainName: words["OS_USER_DOMAIN_NAME"], ProjectDomainName: words["OS_PROJECT_DOMAIN_NAME"],
	}
	token, err := who.Token(ctx, "")
	if err != nil {
		return nil, "", fmt.Errorf("log in: %w", err)
	}
	return client.New(client.Options{Auth: who}), token, nil
}

// exports reads the variables of a shell file of export lines.
func exports(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the log-in: %w", err)
	}
	defer file.Close() //nolint:errcheck // opened for reading only
	words := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, value, found := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if found {
			words[name] = strings.Trim(value, `'"`)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the log-in: %w", err)
	}
	return words, nil
}

// Memory returns the resident and the proportional set size of the process in KiB.
func (s *Service) Memory() (rss, pss int, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", s.process.Process.Pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read the memory of %s: %w", s.Binary, err)
	}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		switch {
		case len(words) < 2:
		case words[0] == "Rss:":
			rss, _ = strconv.Atoi(words[1]) // the kernel writes numbers
		case words[0] == "Pss:":
			pss, _ = strconv.Atoi(words[1])
		}
	}
	return rss, pss, nil
}

// CPU returns the processor time that the process has used.
func (s *Service) CPU() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the processor time of %s: %w", s.Binary, err)
	}
	// The name, in brackets, may hold blanks; the times are the 12th and 13th word after it.
	words := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	user, _ := strconv.Atoi(words[11])
	system, _ := strconv.Atoi(words[12])
	const tick = 10 * time.Millisecond // of the kernel's accounting, on every architecture that Go runs on
	return time.Duration(user+system) * tick, nil
}

// FreeAddress returns an address of this machine on which nobody listens.
func FreeAddress() (host, port string, err error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close() //nolint:errcheck // it was held only to learn its number
	return net.SplitHostPort(l.Addr().String())
}
