package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/internal/cli/usage"
	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/domain"
)

// version is set by the linker.
var version = "development"

// service is a process: it runs until ctx ends and then stops gracefully.
type service func(ctx context.Context, c config.Config, log *slog.Logger) error

// exitRefused is the exit code of an agent or a console door that control takes no more:
// to start it again changes nothing, so the units do not.
const exitRefused = 77

// Main runs the service called name with the process's arguments and returns the
// exit code. Errors are one sentence on standard error.
func Main(name, short string, run service, chores ...chore) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := serviceCommand(name, short, run, chores)
	err := usage.Execute(ctx, cmd, os.Args[1:])
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return 0 // asked to end while it was still starting
	}
	if err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		if domain.IsKind(err, domain.Unauthenticated) {
			return exitRefused
		}
		return 1
	}
	return 0
}

// chore is a short task of a service's binary beside serving.
type chore struct {
	use, short string
	args       cobra.PositionalArgs
	run        func(ctx context.Context, c config.Config, log *slog.Logger, args []string) error
	parts      []chore // of a word that only groups others; it has no run
}

func serviceCommand(name, short string, run service, chores []chore) *cobra.Command {
	var source config.Source
	cmd := &cobra.Command{
		Use: name, Short: short, Version: version, Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, log, closeLog, err := open(source, name)
			if err != nil {
				return err
			}
			defer closeLog()
			return run(cmd.Context(), c, log)
		},
	}
	takeSource(cmd, &source)
	cmd.AddCommand(configCommand(&source))
	for _, ch := range chores {
		cmd.AddCommand(choreCommand(ch, name, &source))
	}
	return cmd
}

// takeSource lets cmd and all below it be told where the configuration is.
func takeSource(cmd *cobra.Command, source *config.Source) {
	f := cmd.PersistentFlags()
	f.StringArrayVar(&source.Files, "config-file", nil, "configuration file; repeatable (default "+config.DefaultFile+")")
	f.StringArrayVar(&source.Dirs, "config-dir", nil, "directory of *.conf files; repeatable")
	f.StringArrayVar(&source.Set, "set", nil, "section.option=value, before every file; repeatable")
}

func choreCommand(ch chore, name string, source *config.Source) *cobra.Command {
	if ch.run == nil {
		cmd := &cobra.Command{Use: ch.use, Short: ch.short}
		for _, part := range ch.parts {
			cmd.AddCommand(choreCommand(part, name, source))
		}
		return cmd
	}
	return &cobra.Command{Use: ch.use, Short: ch.short, Args: ch.args, RunE: func(cmd *cobra.Command, args []string) error {
		c, log, closeLog, err := open(*source, name)
		if err != nil {
			return err
		}
		defer closeLog()
		return ch.run(cmd.Context(), c, log, args)
	}}
}

// open loads the configuration, opens the log and tells it what is odd.
func open(source config.Source, name string) (config.Config, *slog.Logger, func(), error) {
	c, warnings, err := config.Load(source)
	if err != nil {
		return c, nil, nil, err
	}
	log, closeLog, err := openLog(c.Log, name)
	if err != nil {
		return c, nil, nil, err
	}
	for _, w := range warnings {
		log.Warn("configuration", "what", w.String())
	}
	return c, log, closeLog, nil
}

func openLog(c config.Log, name string) (*slog.Logger, func(), error) {
	var to io.Writer = os.Stderr
	done := func() {}
	if c.File != "" {
		f, err := os.OpenFile(c.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
		if err != nil {
			return nil, nil, fmt.Errorf("open the log: %w", err)
		}
		to, done = f, func() { _ = f.Close() }
	}
	options := &slog.HandlerOptions{Level: c.Level}
	var handler slog.Handler = slog.NewTextHandler(to, options)
	if c.JSON {
		handler = slog.NewJSONHandler(to, options)
	}
	return slog.New(handler).With("service", name), done, nil
}

func configCommand(source *config.Source) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look at the configuration"}
	cmd.AddCommand(
		&cobra.Command{Use: "sample", Short: "Print every option with its default and meaning", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return config.Sample(cmd.OutOrStdout()) }},
		&cobra.Command{Use: "check", Short: "Say what is wrong or without effect", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return config.Check(cmd.OutOrStdout(), *source) }},
		&cobra.Command{Use: "show", Short: "Print what is in force, secrets masked", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return config.Show(cmd.OutOrStdout(), *source) }},
	)
	return cmd
}
