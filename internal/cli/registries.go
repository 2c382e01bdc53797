package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/grammar"
)

func (c *command) registryCommands() []*cobra.Command {
	return []*cobra.Command{c.registryCreateCommand(), c.registryListCommand(), c.registryShowCommand(), c.registryUpdateCommand(), c.registryDeleteCommand()}
}

// registryFlags returns a function that gives the members that were named.
func registryFlags(f *pflag.FlagSet) func() api.RegistryFields {
	name, domain := f.String("name", "", "name of the registry"), f.String("domain", "", "host and port of the registry")
	user, password := f.String("username", "", "user to log in as"), f.String("password", "", "password to log in with")
	return func() api.RegistryFields {
		var change api.RegistryFields
		for flag, to := range map[string]struct {
			member **string
			value  *string
		}{"name": {&change.Name, name}, "domain": {&change.Domain, domain}, "username": {&change.Username, user}, "password": {&change.Password, password}} {
			if f.Changed(flag) {
				*to.member = to.value
			}
		}
		return change
	}
}

func (c *command) registryCreateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "registry-create", Short: "Create a registry", Args: cobra.NoArgs}
	members := registryFlags(cmd.Flags())
	cobra.CheckErr(cmd.MarkFlagRequired("domain"))
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
		registry, err := cl.CreateRegistry(ctx, members())
		if err != nil {
			return err
		}
		return printOne(c, registry)
	})
	return cmd
}

func (c *command) registryListCommand() *cobra.Command {
	var o client.ListOptions
	cmd := &cobra.Command{Use: "registry-list", Short: "List the registries", Args: cobra.NoArgs}
	f := cmd.Flags()
	pageFlags(f, &o)
	f.BoolVar(&o.AllProjects, "all-projects", false, "of all projects (admin)")
	filters := grammar.Filters(f, "name", "domain", "project-id", "user-id", "username")
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
		o.Filters = filters()
		list, err := cl.Registries(ctx, o)
		if err != nil {
			return err
		}
		return printList(c, []string{"uuid", "name", "domain", "username", "password"}, list)
	})
	return cmd
}

func (c *command) registryShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "registry-show REGISTRY", Short: "Show a registry", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			registry, err := cl.Registry(ctx, args[0])
			if err != nil {
				return err
			}
			return printOne(c, registry)
		}),
	}
}

func (c *command) registryUpdateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "registry-update REGISTRY", Short: "Change a registry", Args: cobra.ExactArgs(1)}
	members := registryFlags(cmd.Flags())
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		change := members()
		if change == (api.RegistryFields{}) {
			return errors.New("nothing to change: give --name, --domain, --username or --password")
		}
		registry, err := cl.UpdateRegistry(ctx, args[0], change)
		if err != nil {
			return err
		}
		return printOne(c, registry)
	})
	return cmd
}

func (c *command) registryDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "registry-delete REGISTRY...", Short: "Delete registries", Args: cobra.MinimumNArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			return c.each(args, "Request to delete registry %s has been accepted.", func(ident string) error {
				return cl.DeleteRegistry(ctx, ident)
			})
		}),
	}
}
