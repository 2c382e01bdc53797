package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

func (c *command) quotaCommands() []*cobra.Command {
	return []*cobra.Command{c.quotaGetCommand(), c.quotaDefaultsCommand(), c.quotaDeleteCommand(), c.quotaClassGetCommand(),
		c.quotaChangeCommand("quota-update PROJECT", "Change the limits of a project", (*client.Client).UpdateQuota),
		c.quotaChangeCommand("quota-class-update CLASS", "Change the limits of a class", (*client.Client).UpdateQuotaClass)}
}

func (c *command) quotaGetCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "quota-get PROJECT", Short: "Show the limits of a project", Args: cobra.ExactArgs(1)}
	usages := cmd.Flags().Bool("usages", false, "with what is in use")
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		if *usages {
			usage, err := cl.QuotaUsage(ctx, args[0])
			if err != nil {
				return err
			}
			return c.printUsage(usage)
		}
		quota, err := cl.Quota(ctx, args[0])
		if err != nil {
			return err
		}
		return printOne(c, quota)
	})
	return cmd
}

// printUsage prints a table with a row for each resource; the other forms are the
// answer as it came.
func (c *command) printUsage(usage api.QuotaUsage) error {
	if c.output.form != "table" {
		return printOne(c, usage)
	}
	type row struct {
		Property string `json:"Property"`
		api.Usage
	}
	return printList(c, []string{"Property", "limit", "in_use"}, []row{
		{"containers", usage.Containers}, {"memory", usage.Memory}, {"disk", usage.Disk}, {"cpu", usage.CPU},
	})
}

func (c *command) quotaDefaultsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "quota-defaults PROJECT", Short: "Show the limits that hold where none are set", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			quota, err := cl.QuotaDefaults(ctx, args[0])
			if err != nil {
				return err
			}
			return printOne(c, quota)
		}),
	}
}

func (c *command) quotaDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "quota-delete PROJECT", Short: "Put a project back to the default limits", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			return cl.DeleteQuota(ctx, args[0])
		}),
	}
}

func (c *command) quotaClassGetCommand() *cobra.Command {
	return &cobra.Command{
		Use: "quota-class-get CLASS", Short: "Show the limits of a class", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			quota, err := cl.QuotaClass(ctx, args[0])
			if err != nil {
				return err
			}
			return printOne(c, quota)
		}),
	}
}

type changeQuota func(cl *client.Client, ctx context.Context, subject string, change api.QuotaUpdate) (api.Quota, error)

func (c *command) quotaChangeCommand(use, short string, change changeQuota) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1)}
	f := cmd.Flags()
	containers, cpu := f.Int64("containers", 0, "number of containers, -1 for no limit"), f.Int64("cpu", 0, "number of CPUs")
	memory, disk := f.Int64("memory", 0, "memory in MiB"), f.Int64("disk", 0, "disk in GiB")
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		var update api.QuotaUpdate
		for flag, to := range map[string]struct {
			member **int64
			value  *int64
		}{"containers": {&update.Containers, containers}, "cpu": {&update.CPU, cpu}, "memory": {&update.Memory, memory}, "disk": {&update.Disk, disk}} {
			if f.Changed(flag) {
				*to.member = to.value
			}
		}
		if update == (api.QuotaUpdate{}) {
			return errors.New("nothing to change: give --containers, --cpu, --memory or --disk")
		}
		quota, err := change(cl, ctx, args[0], update)
		if err != nil {
			return err
		}
		return printOne(c, quota)
	})
	return cmd
}
