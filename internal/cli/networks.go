package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/client"
)

func (c *command) networkCommands() []*cobra.Command {
	return []*cobra.Command{
		c.networkListCommand(),
		c.networkCommand("network-attach", "Attach a container to a network", "attach network to", "network", "port", "fixed-ip"),
		c.networkCommand("network-detach", "Detach a container from a network", "detach network from", "network", "port"),
	}
}

func (c *command) networkListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "network-list CONTAINER", Short: "List the ports of a container", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			ports, err := cl.ContainerNetworks(ctx, args[0])
			if err != nil {
				return err
			}
			type row struct {
				NetID    string `json:"net_id"`
				PortID   string `json:"port_id"`
				FixedIPs string `json:"fixed_ips"`
			}
			rows := make([]row, len(ports))
			for i, p := range ports {
				addresses := make([]string, len(p.FixedIPs))
				for n, ip := range p.FixedIPs {
					addresses[n] = ip.IPAddress
				}
				rows[i] = row{p.NetID, p.PortID, strings.Join(addresses, ",")}
			}
			return printList(c, []string{"net_id", "port_id", "fixed_ips"}, rows)
		}),
	}
}

// networkCommand is one of attach and detach; what says in the accepted line what
// was asked for.
func (c *command) networkCommand(name, short, what string, flags ...string) *cobra.Command {
	cmd := &cobra.Command{Use: name + " CONTAINER", Short: short, Args: cobra.ExactArgs(1)}
	given := map[string]*string{}
	for _, flag := range flags {
		given[strings.ReplaceAll(flag, "-", "_")] = cmd.Flags().String(flag, "", strings.ReplaceAll(flag, "-", " ")+" to "+strings.TrimPrefix(name, "network-"))
	}
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		q := url.Values{}
		for key, value := range given {
			setIf(q, key, *value)
		}
		if err := cl.Act(ctx, args[0], strings.ReplaceAll(name, "-", "_"), q); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.Out, "Request to %s container %s has been accepted.\n", what, args[0])
		return err
	})
	return cmd
}
