// Command console measures what a byte pays for the way through our console door. In
// one run, round by round, a command is joined through the engine's own exec and
// through zun-api, zun-wsproxy and zun-compute: the time to its first byte, the round
// trip of a key, and how much passes there and back. Nothing is subtracted; the
// overhead is the difference within one run.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-zun/zun/bench/figure"
	"github.com/go-zun/zun/bench/program"
)

// target bounds what the door adds to a first byte and to a key, at p99.
const target = 20 * time.Millisecond

// keysPerRound are the keys typed in one round: a key costs far less than a session.
const keysPerRound = 10

type settings struct {
	docker, image, bin string
	rounds             int
	pieces, size       int // of the throughput, in MiB
	dir                string
}

func main() {
	var s settings
	flag.StringVar(&s.docker, "docker", "unix:///var/run/docker.sock", "the container engine")
	flag.StringVar(&s.image, "image", "bench/cirros:latest", "an image that the engine has")
	flag.StringVar(&s.bin, "bin", "bin", "directory of the service's binaries")
	flag.IntVar(&s.rounds, "n", 200, "rounds of first bytes and keys")
	flag.IntVar(&s.pieces, "pieces", 5, "rounds of the throughput")
	flag.IntVar(&s.size, "size", 64, "MiB of each")
	os.Exit(program.Run("console", func(ctx context.Context, dir string) error {
		s.dir = dir
		return run(ctx, s)
	}))
}

func run(ctx context.Context, s settings) (err error) {
	d, err := newDeployment(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close(context.WithoutCancel(ctx))) }()
	ways := []*way{{name: "the engine's own exec", join: d.engineExec}, {name: "through our door", join: d.ourExec}}
	if err := measureTimes(ctx, s, ways); err != nil {
		return err
	}
	printTimes(ways)
	if err := measureThroughput(ctx, s, ways); err != nil {
		return err
	}
	printThroughput(s, ways)
	return nil
}

// line is a joined command.
type line interface {
	io.ReadWriteCloser
	// CloseWrite ends its input.
	CloseWrite() error
}

// way is one way to a command. A session joined with a terminal stays as it is typed.
type way struct {
	name string
	join func(ctx context.Context, terminal bool, command string) (line, error)

	first, keys, passed figure.Series
}

// raw is a command that sends each key back.
const raw = "stty raw -echo; echo ready; exec cat"

// measureTimes takes first bytes and keys, the ways in turn, each round another first.
func measureTimes(ctx context.Context, s settings, ways []*way) error {
	open := map[*way]line{}
	for _, w := range ways {
		l, err := w.join(ctx, true, raw)
		if err != nil {
			return err
		}
		defer func() { _ = l.Close() }()
		if err := await(l, "ready"); err != nil {
			return err
		}
		open[w] = l
	}
	for round := range s.rounds {
		for i := range ways {
			w := ways[(round+i)%len(ways)]
			took, err := firstByte(ctx, w)
			if err != nil {
				return fmt.Errorf("the first byte, %s: %w", w.name, err)
			}
			w.first = append(w.first, took)
		}
		for key := range keysPerRound {
			for i := range ways {
				w := ways[(key+i)%len(ways)]
				took, err := press(open[w])
				if err != nil {
					return fmt.Errorf("a key, %s: %w", w.name, err)
				}
				w.keys = append(w.keys, took)
			}
		}
	}
	return nil
}

// await reads until a text came.
func await(l io.Reader, text string) error {
	var seen []byte
	piece := make([]byte, 256)
	for !bytes.Contains(seen, []byte(text+"\n")) && !bytes.Contains(seen, []byte(text+"\r\n")) {
		n, err := l.Read(piece)
		if err != nil {
			return fmt.Errorf("wait for %q: %w", text, err)
		}
		seen = append(seen, piece[:n]...)
	}
	return nil
}

// firstByte is the time from the request to the first byte of a command's output.
func firstByte(ctx context.Context, w *way) (time.Duration, error) {
	begun := time.Now()
	l, err := w.join(ctx, true, "echo hello")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	if _, err := l.Read(make([]byte, 1)); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	_, err = io.Copy(io.Discard, l) // the session ends before the next begins
	return took, err
}

// press is the time from a key to its return.
func press(l line) (time.Duration, error) {
	key := []byte{'x'}
	begun := time.Now()
	if _, err := l.Write(key); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(l, key)
	return time.Since(begun), err
}

func measureThroughput(ctx context.Context, s settings, ways []*way) error {
	for round := range s.pieces {
		for i := range ways {
			w := ways[(round+i)%len(ways)]
			took, err := pass(ctx, w, int64(s.size)<<20)
			if err != nil {
				return fmt.Errorf("throughput, %s: %w", w.name, err)
			}
			w.passed = append(w.passed, took)
		}
	}
	return nil
}

// pass sends size bytes into a command that sends them back.
func pass(ctx context.Context, w *way, size int64) (time.Duration, error) {
	l, err := w.join(ctx, false, "exec cat")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	begun := time.Now()
	var both errgroup.Group
	both.Go(func() error {
		_, err := io.CopyBuffer(struct{ io.Writer }{l}, io.LimitReader(same{}, size), make([]byte, 32<<10))
		return errors.Join(err, l.CloseWrite())
	})
	back, err := io.Copy(io.Discard, struct{ io.Reader }{l})
	if err = errors.Join(err, both.Wait()); err == nil && back != size {
		err = fmt.Errorf("%d of %d bytes came back", back, size)
	}
	return time.Since(begun), err
}

// same is a stream without an end.
type same struct{}

// Read implements io.Reader.
func (same) Read(p []byte) (int, error) { return len(p), nil }

func printTimes(ways []*way) {
	verdicts := figure.Table{Title: "What our door adds", Head: []string{"figure", "measured", "target", "verdict"}}
	for _, part := range []struct {
		title  string
		what   string
		series func(w *way) figure.Series
	}{
		{"From the request for a command in a terminal to its first byte", "first byte", func(w *way) figure.Series { return w.first }},
		{"From a key to its return", "key", func(w *way) figure.Series { return w.keys }},
	} {
		engine, ours := part.series(ways[0]), part.series(ways[1])
		table := figure.Table{Title: fmt.Sprintf("%s (%d interleaved rounds)", part.title, len(ours)), Head: []string{"way", "p50", "p90", "p99"}}
		for _, w := range ways {
			of := part.series(w)
			table.Add(w.name, figure.Millis(of.Quantile(0.5)), figure.Millis(of.Quantile(0.9)), figure.Millis(of.Quantile(0.99)))
		}
		table.Print(os.Stdout)
		over := ours.Quantile(0.99) - engine.Quantile(0.99)
		verdicts.Add(part.what+", p50 of the differences within each round", figure.Millis(ours.Over(engine).Quantile(0.5)), "", "")
		verdicts.Add(part.what+", p99 over p99", figure.Millis(over), "≤ "+figure.Millis(target), figure.Met(over <= target))
	}
	verdicts.Print(os.Stdout)
}

func printThroughput(s settings, ways []*way) {
	table := figure.Table{
		Title: fmt.Sprintf("%d MiB into a command and back (%d interleaved rounds)", s.size, s.pieces), Head: []string{"way", "p50", "MiB/s each way"},
	}
	for _, w := range ways {
		half := w.passed.Quantile(0.5)
		table.Add(w.name, figure.Millis(half), strconv.Itoa(int(figure.PerSecond(s.size, half))))
	}
	ratio := float64(ways[0].passed.Quantile(0.5)) / float64(ways[1].passed.Quantile(0.5))
	table.Add("through our door, share of the engine's", "", fmt.Sprintf("%.0f %%", 100*ratio))
	table.Print(os.Stdout)
}
