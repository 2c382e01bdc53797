package cli

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/grammar"
)

// insideCommands look into a container.
func (c *command) insideCommands() []*cobra.Command {
	return []*cobra.Command{c.logsCommand(), c.execCommand(), c.attachCommand(), c.copyCommand(), c.topCommand(), c.statsCommand(), c.actionListCommand(), c.actionShowCommand()}
}

func (c *command) logsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "logs CONTAINER", Short: "Print what a container wrote", Args: cobra.ExactArgs(1)}
	f := cmd.Flags()
	stdout, stderr := f.Bool("stdout", false, "only standard output"), f.Bool("stderr", false, "only standard error")
	stamps := f.BoolP("timestamps", "t", false, "with timestamps")
	since, tail := f.String("since", "", "only after this time (seconds since 1970, or YYYY-MM-DD HH:MM:SS,mmm)"), f.String("tail", "all", "only so many lines from the end")
	follow := f.BoolP("follow", "f", false, "go on until the container ends, through lost connections")
	restarts := f.Bool("restarts", false, "with --follow: go on when the container is started again, until it is deleted")
	f.String("format", "", "")
	_ = f.MarkHidden("format") // without effect here; it gives its letter to --follow
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		q := url.Values{"stdout": {truth(*stdout || !*stderr)}, "stderr": {truth(*stderr || !*stdout)}, "timestamps": {truth(*stamps)}, "tail": {*tail}}
		setIf(q, "since", *since)
		if *follow {
			q.Set("restarts", truth(*restarts))
			q.Del("timestamps") // each line comes with its time
			return c.followLogs(ctx, cl, args[0], q, *stamps)
		}
		text, err := cl.Logs(ctx, args[0], q)
		if err != nil {
			return err
		}
		_, err = io.WriteString(c.Out, text)
		return err
	})
	return cmd
}

// truth spells a boolean as the service's oldest clients do.
func truth(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func (c *command) execCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "exec CONTAINER COMMAND...", Short: "Run a command in a running container", Args: cobra.MinimumNArgs(2)}
	interactive := cmd.Flags().BoolP("interactive", "i", false, "with this command's input, and a terminal if this is one")
	cmd.Flags().SetInterspersed(false) // what follows the container belongs to the command
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		words := grammar.Command(args)
		if len(words) == 0 {
			return errors.New("no command is given")
		}
		if *interactive {
			return c.converse(ctx, cl, args[0], words)
		}
		result, err := cl.Execute(ctx, args[0], api.JoinWords(words))
		if err != nil {
			return err
		}
		if _, err := io.WriteString(c.Out, deref(result.Output, "")); err != nil {
			return err
		}
		if result.ExitCode != nil && *result.ExitCode != 0 {
			return exitCode(*result.ExitCode)
		}
		return nil
	})
	return cmd
}

func (c *command) topCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "top CONTAINER", Short: "List the processes of a container", Args: cobra.ExactArgs(1)}
	pids := cmd.Flags().StringArray("pid", nil, "an argument for ps; repeatable")
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		table, err := cl.Top(ctx, args[0], strings.Join(*pids, " "))
		if err != nil {
			return err
		}
		records := make([]record, 0, len(table.Processes))
		for _, process := range table.Processes {
			var r record
			for i, title := range table.Titles {
				if i < len(process) {
					r = append(r, field{title, process[i]})
				}
			}
			records = append(records, r)
		}
		return c.output.many(c.Out, table.Titles, records)
	})
	return cmd
}

func (c *command) statsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "stats CONTAINER", Short: "Show what a container uses", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			stats, err := cl.Stats(ctx, args[0])
			if err != nil {
				return err
			}
			r, err := recordOf(stats)
			if err != nil {
				return err
			}
			return c.output.one(c.Out, r)
		}),
	}
}

func (c *command) actionListCommand() *cobra.Command {
	columns := []string{"user_id", "container_uuid", "request_id", "action", "message", "start_time"}
	return &cobra.Command{
		Use: "action-list CONTAINER", Short: "List what was asked of a container", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			list, err := cl.Actions(ctx, args[0])
			if err != nil {
				return err
			}
			return printList(c, columns, list)
		}),
	}
}

func (c *command) actionShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "action-show CONTAINER REQUEST_ID", Short: "Show one request on a container", Args: cobra.ExactArgs(2),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			action, err := cl.Action(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			return printOne(c, action)
		}),
	}
}

func printList[T any](c *command, columns []string, list []T) error {
	records, err := recordsOf(list)
	if err != nil {
		return err
	}
	return c.output.many(c.Out, columns, records)
}

func printOne(c *command, v any) error {
	r, err := recordOf(v)
	if err != nil {
		return err
	}
	return c.output.one(c.Out, r)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
