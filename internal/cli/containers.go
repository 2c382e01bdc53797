package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/grammar"
)

// containerColumns are the columns of a list of containers.
var containerColumns = []string{"uuid", "name", "image", "status", "task_state", "addresses", "ports"} //nolint:gochecknoglobals // a constant list

func (c *command) containerCommands() []*cobra.Command {
	return append(c.verbCommands(), c.createCommand("create", "Create a container", false), c.createCommand("run", "Create and start a container", true),
		c.listCommand(), c.showCommand(), c.deleteCommand(), c.updateCommand(), c.renameCommand())
}

// verb is a command that asks one thing of containers and reports it accepted.
type verb struct {
	name, short, action string
	flags               func(*pflag.FlagSet) func() url.Values
	asks                string // in the words of the original, if not the name
}

func (c *command) verbCommands() []*cobra.Command {
	none := func(*pflag.FlagSet) func() url.Values { return func() url.Values { return nil } }
	timeout := func(f *pflag.FlagSet) func() url.Values {
		seconds := f.IntP("timeout", "t", 10, "seconds to wait before the container is killed")
		return func() url.Values { return url.Values{"timeout": {strconv.Itoa(*seconds)}} }
	}
	signal := func(f *pflag.FlagSet) func() url.Values {
		name := f.StringP("signal", "s", "", "signal to send; KILL if none is named")
		return func() url.Values {
			if *name == "" {
				return nil
			}
			return url.Values{"signal": {*name}}
		}
	}
	image := func(f *pflag.FlagSet) func() url.Values {
		name, driver := f.String("image", "", "new image"), f.String("image-driver", "", "image driver: docker or glance")
		return func() url.Values {
			q := url.Values{}
			setIf(q, "image", *name)
			setIf(q, "image_driver", *driver)
			return q
		}
	}
	verbs := []verb{
		{name: "start", short: "Start containers", action: "start", flags: none},
		{name: "stop", short: "Stop containers", action: "stop", flags: timeout},
		{name: "restart", short: "Restart containers", action: "reboot", flags: timeout},
		{name: "pause", short: "Pause containers", action: "pause", flags: none},
		{name: "unpause", short: "Unpause containers", action: "unpause", flags: none},
		{name: "kill", short: "Send a signal to containers", action: "kill", flags: signal, asks: "kill signal to"},
		{name: "rebuild", short: "Rebuild containers from their or another image", action: "rebuild", flags: image},
	}
	commands := make([]*cobra.Command, 0, len(verbs))
	for _, v := range verbs {
		cmd := &cobra.Command{Use: v.name + " CONTAINER...", Short: v.short, Args: cobra.MinimumNArgs(1)}
		query := v.flags(cmd.Flags())
		cmd.RunE = c.run(func(ctx context.Context, api *client.Client, args []string) error {
			return c.each(args, "Request to "+cmp.Or(v.asks, v.name)+" container %s has been accepted.", func(ident string) error {
				return api.Act(ctx, ident, v.action, query())
			})
		})
		commands = append(commands, cmd)
	}
	return commands
}

func setIf(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}

func (c *command) listCommand() *cobra.Command {
	var o client.ListOptions
	cmd := &cobra.Command{Use: "list", Short: "List containers", Args: cobra.NoArgs}
	f := cmd.Flags()
	pageFlags(f, &o)
	f.BoolVar(&o.AllProjects, "all-projects", false, "of all projects (admin)")
	filters := grammar.Filters(f, "name", "image", "project-id", "user-id", "task-state", "status", "memory", "host", "auto-remove")
	cmd.RunE = c.run(func(ctx context.Context, api *client.Client, _ []string) error {
		o.Filters = filters()
		list, err := api.Containers(ctx, o)
		if err != nil {
			return err
		}
		records, err := recordsOf(list)
		if err != nil {
			return err
		}
		for _, r := range records {
			r.flattenAddresses()
		}
		return c.output.many(c.Out, containerColumns, records)
	})
	return cmd
}

func pageFlags(f *pflag.FlagSet, o *client.ListOptions) {
	f.StringVar(&o.Marker, "marker", "", "uuid of the last item of the page before")
	f.Var((*grammar.Count)(&o.Limit), "limit", "at most so many items")
	f.StringVar(&o.SortKey, "sort-key", "", "field to sort by")
	f.StringVar(&o.SortDir, "sort-dir", "", "asc or desc")
}

// flattenAddresses replaces the addresses of a container by its plain addresses.
func (r record) flattenAddresses() {
	for i, f := range r {
		if f.name == "addresses" {
			r[i].value = strings.Join(plainAddresses(f.value), ", ")
		}
	}
}

func plainAddresses(v any) []string {
	networks, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	var list []string
	for _, id := range sortedKeys(networks) {
		ports, ok := networks[id].([]any)
		if !ok {
			continue
		}
		for _, p := range ports {
			if port, ok := p.(map[string]any); ok {
				list = append(list, text(port["addr"]))
			}
		}
	}
	return list
}

// showContainer prints one container as the original does: every field, addresses
// flattened, the networks as one more row. json and yaml show the raw answer.
func (c *command) showContainer(container api.Container) error {
	r, err := recordOf(container)
	if err != nil {
		return err
	}
	if c.output.form == "table" || c.output.form == "value" {
		var networks []string
		if m, ok := r.get("addresses").(map[string]any); ok {
			networks = sortedKeys(m)
		}
		r.flattenAddresses()
		r = append(r, field{"networks", strings.Join(networks, ", ")})
	}
	return c.output.one(c.Out, r)
}

func (c *command) showCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show CONTAINER", Short: "Show a container", Args: cobra.ExactArgs(1)}
	all := cmd.Flags().Bool("all-projects", false, "look in all projects (admin)")
	cmd.RunE = c.run(func(ctx context.Context, api *client.Client, args []string) error {
		container, err := api.Container(ctx, args[0], *all)
		if err != nil {
			return err
		}
		return c.showContainer(container)
	})
	return cmd
}

func (c *command) deleteCommand() *cobra.Command {
	var o client.DeleteOptions
	cmd := &cobra.Command{Use: "delete CONTAINER...", Short: "Delete containers", Args: cobra.MinimumNArgs(1)}
	f := cmd.Flags()
	f.BoolVar(&o.Force, "force", false, "in whatever state it is (admin)")
	f.BoolVarP(&o.Stop, "stop", "s", false, "stop it first if it runs")
	f.BoolVar(&o.AllProjects, "all-projects", false, "look in all projects (admin)")
	wait := f.Bool("wait", false, "return when it is gone")
	cmd.RunE = c.run(func(ctx context.Context, api *client.Client, args []string) error {
		err := c.each(args, "Request to delete container %s has been accepted.", func(ident string) error {
			return api.DeleteContainer(ctx, ident, o)
		})
		if err != nil || !*wait {
			return err
		}
		for _, ident := range args {
			if err := c.waitGone(ctx, api, ident); err != nil {
				return err
			}
		}
		return nil
	})
	return cmd
}

func (c *command) updateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "update CONTAINER", Short: "Change a container", Args: cobra.ExactArgs(1)}
	f := cmd.Flags()
	cpu, memory, name := f.Float64("cpu", 0, "number of CPUs"), f.StringP("memory", "m", "", "memory in MiB"), f.String("name", "", "new name")
	heal, noHeal := f.Bool("auto-heal", false, "rebuild it if the engine loses it"), f.Bool("no-auto-heal", false, "do not")
	cmd.MarkFlagsMutuallyExclusive("auto-heal", "no-auto-heal")
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		change := api.ContainerUpdate{}
		if f.Changed("cpu") {
			change.CPU = cpu
		}
		if f.Changed("memory") {
			change.Memory = memory
		}
		if f.Changed("name") {
			change.Name = name
		}
		if *heal || *noHeal {
			change.AutoHeal = heal
		}
		if change == (api.ContainerUpdate{}) {
			return errors.New("nothing to change: give --cpu, --memory, --name, --auto-heal or --no-auto-heal")
		}
		container, err := cl.UpdateContainer(ctx, args[0], change)
		if err != nil {
			return err
		}
		return c.showContainer(container)
	})
	return cmd
}

func (c *command) renameCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rename CONTAINER NAME", Short: "Give a container another name", Args: cobra.ExactArgs(2),
		RunE: c.run(func(ctx context.Context, api *client.Client, args []string) error {
			if err := api.Rename(ctx, args[0], args[1]); err != nil {
				return fmt.Errorf("rename %s: %w", args[0], err)
			}
			return nil
		}),
	}
}
