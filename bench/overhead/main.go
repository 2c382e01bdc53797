// Command overhead measures what this service adds to a container engine. In one run,
// round by round, it starts a container in four ways: with the bare calls that our
// agent makes and the same plumbing, through our API without and with ready sandboxes,
// and as plain `docker run -d` does. Then it runs commands in one container, through the
// engine and through our API. Nothing is subtracted; the overhead is the difference
// within each round.
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
	"time"

	"github.com/go-zun/zun/bench/figure"
	"github.com/go-zun/zun/bench/program"
	"github.com/go-zun/zun/bench/service"
)

// Targets of the overhead, per container start and per executed command.
const (
	createTarget50 = 25 * time.Millisecond
	createTarget99 = 100 * time.Millisecond
	execTarget50   = 10 * time.Millisecond
)

type settings struct {
	docker, image, bin string
	rounds, execs      int
	ready              int
	dir                string
}

func main() {
	var s settings
	flag.StringVar(&s.docker, "docker", "unix:///var/run/docker.sock", "the container engine")
	flag.StringVar(&s.image, "image", "bench/cirros:latest", "an image that the engine has")
	flag.StringVar(&s.bin, "bin", "bin", "directory of the service's binaries")
	flag.IntVar(&s.rounds, "n", 200, "rounds of starts")
	flag.IntVar(&s.execs, "execs", 200, "rounds of executed commands")
	flag.IntVar(&s.ready, "ready", 4, "ready sandboxes of the second service")
	os.Exit(program.Run("overhead", func(ctx context.Context, dir string) error {
		s.dir = dir
		return run(ctx, s)
	}))
}

func run(ctx context.Context, s settings) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	bare, err := newBare(ctx, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.close(context.WithoutCancel(ctx))) }()
	plain, err := startRunner(ctx, s, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plain.close()) }()
	stocked, err := startRunner(ctx, s, s.ready)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stocked.close()) }()
	if err := measureStarts(ctx, s, bare, plain, stocked); err != nil {
		return err
	}
	return measureExecs(ctx, s, bare, plain)
}

// way is one way of starting a container: start returns when it runs. Outside of what
// is measured, settle waits until the next start finds everything as this one did, and
// leave removes the container.
type way struct {
	name   string
	start  func(ctx context.Context) (leave leave, err error)
	settle func(ctx context.Context) error
	took   figure.Series
}

type leave func(ctx context.Context) error

// removal is how many rounds of idle containers are kept before they are removed, a few
// at a time: that takes longer than starting them.
const (
	removeEvery = 10
	removeAt    = 4
)

func measureStarts(ctx context.Context, s settings, bare *bare, plain, stocked *runner) (err error) {
	nothing := func(context.Context) error { return nil }
	ways := []*way{
		{name: "A: the engine's calls and plumbing, without us", start: bare.sandboxed, settle: nothing},
		{name: "B: our API, no ready sandbox", start: plain.create, settle: nothing},
		{name: "B: our API, " + strconv.Itoa(s.ready) + " ready sandboxes", start: stocked.create, settle: stocked.stocked},
		{name: "C: as `docker run -d`", start: bare.ordinary, settle: nothing},
	}
	const warmUp = 2
	var left []leave
	defer func() { err = errors.Join(err, removeAll(context.WithoutCancel(ctx), left)) }()
	for round := range s.rounds + warmUp {
		// Each round begins with another way, so that none always follows the same one.
		for i := range ways {
			w := ways[(round+i)%len(ways)]
			begun := time.Now()
			gone, err := w.start(ctx)
			took := time.Since(begun)
			if gone != nil {
				left = append(left, gone)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			if round >= warmUp {
				w.took = append(w.took, took)
			}
			if err := w.settle(ctx); err != nil {
				return fmt.Errorf("after %s: %w", w.name, err)
			}
		}
		if round%removeEvery == removeEvery-1 {
			if err := removeAll(ctx, left); err != nil {
				return err
			}
			left = nil
			fmt.Fprintf(os.Stderr, "%d of %d rounds\n", round+1, s.rounds+warmUp)
		}
	}
	printStarts(ways)
	return nil
}

// removeAll removes containers, a few at a time.
func removeAll(ctx context.Context, left []leave) error {
	errs := make(chan error, len(left))
	free := make(chan struct{}, removeAt)
	for _, gone := range left {
		free <- struct{}{}
		go func() {
			errs <- gone(ctx)
			<-free
		}()
	}
	var all error
	for range left {
		all = errors.Join(all, <-errs)
	}
	return all
}

func printStarts(ways []*way) {
	table := figure.Table{
		Title: fmt.Sprintf("From the request to a running process (image present, %d interleaved rounds)", len(ways[0].took)),
		Head:  []string{"way", "p50", "p90", "p99"},
	}
	for _, w := range ways {
		table.Add(w.name, quantiles(w.took)...)
	}
	table.Print(os.Stdout)
	base, ours, stocked, docker := ways[0].took, ways[1].took, ways[2].took, ways[3].took
	over := ours.Over(base)
	verdicts := figure.Table{Title: "What we add to it", Head: []string{"figure", "measured", "target", "verdict"}}
	verdicts.Add("overhead p50 (difference within each round)", verdict(over.Quantile(0.5), createTarget50)...)
	verdicts.Add("overhead p99 (difference within each round)", verdict(over.Quantile(0.99), createTarget99)...)
	verdicts.Add("overhead of the p50s", verdict(ours.Quantile(0.5)-base.Quantile(0.5), createTarget50)...)
	verdicts.Add("overhead of the p99s", verdict(ours.Quantile(0.99)-base.Quantile(0.99), createTarget99)...)
	verdicts.Add("p50 with ready sandboxes, against `docker run -d`", verdict(stocked.Quantile(0.5), docker.Quantile(0.5))...)
	verdicts.Print(os.Stdout)
}

func quantiles(s figure.Series) []string {
	return []string{figure.Millis(s.Quantile(0.5)), figure.Millis(s.Quantile(0.9)), figure.Millis(s.Quantile(0.99))}
}

func verdict(measured, target time.Duration) []string {
	return []string{figure.Millis(measured), "≤ " + figure.Millis(target), figure.Met(measured <= target)}
}

func measureExecs(ctx context.Context, s settings, bare *bare, ours *runner) error {
	id, leave, err := ours.launch(ctx)
	if err != nil {
		return err
	}
	engine, api := figure.Series{}, figure.Series{}
	for range s.execs {
		begun := time.Now()
		if err := bare.execute(ctx, "zun-"+id); err != nil {
			return err
		}
		middle := time.Now()
		if err := ours.execute(ctx, id); err != nil {
			return err
		}
		engine, api = append(engine, middle.Sub(begun)), append(api, time.Since(middle))
	}
	table := figure.Table{
		Title: fmt.Sprintf("A command in a container, from the request to its output and exit code (%d interleaved rounds)", s.execs),
		Head:  []string{"way", "p50", "p90", "p99"},
	}
	table.Add("the engine's own exec", quantiles(engine)...)
	table.Add("our execute", quantiles(api)...)
	table.Print(os.Stdout)
	verdicts := figure.Table{Title: "What we add to a command", Head: []string{"figure", "measured", "target", "verdict"}}
	verdicts.Add("overhead p50 (difference within each round)", verdict(api.Over(engine).Quantile(0.5), execTarget50)...)
	verdicts.Print(os.Stdout)
	return leave(ctx)
}

// startRunner starts an all-in-one that keeps ready sandboxes.
func startRunner(ctx context.Context, s settings, ready int) (*runner, error) {
	host, port, err := service.FreeAddress()
	if err != nil {
		return nil, err
	}
	o := service.Options{
		Binary: filepath.Join(s.bin, "zun-allinone"), Dir: filepath.Join(s.dir, "ready-"+strconv.Itoa(ready)), URL: "http://" + host + ":" + port,
		Settings: []string{
			"api.host_ip=" + host, "api.port=" + port, "docker.api_url=" + s.docker, "engine.ready_sandboxes=" + strconv.Itoa(ready),
			// Two deployments share this host, so each has a range of its own.
			fmt.Sprintf("local.ipv4_pool=10.%d.0.0/16", 171+min(ready, 1)), "local.ipv6_pool=",
		},
	}
	return newRunner(ctx, s, o, ready)
}
