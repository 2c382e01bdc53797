//go:build integration

package fuzz

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-zun/zun/client"
)

// verdict is what a client knows of a request.
type verdict string

const (
	accepted verdict = "accepted"
	refused  verdict = "refused"
	unsure   verdict = "unsure" // the answer was lost
)

func judge(err error) verdict {
	var said *client.Error
	switch {
	case err == nil:
		return accepted
	case errors.As(err, &said) && said.Status == http.StatusGatewayTimeout, errors.As(err, &said) && said.Status == http.StatusServiceUnavailable:
		return unsure
	case errors.As(err, &said):
		return refused
	default:
		return unsure
	}
}

// notSent says that nobody was there to take the request.
func notSent(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// entry is one request on a container.
type entry struct {
	op      op
	verdict verdict
}

// journal is what the clients know: every request and its answer, by container, and
// the log of it all.
type journal struct {
	mu     sync.Mutex
	begun  time.Time
	log    io.WriteCloser
	path   string
	of     map[string][]entry // by uuid
	maybe  map[string]bool    // names of creates whose answer was lost
	upset  map[string]bool    // containers that something befell behind the service's back
	counts map[string]int
	faults []string // what must never be
}

func newJournal(t *testing.T, name string) *journal {
	t.Helper()
	dir := os.Getenv("ZUN_FUZZ_LOGS")
	if dir == "" {
		dir = os.TempDir()
	}
	j := &journal{
		begun: time.Now(), path: filepath.Join(dir, "zun-fuzz-"+name+".log"),
		of: map[string][]entry{}, maybe: map[string]bool{}, upset: map[string]bool{}, counts: map[string]int{},
	}
	log, err := os.Create(j.path)
	if err != nil {
		t.Fatal(err)
	}
	j.log = log
	t.Cleanup(func() {
		_ = log.Close()
		if t.Failed() || os.Getenv("ZUN_FUZZ_LOGS") != "" {
			t.Logf("the log of this storm is %s", j.path)
			return
		}
		_ = os.Remove(j.path)
	})
	return j
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(format, args...)
}

// write adds a line. The caller holds mu.
func (j *journal) write(format string, args ...any) {
	_, _ = fmt.Fprintf(j.log, "%8.3f %s\n", time.Since(j.begun).Seconds(), fmt.Sprintf(format, args...))
}

// fault notes something that must never be.
func (j *journal) fault(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	j.write("FAULT %s", text)
	j.faults = append(j.faults, text)
}

// answered notes how a request on a container ended, and faults an answer that a
// client should never see.
func (j *journal) answered(o op, uuid, detail string, err error) verdict {
	v := judge(err)
	text := string(v)
	if err != nil {
		text += ": " + err.Error()
	}
	j.mu.Lock()
	j.counts[string(o.kind)+" "+string(v)]++
	if uuid != "" {
		j.of[uuid] = append(j.of[uuid], entry{o, v})
	}
	j.write("op %d worker %d slot %d/%d %s %s %s: %s", o.number, o.worker, o.project(), o.slot, o.kind, detail, uuid, text)
	j.mu.Unlock()
	var said *client.Error
	if errors.As(err, &said) && said.Status >= 500 && v == refused {
		j.fault("op %d %s %s was answered with %v", o.number, o.kind, uuid, err)
	}
	return v
}

// befell notes that something happened to a container behind the service's back.
func (j *journal) befell(uuid string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.upset[uuid] = true
}

func (j *journal) tally() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := map[verdict]int{}
	for key, n := range j.counts {
		_, v, _ := strings.Cut(key, " ")
		all[verdict(v)] += n
	}
	return fmt.Sprintf("%d accepted, %d refused, %d unsure", all[accepted], all[refused], all[unsure])
}
