package cli

import (
	"context"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

func (c *command) attachCommand() *cobra.Command {
	return &cobra.Command{
		Use: "attach CONTAINER", Short: "Join the terminal of an interactive container; ~. leaves it", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error { return c.attach(ctx, cl, args[0]) }),
	}
}

// attach joins a container's own terminal. The size of this one is told only if there is one.
func (c *command) attach(ctx context.Context, cl *client.Client, ident string) error {
	address, err := cl.Attach(ctx, ident)
	if err != nil {
		return err
	}
	console, err := cl.Console(ctx, address)
	if err != nil {
		return err
	}
	t := &talk{command: c, console: console}
	if c.onTerminal() {
		t.greeting = "connected to " + ident + "; ~. at the beginning of a line disconnects"
		t.resize = func(ctx context.Context, width, height int) error { return cl.Resize(ctx, ident, "", width, height) }
	}
	return t.hold(ctx)
}

// converse runs a command in a container with this command's input and output. At a
// terminal it gets one, too; else bytes pass as they are, and the end of the input
// is the end of the command's.
func (c *command) converse(ctx context.Context, cl *client.Client, ident string, words []string) error {
	terminal := c.onTerminal()
	execID, address, err := cl.ExecSession(ctx, ident, api.JoinWords(words), terminal)
	if err != nil {
		return err
	}
	console, err := cl.Console(ctx, address)
	if err != nil {
		return err
	}
	t := &talk{command: c, console: console}
	if terminal {
		t.resize = func(ctx context.Context, width, height int) error {
			return cl.Resize(ctx, ident, execID, width, height)
		}
	}
	return t.hold(ctx)
}

// follow waits for a container that was just run and joins it. One that ended before
// it could be joined has its output in the log.
func (c *command) follow(ctx context.Context, cl *client.Client, container api.Container) error {
	ready, err := c.waitReady(ctx, cl, container.UUID, true)
	if err != nil {
		return err
	}
	if ready.Status == "Running" {
		return c.attach(ctx, cl, container.UUID)
	}
	text, err := cl.Logs(ctx, container.UUID, url.Values{"stdout": {"True"}, "stderr": {"True"}})
	if err != nil {
		return err
	}
	_, err = io.WriteString(c.Out, text)
	return err
}
