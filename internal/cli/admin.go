package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

// adminCommands are the operator's: services, hosts, zones.
func (c *command) adminCommands() []*cobra.Command {
	return append(c.admissionCommands(),
		c.serviceListCommand(), c.serviceSwitchCommand("service-enable", "Let a host take new containers"),
		c.serviceSwitchCommand("service-disable", "Keep new containers from a host"),
		c.serviceSwitchCommand("service-force-down", "Say that a host is down"), c.serviceDeleteCommand(),
		c.hostListCommand(), c.hostShowCommand(), c.hostCommand(), c.zoneListCommand())
}

func (c *command) serviceListCommand() *cobra.Command {
	columns := []string{"Id", "Host", "Binary", "State", "Disabled", "Disabled Reason", "Updated At", "Availability Zone"}
	return &cobra.Command{
		Use: "service-list", Short: "List the services", Args: cobra.NoArgs,
		RunE: c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Services(ctx)
			if err != nil {
				return err
			}
			records, err := recordsOf(list)
			if err != nil {
				return err
			}
			shown := make([]record, 0, len(records))
			for _, r := range records {
				shown = append(shown, record{
					{"Id", r.get("id")}, {"Host", r.get("host")}, {"Binary", r.get("binary")}, {"State", r.get("state")},
					{"Disabled", r.get("disabled")}, {"Disabled Reason", r.get("disabled_reason")},
					{"Updated At", r.get("updated_at")}, {"Availability Zone", r.get("availability_zone")},
				})
			}
			return c.output.many(c.Out, columns, shown)
		}),
	}
}

func (c *command) serviceSwitchCommand(name, short string) *cobra.Command {
	cmd := &cobra.Command{Use: name + " HOST BINARY", Short: short, Args: cobra.ExactArgs(2)}
	var reason *string
	var unset *bool
	switch name {
	case "service-disable":
		reason = cmd.Flags().String("reason", "", "why")
	case "service-force-down":
		unset = cmd.Flags().Bool("unset", false, "say that it is not")
	}
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		var service api.ServiceState
		var err error
		switch {
		case reason != nil:
			service, err = cl.DisableService(ctx, args[0], args[1], *reason)
		case unset != nil:
			service, err = cl.ForceDownService(ctx, args[0], args[1], !*unset)
		default:
			service, err = cl.EnableService(ctx, args[0], args[1])
		}
		if err != nil {
			return err
		}
		return printOne(c, service)
	})
	return cmd
}

func (c *command) serviceDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "service-delete HOST BINARY", Short: "Forget a service", Args: cobra.ExactArgs(2),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			return c.each(args[:1], "Request to delete service %s has been accepted.", func(host string) error {
				return cl.DeleteService(ctx, host, args[1])
			})
		}),
	}
}

func (c *command) hostListCommand() *cobra.Command {
	var o client.ListOptions
	cmd := &cobra.Command{Use: "host-list", Short: "List the hosts", Args: cobra.NoArgs}
	pageFlags(cmd.Flags(), &o)
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
		list, err := cl.Hosts(ctx, o)
		if err != nil {
			return err
		}
		return printList(c, []string{"uuid", "hostname", "mem_total", "cpus", "disk_total"}, list)
	})
	return cmd
}

func (c *command) hostShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "host-show HOST", Short: "Show a host", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			host, err := cl.Host(ctx, args[0])
			if err != nil {
				return err
			}
			return printOne(c, host)
		}),
	}
}

func (c *command) zoneListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "availability-zone-list", Short: "List the availability zones", Args: cobra.NoArgs,
		RunE: c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Zones(ctx)
			if err != nil {
				return err
			}
			return printList(c, []string{"availability_zone"}, list)
		}),
	}
}
