package docker

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// answering is an engine that answers a request for statistics with the sample in file.
func answering(t *testing.T, file string) *Engine {
	t.Helper()
	sample, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.47")
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/stats") {
			_, _ = w.Write(sample)
		}
	}))
	t.Cleanup(server.Close)
	e, err := New(Options{Host: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestStatsOfBothVersionsOfControlGroups reads one sample of each: they differ in what
// the cache is called, in how operations are spelled and in whether sums stand beside them.
func TestStatsOfBothVersionsOfControlGroups(t *testing.T) {
	for _, c := range []struct {
		file        string
		cpu         float64
		read, write uint64
	}{
		{"stats-v1.json", 21.06, 4096, 8192},
		{"stats-v2.json", 150, 4097, 8194},
	} {
		t.Run(c.file, func(t *testing.T) {
			s, err := answering(t, c.file).Stats(t.Context(), agent.Object{EngineID: "c1"})
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(s.CPUPercent-c.cpu) > 0.01 {
				t.Errorf("%v per cent of a CPU, want %v", s.CPUPercent, c.cpu)
			}
			if s.MemoryUsage != 2105344 || s.MemoryLimit != 64<<20 || s.PIDs != 2 {
				t.Errorf("memory %d of %d, %d processes", s.MemoryUsage, s.MemoryLimit, s.PIDs)
			}
			if s.BlockRead != c.read || s.BlockWrite != c.write {
				t.Errorf("blocks %d/%d, want %d/%d", s.BlockRead, s.BlockWrite, c.read, c.write)
			}
		})
	}
}

// TestStatsOfAProcessThatJustEnded asks between the end of the process and the agent's
// hearing of it: the namespace that it was in cannot be reached by it any more.
func TestStatsOfAProcessThatJustEnded(t *testing.T) {
	ended := exec.CommandContext(t.Context(), "true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	s, err := answering(t, "stats-v2.json").Stats(t.Context(), agent.Object{EngineID: "c1", PID: ended.Process.Pid})
	if err != nil || s.NetRecv != 0 || s.NetSent != 0 || s.MemoryUsage == 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestArgumentsThatPsDoesNotTakeAreTheUsers holds that what a user asked wrongly is no failure of
// the server, and that a host without ps is one.
func TestArgumentsThatPsDoesNotTakeAreTheUsers(t *testing.T) {
	for _, c := range []struct {
		said, args string
		kind       domain.FaultKind
		text       string
	}{
		{"ps: error: unknown gnu long option", "--no", domain.Invalid, "ps of the host does not take \"--no\": error: unknown gnu long option"},
		{"ps: exit status 1", "99999", domain.Invalid, "ps of the host finds no process by \"99999\"."},
		{"Couldn't find PID field in ps output", "-o pid=x", domain.Invalid, "ps of the host does not take \"-o pid=x\": Couldn't find PID field in ps output"},
		{`ps: exec: "ps": executable file not found in $PATH`, "aux", domain.Internal, `The container engine failed: ps: exec: "ps": executable file not found in $PATH`},
		{"ps: exit status 1", "", domain.Internal, "The container engine failed: ps: exit status 1"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Api-Version", "1.47")
			if strings.HasSuffix(r.URL.Path, "/top") {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusInternalServerError)
				_ = json.NewEncoder(w).Encode(map[string]string{"message": c.said})
			}
		}))
		t.Cleanup(server.Close)
		e, err := New(Options{Host: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Top(t.Context(), agent.Object{EngineID: "c1"}, c.args)
		var fault *domain.Fault
		if !errors.As(err, &fault) || fault.Kind != c.kind || fault.Message != c.text {
			t.Errorf("%q: %+v, want %q", c.said, fault, c.text)
		}
	}
}

// TestNoColumnOfPsIsTitledPIDByTheUser: the engine tells the container's processes from all
// others of the host by the title of a column alone.
func TestNoColumnOfPsIsTitledPIDByTheUser(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !strings.HasSuffix(r.URL.Path, "/top") {
			return
		}
		asked++
		_, _ = io.WriteString(w, `{"Titles":["PID"],"Processes":[]}`)
	}))
	defer server.Close()
	e, err := New(Options{Host: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"-ouid=PID axeww f -oargs", "-o uid=PID", "--format=uid=PID axeww f", "--format uid=PID", "o ppid=PID", "-e\t-Ovsz=PID"} {
		if _, err := e.Top(t.Context(), agent.Object{EngineID: "c1"}, args); !domain.IsKind(err, domain.Invalid) {
			t.Errorf("%q: got %v", args, err)
		}
	}
	if asked != 0 {
		t.Errorf("the engine was asked %d times", asked)
	}
	for _, args := range []string{"", "aux", "-o pid,args --sort=-pcpu", "--format=pid,args", "-o pid -o args=WORDS"} {
		if _, err := e.Top(t.Context(), agent.Object{EngineID: "c1"}, args); err != nil {
			t.Errorf("%q: got %v", args, err)
		}
	}
}

// TestSessionsThatNobodyJoinsAreBounded: the engine keeps each until the container's process ends.
func TestSessionsThatNobodyJoinsAreBounded(t *testing.T) {
	open, made := maxSessions, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/exec"):
			made++
			_ = json.NewEncoder(w).Encode(map[string]string{"Id": "e1"})
		case strings.HasSuffix(r.URL.Path, "/json"):
			_ = json.NewEncoder(w).Encode(map[string]any{"Id": "c1", "ExecIDs": make([]string, open)})
		}
	}))
	defer server.Close()
	e, err := New(Options{Host: "tcp://" + strings.TrimPrefix(server.URL, "http://"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.ExecCreate(t.Context(), agent.Object{EngineID: "c1"}, []string{"sh"}, true); !domain.IsKind(err, domain.Conflict) || made != 0 {
		t.Errorf("one more than may be: %v, %d made", err, made)
	}
	open--
	if id, err := e.ExecCreate(t.Context(), agent.Object{EngineID: "c1"}, []string{"sh"}, true); err != nil || id != "e1" {
		t.Errorf("as many as may be: %q, %v", id, err)
	}
}
