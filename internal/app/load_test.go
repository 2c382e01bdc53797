package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// asked is the control side as requests find it, without a connection: what a request
// costs here is what the door, the use case and the database take of it.
type asked struct {
	assembled
	token string
	rows  []domain.ContainerID
}

// ask puts a service together with ten hosts and so many running containers.
func ask(b *testing.B, rows int) *asked {
	b.Helper()
	a := &asked{assembled: assemble(b,
		"local.ipv4_pool=10.0.0.0/8", "local.ipv6_pool=", "DEFAULT.service_down_time=86400", "quota.driver=NoopQuotaDriver")}
	b.Cleanup(func() { _ = a.brain.close() })
	answer := a.request("POST", identityPath+"/v3/auth/tokens", credentials(b, a.config))
	if a.token = answer.header.Get("X-Subject-Token"); a.token == "" {
		b.Fatalf("no token: %d", answer.code)
	}
	if err := a.brain.store.Write(b.Context(), func(ctx context.Context, tx control.Tx) error { return a.fill(ctx, tx, rows) }); err != nil {
		b.Fatal(err)
	}
	return a
}

func (a *asked) fill(ctx context.Context, tx control.Tx, rows int) error {
	hosts := make([]domain.Host, 10)
	for i := range hosts {
		hosts[i] = domain.Host{
			ID: uuid.NewString(), Name: "host-" + string(rune('a'+i)), Binary: "zun-compute", Zone: "nova",
			Inventory: domain.Inventory{CPUs: 1e6, MemoryMB: 1 << 32, DiskGB: 1 << 24, Runtimes: []string{"runc"}, EngineUp: true},
		}
		if err := tx.Hosts().Upsert(ctx, hosts[i]); err != nil {
			return err
		}
		if err := tx.Hosts().Beat(ctx, domain.Beat{HostID: hosts[i].ID, Sequence: 1, Inventory: hosts[i].Inventory}); err != nil {
			return err
		}
	}
	for i := range rows {
		host := hosts[i%len(hosts)]
		a.rows = append(a.rows, domain.ContainerID(uuid.NewString()))
		row := domain.Container{
			ID: a.rows[i], ProjectID: "project", UserID: "user", Status: domain.Running, HostID: host.ID, HostName: host.Name,
			Spec: domain.Spec{
				Name: "name-" + string(a.rows[i]), Image: "registry.example/team/service:1.4.2", ImageDriver: "docker",
				Command: []string{"serve", "--port", "8080"}, Environment: map[string]string{"MODE": "production", "LOG_LEVEL": "info"},
				Labels: map[string]string{"app": "sample"}, CPU: 1, CPUPolicy: "shared", MemoryMB: 512,
			},
		}
		if err := tx.Containers().Insert(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// answer takes an answer and keeps its head alone, as a client's buffer would cost more
// than making it.
type answer struct {
	header http.Header
	code   int
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(code int) { a.code = code }

func (a *answer) Write(p []byte) (int, error) { return len(p), nil }

func (a *asked) request(method, path, body string) *answer {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Auth-Token", a.token)
	r.Header.Set("OpenStack-API-Version", "container 1.40")
	r.Header.Set("Accept", "application/json")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := &answer{header: http.Header{}, code: http.StatusOK}
	a.door.ServeHTTP(w, r)
	return w
}

func (a *asked) repeat(b *testing.B, want int, ask func(n int64) *answer) {
	b.Helper()
	b.ReportAllocs()
	var next atomic.Int64
	before := processor(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if answer := ask(next.Add(1)); answer.code != want {
				b.Errorf("answered %d", answer.code)
				return
			}
		}
	})
	b.ReportMetric(float64(processor(b)-before)/float64(b.N), "cpu-ns/op")
}

// processor is the time of processors that this process has taken: unlike the wall's,
// it hardly depends on who else wants them.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func BenchmarkGetOne(b *testing.B) {
	a := ask(b, 1000)
	a.repeat(b, http.StatusOK, func(n int64) *answer {
		return a.request("GET", "/v1/containers/"+string(a.rows[n*7919%1000]), "")
	})
}

func BenchmarkListThousand(b *testing.B) {
	a := ask(b, 1000)
	a.repeat(b, http.StatusOK, func(int64) *answer {
		return a.request("GET", "/v1/containers/?limit=1000&all_projects=true", "")
	})
}

// The loops prepare what was created on the same processors, as in the service.
func BenchmarkCreate(b *testing.B) {
	a := ask(b, 1000)
	ctx, end := context.WithCancel(b.Context())
	var loops sync.WaitGroup
	loops.Go(func() { _ = a.brain.runLoops(ctx) })
	b.Cleanup(func() {
		end()
		loops.Wait()
	})
	b.SetParallelism(16)
	a.repeat(b, http.StatusAccepted, func(int64) *answer {
		return a.request("POST", "/v1/containers/?run=true", `{"image":"cirros","command":["sleep","600"]}`)
	})
}
