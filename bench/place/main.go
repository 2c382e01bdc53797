// Command place measures the scheduler: how many hosts it picks per second in a fleet
// of thousands, in memory on one processor, and committed to PostgreSQL.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zun/zun/bench/database"
	"github.com/go-zun/zun/bench/figure"
	"github.com/go-zun/zun/bench/program"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/control/containers"
	"github.com/go-zun/zun/internal/control/place"
	"github.com/go-zun/zun/internal/control/placing"
	"github.com/go-zun/zun/internal/domain"
)

// Decisions per second.
const (
	memoryTarget = 10_000
	commitTarget = 3_000
)

type settings struct {
	dir      string
	postgres string
	hosts    int
	span     time.Duration
	workers  int
}

func main() {
	var s settings
	flag.StringVar(&s.postgres, "postgres", "", "URL of a PostgreSQL server; none: in memory only")
	flag.IntVar(&s.hosts, "hosts", 10_000, "hosts of the fleet")
	flag.DurationVar(&s.span, "span", 5*time.Second, "how long each way is measured")
	flag.IntVar(&s.workers, "workers", 16, "transactions at once")
	os.Exit(program.Run("place", func(ctx context.Context, dir string) error {
		s.dir = dir
		return run(ctx, s)
	}))
}

func run(ctx context.Context, s settings) (err error) {
	table := figure.Table{
		Title: fmt.Sprintf("Placing on %d hosts", s.hosts),
		Head:  []string{"way", "decisions/s", "p50", "p99", "target", "verdict"},
	}
	addMemory(&table, s)
	if s.postgres == "" {
		table.Print(os.Stdout)
		return nil
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	db, err := database.Open(ctx, s.dir, s.postgres, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	hosts, err := db.AddHosts(ctx, s.hosts)
	if err != nil {
		return err
	}
	if err := addCommitted(ctx, &table, s, db, hosts); err != nil {
		return err
	}
	if err := addCreates(ctx, &table, s, db, log); err != nil {
		return err
	}
	table.Print(os.Stdout)
	return nil
}

// snapshot is a fleet with roomy hosts, all alive.
func snapshot(hosts []domain.Host) place.Snapshot {
	now := time.Now().UTC()
	for i := range hosts {
		hosts[i].LastSeenUp, hosts[i].CreatedAt = now, now
	}
	return place.Snapshot{Hosts: hosts, Now: now, DownAfter: time.Hour, Ratios: place.Ratios{CPU: 16, RAM: 1.5, Disk: 1, ReservedMemoryMB: 512}}
}

func need() place.Need {
	return place.NeedOf(domain.Spec{CPU: 1, MemoryMB: 512, Zone: "nova", CPUPolicy: "shared"}, nil)
}

func picker() place.Picker {
	return place.Default(mathrand.IntN)
}

// addMemory picks on one processor; each choice fills its host before the next.
func addMemory(table *figure.Table, s settings) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	hosts := make([]domain.Host, s.hosts)
	at := make(map[string]int, s.hosts)
	for i := range hosts {
		hosts[i] = database.Host(i)
		at[hosts[i].ID] = i
	}
	for _, way := range []struct {
		name   string
		enough int
	}{{"in memory, one processor", picker().Enough}, {"in memory, looking at every host", 0}} {
		fleet, pick, n := snapshot(hosts), picker(), need()
		pick.Enough = way.enough
		var took figure.Series
		begun := time.Now()
		for time.Since(begun) < s.span {
			one := time.Now()
			host, _, fits := pick.Pick(fleet, n)
			took = append(took, time.Since(one))
			if !fits {
				break
			}
			used := &hosts[at[host.ID]].Used
			used.Containers, used.CPU, used.MemoryMB = used.Containers+1, used.CPU+n.Claim.CPU, used.MemoryMB+n.Claim.MemoryMB
		}
		target := memoryTarget
		if way.enough == 0 {
			target = 0
		}
		add(table, way.name, took, time.Since(begun), target)
	}
}

func add(table *figure.Table, name string, took figure.Series, spent time.Duration, target int) {
	goal, verdict := "", ""
	if target > 0 {
		goal, verdict = fmt.Sprintf("≥ %d/s", target), figure.Met(figure.PerSecond(len(took), spent) >= float64(target))
	}
	table.Add(name, figure.Rate(len(took), spent), figure.Millis(took.Quantile(0.5)), figure.Millis(took.Quantile(0.99)), goal, verdict)
}

// addCommitted picks and takes the claim in a transaction.
func addCommitted(ctx context.Context, table *figure.Table, s settings, db *database.Database, hosts []domain.Host) error {
	fleet, pick, n := snapshot(hosts), picker(), need()
	took, spent, err := together(ctx, s, func(ctx context.Context) error {
		host, _, fits := pick.Pick(fleet, n)
		if !fits {
			return errors.New("no host fits")
		}
		return db.Store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
			return tx.Hosts().Claim(ctx, host.ID, n.Claim, fleet.Ratios.Capacity(&host))
		})
	})
	if err != nil {
		return err
	}
	add(table, "committed to PostgreSQL: the choice and its claim", took, spent, commitTarget)
	return nil
}

// addCreates accepts whole containers: row, action, quota and claim in one transaction.
func addCreates(ctx context.Context, table *figure.Table, s settings, db *database.Database, log *slog.Logger) error {
	options := control.DefaultOptions()
	options.QuotaOff, options.ServiceDownTime = true, time.Hour
	brain := control.New(control.Deps{Store: db.Store, Nodes: deaf{}, Rand: rand.Reader, Options: options})
	clock := func() time.Time { return time.Now().UTC() }
	c := containers.New(containers.Deps{
		Control: brain, Placing: placing.New(placing.Deps{Control: brain, Clock: clock, Log: log}), Networking: nowhere{}, Log: log,
	})
	var project atomic.Int64
	took, spent, err := together(ctx, s, func(ctx context.Context) error {
		// Many projects, because the quota row of one serialises its own creates.
		actor := domain.Actor{UserID: "user", ProjectID: fmt.Sprint("project-", project.Add(1)%64), RequestID: "req-bench"}
		_, err := c.Create(ctx, actor, control.CreateRequest{Spec: domain.Spec{Image: "cirros"}, Run: true})
		return err
	})
	if err != nil {
		return err
	}
	add(table, "committed to PostgreSQL: whole creates (row, action, quota, claim)", took, spent, 0)
	return nil
}

// together runs decide on all workers until the span is over.
func together(ctx context.Context, s settings, decide func(ctx context.Context) error) (figure.Series, time.Duration, error) {
	each := make([]figure.Series, s.workers)
	errs := make([]error, s.workers)
	begun := time.Now()
	var all sync.WaitGroup
	for i := range s.workers {
		all.Go(func() {
			for time.Since(begun) < s.span && errs[i] == nil {
				one := time.Now()
				errs[i] = decide(ctx)
				each[i] = append(each[i], time.Since(one))
			}
		})
	}
	all.Wait()
	spent := time.Since(begun)
	var took figure.Series
	for _, series := range each {
		took = append(took, series...)
	}
	return took, spent, errors.Join(errs...)
}
