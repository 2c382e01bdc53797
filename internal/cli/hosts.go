package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

// agentBinary is the service that takes containers on a host.
const agentBinary = "zun-compute"

// drainReason is what the list of services shows of a host that was given no other.
const drainReason = "drained"

// hostCommand groups what is done to a whole host.
func (c *command) hostCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "host", Short: "Empty a host, and fill it again (admin)", Args: cobra.NoArgs}
	cmd.AddCommand(c.drainCommand(), c.undrainCommand("undrain"), c.undrainCommand("enable"))
	return cmd
}

// drain is how a host is emptied.
type drain struct {
	reason     string
	stop, wait bool
}

func (c *command) drainCommand() *cobra.Command {
	var d drain
	cmd := &cobra.Command{
		Use: "drain HOST", Short: "Keep new containers from a host and show what is left on it (admin)", Args: cobra.ExactArgs(1),
		Long: "Keep new containers from a host and show what is left on it. What runs there goes on: it is not moved, because a\n" +
			"container has no copy elsewhere. Delete it and create it anew, or let --stop stop it where it is.",
		ValidArgsFunction: c.completeHosts,
		RunE:              c.run(func(ctx context.Context, cl *client.Client, args []string) error { return c.drain(ctx, cl, args[0], d) }),
	}
	cmd.Flags().StringVar(&d.reason, "reason", drainReason, "why, shown in service-list")
	cmd.Flags().BoolVar(&d.stop, "stop", false, "stop the containers that run there")
	cmd.Flags().BoolVar(&d.wait, "wait", false, "wait until no container is left there")
	return cmd
}

func (c *command) undrainCommand(name string) *cobra.Command {
	return &cobra.Command{
		Use: name + " HOST", Short: "Let a host take new containers again (admin)", Args: cobra.ExactArgs(1),
		ValidArgsFunction: c.completeHosts,
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			host, err := cl.Host(ctx, args[0])
			if err != nil {
				return err
			}
			service, err := cl.EnableService(ctx, host.Hostname, agentBinary)
			if err != nil {
				return err
			}
			return printOne(c, service)
		}),
	}
}

func (c *command) drain(ctx context.Context, cl *client.Client, ident string, d drain) error {
	host, err := cl.Host(ctx, ident)
	if err != nil {
		return err
	}
	if _, err := cl.DisableService(ctx, host.Hostname, agentBinary, d.reason); err != nil {
		return err
	}
	left, err := leftOn(ctx, cl, host.Hostname)
	if err != nil {
		return err
	}
	if err := printList(c, []string{"uuid", "name", "project_id", "image", "status"}, left); err != nil {
		return err
	}
	if d.stop {
		if err := c.stopAll(ctx, cl, left); err != nil {
			return err
		}
	}
	if !d.wait {
		return nil
	}
	return c.waitEmpty(ctx, cl, host.Hostname)
}

// leftOn lists the containers of all projects on a host.
func leftOn(ctx context.Context, cl *client.Client, host string) ([]api.Container, error) {
	return cl.Containers(ctx, client.ListOptions{AllProjects: true, Filters: url.Values{"host": {host}}})
}

func (c *command) stopAll(ctx context.Context, cl *client.Client, all []api.Container) error {
	var running []string
	for _, container := range all {
		if container.Status == "Running" {
			running = append(running, container.UUID)
		}
	}
	return c.each(running, "Request to stop container %s has been accepted.", func(uuid string) error {
		return cl.Act(ctx, uuid, "stop", nil)
	})
}

// waitEmpty waits until the host counts no container, whoever's and of whatever kind.
func (c *command) waitEmpty(ctx context.Context, cl *client.Client, name string) error {
	shown := int64(-1)
	return pollOn(ctx, func() (bool, error) {
		host, err := cl.Host(ctx, name)
		if err != nil || host.TotalContainers == 0 {
			return err == nil, err
		}
		if host.TotalContainers != shown {
			shown = host.TotalContainers
			_, _ = fmt.Fprintf(c.Err, "%d containers left on %s\n", shown, name)
		}
		return false, nil
	})
}

// completeHosts offers the names of the hosts to a shell.
func (c *command) completeHosts(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	cl, err := c.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	hosts, err := cl.Hosts(cmd.Context(), client.ListOptions{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]string, 0, len(hosts))
	for _, h := range hosts {
		names = append(names, h.Hostname)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
