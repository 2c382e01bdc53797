// Command adopt measures an agent that is started again on a host full of containers:
// how long it needs to take them over and to tell control of each, and what memory it
// holds when all of them are idle. The engine is the fake one; zun-api and zun-compute
// are the real processes with the real link between them. It must run where nobody
// else uses /run/netns: see scripts/bench.sh.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/go-zun/zun/bench/database"
	"github.com/go-zun/zun/bench/figure"
	"github.com/go-zun/zun/bench/program"
	"github.com/go-zun/zun/bench/service"
	"github.com/go-zun/zun/client"
)

// What an agent may need.
const (
	adoptTarget  = 5 * time.Second
	memoryTarget = 30 * 1024 // KiB, with no container
	eachTarget   = 25.0      // KiB more per idle container
)

// settled is how long a process is left alone before its memory is read.
const settled = 5 * time.Second

type settings struct {
	bin        string
	containers int
	rounds     int
	dir        string
}

func main() {
	var s settings
	flag.StringVar(&s.bin, "bin", "bin", "directory of the service's binaries")
	flag.IntVar(&s.containers, "containers", 1000, "containers on the host")
	flag.IntVar(&s.rounds, "n", 5, "restarts")
	os.Exit(program.Run("adopt", func(ctx context.Context, dir string) error {
		s.dir = dir
		return run(ctx, s)
	}))
}

func run(ctx context.Context, s settings) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := database.Open(ctx, filepath.Join(s.dir, "api"), "", log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	host, err := newHost(ctx, s, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.close()) }()
	if err := host.measureIdle(ctx); err != nil {
		return err
	}
	return host.measureAdoption(ctx)
}

// host is a zun-api and the one zun-compute that serves it.
type host struct {
	settings
	db      *database.Database
	api     *service.Service
	compute service.Options
	door    service.Options
	client  *client.Client
	bare    int // PSS of the agent without containers, KiB
}

func newHost(ctx context.Context, s settings, db *database.Database) (*host, error) {
	address, port, err := service.FreeAddress()
	if err != nil {
		return nil, err
	}
	_, agents, err := service.FreeAddress()
	if err != nil {
		return nil, err
	}
	_, listen, err := service.FreeAddress()
	if err != nil {
		return nil, err
	}
	o := service.Options{
		Binary: filepath.Join(s.bin, "zun-api"), Dir: filepath.Join(s.dir, "api"), URL: "http://" + address + ":" + port,
		Settings: []string{"api.host_ip=" + address, "api.port=" + port, "api.link_address=" + address + ":" + agents, "database.connection=" + db.DSN},
	}
	api, err := service.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	h := &host{settings: s, db: db, api: api}
	if h.client, _, err = api.Login(ctx); err != nil {
		return nil, errors.Join(err, api.Stop())
	}
	token, err := service.Chore(ctx, o, "host-token", "bench")
	if err != nil {
		return nil, errors.Join(err, api.Stop())
	}
	h.compute = service.Options{
		Binary: filepath.Join(s.bin, "zun-compute"), Dir: filepath.Join(s.dir, "compute"),
		Settings: []string{
			"engine.driver=fake", "DEFAULT.host=bench", "agent.join_token=" + token, "agent.control_address=" + address + ":" + agents,
			"agent.listen=" + address + ":" + listen, "agent.advertise_address=" + address + ":" + listen,
		},
	}
	h.door, err = doorOf(ctx, s, o, address+":"+agents)
	if err != nil {
		return nil, errors.Join(err, api.Stop())
	}
	return h, nil
}

// doorOf is a console door of the deployment whose control is api.
func doorOf(ctx context.Context, s settings, api service.Options, control string) (service.Options, error) {
	token, err := service.Chore(ctx, api, "door-token", "bench-door")
	if err != nil {
		return service.Options{}, err
	}
	address, port, err := service.FreeAddress()
	if err != nil {
		return service.Options{}, err
	}
	_, figures, err := service.FreeAddress()
	if err != nil {
		return service.Options{}, err
	}
	return service.Options{
		Binary: filepath.Join(s.bin, "zun-wsproxy"), Dir: filepath.Join(s.dir, "door"), URL: "http://" + address + ":" + figures, Health: "/metrics",
		Settings: []string{
			"websocket_proxy.wsproxy_host=" + address, "websocket_proxy.wsproxy_port=" + port, "websocket_proxy.metrics_address=" + address + ":" + figures,
			"websocket_proxy.name=bench-door", "websocket_proxy.control_address=" + control, "websocket_proxy.join_token=" + token,
		},
	}, nil
}

// close ends control; the agent is not running then.
func (h *host) close() error { return h.api.Stop() }

// measureIdle tells of the processes with nothing to do.
func (h *host) measureIdle(ctx context.Context) error {
	begun := time.Now()
	agent, err := service.Start(ctx, h.compute)
	if err != nil {
		return err
	}
	err = agent.Await(ctx, "a host", 30*time.Second, func() (bool, error) {
		hosts, err := h.client.Hosts(ctx, client.ListOptions{})
		return len(hosts) == 1, err
	})
	if err != nil {
		return errors.Join(err, agent.Stop())
	}
	joined := time.Since(begun)
	whole, err := h.allInOne(ctx)
	if err != nil {
		return errors.Join(err, agent.Stop())
	}
	defer func() { _ = whole.Stop() }() // it was only looked at
	door, err := service.Start(ctx, h.door)
	if err != nil {
		return errors.Join(err, agent.Stop())
	}
	defer func() { _ = door.Stop() }()
	table := figure.Table{Title: "Processes with nothing to do", Head: []string{"process", "start-up", "RSS", "PSS", "target", "verdict"}}
	if err := rest(ctx, settled); err != nil {
		return errors.Join(err, agent.Stop())
	}
	for _, p := range []struct {
		service *service.Service
		started time.Duration
		target  int
	}{{h.api, h.api.Started, 0}, {agent, joined, memoryTarget}, {door, door.Started, 0}, {whole, whole.Started, 0}} {
		rss, pss, err := p.service.Memory()
		if err != nil {
			return errors.Join(err, agent.Stop())
		}
		goal, verdict := "", ""
		if p.target > 0 {
			goal, verdict = "≤ "+figure.MiB(p.target), figure.Met(pss <= p.target)
			h.bare = pss
		}
		table.Add(filepath.Base(p.service.Binary), figure.Millis(p.started), figure.MiB(rss), figure.MiB(pss), goal, verdict)
	}
	table.Print(os.Stdout)
	return agent.Stop()
}

// allInOne starts a service of its own that is all of it in one process.
func (h *host) allInOne(ctx context.Context) (*service.Service, error) {
	address, port, err := service.FreeAddress()
	if err != nil {
		return nil, err
	}
	return service.Start(ctx, service.Options{
		Binary: filepath.Join(h.bin, "zun-allinone"), Dir: filepath.Join(h.dir, "whole"), URL: "http://" + address + ":" + port,
		Settings: []string{"engine.driver=fake", "api.host_ip=" + address, "api.port=" + port},
	})
}

// rest lets processes come to rest; there is nothing to look at that says they have.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("let processes rest: %w", ctx.Err())
	}
}
