package docker

import (
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
