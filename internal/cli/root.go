package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/table"
	"github.com/go-zun/zun/internal/cli/usage"
)

// Streams are what a command reads and writes.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// command is what every command needs: who is calling, how to print, where.
type command struct {
	Streams
	settings *settings
	output   output
}

// exitCode ends the command with a code that is not an error of ours: that of the
// process run by exec.
type exitCode int

// Error is never shown; Run turns the code into the command's own.
func (e exitCode) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// Run executes the command line and returns its exit code. An error is one line on
// Err. environ is in the form of os.Environ.
func Run(ctx context.Context, args, environ []string, streams Streams) int {
	root := New(environ, streams)
	err := usage.Execute(ctx, root, args)
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	default:
		_, _ = fmt.Fprintln(streams.Err, paint(streams.Err, red, "ERROR:"), firstLine(err.Error()))
		return 1
	}
}

// New returns the whole command tree.
func New(environ []string, streams Streams) *cobra.Command {
	env := make(map[string]string, len(environ))
	for _, pair := range environ {
		if key, value, ok := strings.Cut(pair, "="); ok {
			env[key] = value
		}
	}
	c := &command{Streams: streams, settings: newSettings(env)}
	root := &cobra.Command{
		Use: "zun", Short: "Containers as resources of a cloud", SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return c.output.check() },
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	c.settings.flags(root.PersistentFlags())
	root.PersistentFlags().StringVarP(&c.output.form, "format", "f", "table", "how to print: table, json, yaml or value")
	root.PersistentFlags().StringSliceVarP(&c.output.columns, "column", "c", nil, "print only this column; repeatable")
	root.AddCommand(c.containerCommands()...)
	root.AddCommand(c.insideCommands()...)
	root.AddCommand(c.adminCommands()...)
	root.AddCommand(c.quotaCommands()...)
	root.AddCommand(c.registryCommands()...)
	root.AddCommand(c.capsuleCommands()...)
	root.AddCommand(c.imageCommands()...)
	root.AddCommand(c.commitCommand())
	root.AddCommand(c.networkCommands()...)
	root.AddCommand(c.versionCommands()...)
	return root
}

// client makes the client for one run of a command.
func (c *command) client() (*client.Client, error) { return c.settings.client(c.Streams) }

// run adapts a function that needs the client to cobra.
func (c *command) run(fn func(ctx context.Context, api *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		api, err := c.client()
		if err != nil {
			return err
		}
		return fn(cmd.Context(), api, args)
	}
}

// each does fn for every object named, prints one line for each, goes on after a
// failure, and fails in the end if any failed.
func (c *command) each(idents []string, accepted string, fn func(ident string) error) error {
	failed := 0
	for _, ident := range idents {
		if err := fn(ident); err != nil {
			failed++
			_, _ = fmt.Fprintln(c.Err, firstLine(err.Error()))
			continue
		}
		_, _ = fmt.Fprintf(c.Out, accepted+"\n", ident)
	}
	if failed > 0 {
		return exitCode(1)
	}
	return nil
}

const (
	red   = "\x1b[31m"
	gray  = "\x1b[90m"
	reset = "\x1b[0m"
)

// paint colours s if w is a terminal.
func paint(w io.Writer, colour, s string) string {
	if !isTerminal(w) {
		return s
	}
	return colour + s + reset
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return table.Visible(line) // a service may quote what another user wrote
}
