// Command load asks zun-api for containers and makes new ones, with few and with many
// rows in its database. The hosts of this bench accept everything and nobody works on
// them, so a create is measured up to its 202; the loops of zun-api prepare it meanwhile
// on the same processors, and what that takes is counted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-zun/zun/bench/database"
	"github.com/go-zun/zun/bench/figure"
	"github.com/go-zun/zun/bench/program"
	"github.com/go-zun/zun/bench/service"
)

// What the API should bear.
const (
	getTarget    = 10_000 // per second
	createTarget = 2_000  // per second
	getTarget99  = 10 * time.Millisecond
	listTarget99 = 50 * time.Millisecond
	memoryTarget = 4.0 // KiB per row
)

type settings struct {
	bin, postgres string
	rows          []int
	span, bound   time.Duration
	clients       int
	hosts         int
	dir           string
	until         time.Time // when no further size is begun
}

func main() {
	var s settings
	var rows string
	flag.StringVar(&s.bin, "bin", "bin", "directory of the service's binaries")
	flag.StringVar(&s.postgres, "postgres", "", "URL of a PostgreSQL server; none: SQLite only")
	flag.StringVar(&rows, "rows", "10,1000,10000,100000", "sizes of the table of containers")
	flag.DurationVar(&s.span, "span", 3*time.Second, "how long each request is repeated")
	flag.DurationVar(&s.bound, "bound", 5*time.Minute, "no further size is begun after this time")
	flag.IntVar(&s.clients, "clients", 16, "connections")
	flag.IntVar(&s.hosts, "hosts", 10, "hosts to place containers on")
	os.Exit(program.Run("load", func(ctx context.Context, dir string) error {
		s.dir = dir
		return run(ctx, s, rows)
	}))
}

func run(ctx context.Context, s settings, rows string) (err error) {
	for word := range strings.SplitSeq(rows, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of rows", word)
		}
		s.rows = append(s.rows, n)
	}
	servers := []string{""}
	if s.postgres != "" {
		servers = append(servers, s.postgres)
	}
	begun := time.Now()
	for i, server := range servers {
		// Each database has its share of the time.
		s.until = begun.Add(s.bound * time.Duration(i+1) / time.Duration(len(servers)))
		if err := s.measure(ctx, server); err != nil {
			return err
		}
	}
	return nil
}

// measure prints the tables of one database. The sizes grow in one database, so that
// what each row costs in memory can be told.
func (s settings) measure(ctx context.Context, server string) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	dir := filepath.Join(s.dir, "sqlite")
	if server != "" {
		dir = filepath.Join(s.dir, "postgres")
	}
	db, err := database.Open(ctx, dir, server, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	hosts, err := db.AddHosts(ctx, s.hosts)
	if err != nil {
		return err
	}
	api, err := s.start(ctx, dir, db.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, api.Stop()) }()
	trial, err := newTrial(ctx, s, api, db, hosts[0])
	if err != nil {
		return err
	}
	report := newReport(db.Kind)
	for _, rows := range s.rows {
		if time.Now().After(s.until) {
			report.requests.Add("not measured: the time was over", strconv.Itoa(rows))
			continue
		}
		if err := trial.at(ctx, rows, report); err != nil {
			return err
		}
	}
	report.print()
	return nil
}

func (s settings) start(ctx context.Context, dir, dsn string) (*service.Service, error) {
	host, port, err := service.FreeAddress()
	if err != nil {
		return nil, err
	}
	_, agents, err := service.FreeAddress()
	if err != nil {
		return nil, err
	}
	return service.Start(ctx, service.Options{
		Binary: filepath.Join(s.bin, "zun-api"), Dir: dir, URL: "http://" + host + ":" + port,
		Settings: []string{
			"api.host_ip=" + host, "api.port=" + port, "api.link_address=" + host + ":" + agents, "database.connection=" + dsn,
			// Nobody counts quota here, and the made-up hosts beat only once.
			"quota.driver=NoopQuotaDriver", "DEFAULT.service_down_time=86400",
			"local.ipv4_pool=10.175.0.0/16", "local.ipv6_pool=",
		},
	})
}

// report gathers the tables of one database.
type report struct {
	requests, memory figure.Table
}

func newReport(kind string) *report {
	return &report{
		requests: figure.Table{
			Title: "Load on " + kind,
			Head:  []string{"request", "rows", "requests/s", "p50", "p99", "CPU of zun-api each", "n", "target", "verdict"},
		},
		memory: figure.Table{
			Title: "Memory of zun-api at rest on " + kind, Head: []string{"rows", "RSS", "PSS", "per row more than with the fewest", "target", "verdict"},
		},
	}
}

func (r *report) print() {
	r.requests.Print(os.Stdout)
	r.memory.Print(os.Stdout)
}
