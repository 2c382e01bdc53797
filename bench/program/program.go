// Package program runs a bench as a process: flags, signals, a directory of its own.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Run reads the flags, does work in a directory that is removed afterwards, and returns
// the exit code. A signal ends the context of work.
func Run(name string, work func(ctx context.Context, dir string) error) int {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := inside(ctx, work); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

func inside(ctx context.Context, work func(ctx context.Context, dir string) error) error {
	dir, err := os.MkdirTemp("", "zun-bench-")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	return errors.Join(work(ctx, dir), os.RemoveAll(dir))
}
