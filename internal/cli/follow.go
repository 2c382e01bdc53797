package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"github.com/go-zun/zun/client"
)

// followLogs prints a container's output until the container ends: each stream to its
// own, by the uuid, as its name may be changed meanwhile. What is missing, and at a terminal what goes wrong on the way, is told beside it.
func (c *command) followLogs(ctx context.Context, cl *client.Client, ident string, q url.Values, stamps bool) error {
	container, err := cl.Container(ctx, ident, false)
	if err != nil {
		return err
	}
	watched := isTerminal(c.Err)
	o := client.FollowOptions{Query: q, Broken: func(err error) {
		if watched {
			_, _ = fmt.Fprintln(c.Err, paint(c.Err, gray, firstLine(err.Error())+"; following on"))
		}
	}}
	err = cl.FollowLogs(ctx, container.UUID, o, func(e client.LogEvent) error {
		switch e.Name {
		case "line":
			return c.printLine(e, stamps)
		case "gap":
			_, err := fmt.Fprintf(c.Err, "zun: output is missing here: %s\n", e.Reason)
			return err
		}
		return nil
	})
	if ctx.Err() != nil {
		return exitCode(130) // as a shell reports an interrupt
	}
	return err
}

func (c *command) printLine(e client.LogEvent, stamps bool) error {
	to := c.Out
	if e.Stream == "stderr" {
		to = c.Err
	}
	if stamps {
		if _, err := io.WriteString(to, e.Time+" "); err != nil {
			return err
		}
	}
	_, err := to.Write(e.Data)
	return err
}
