package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/template"
)

func (c *command) capsuleCommands() []*cobra.Command {
	return []*cobra.Command{c.capsuleCreateCommand(), c.capsuleListCommand(), c.capsuleDescribeCommand(), c.capsuleDeleteCommand()}
}

// capsuleCreateCommand takes -f for the template, as it always did here; the flag
// hides the one that chooses the form of output, and nothing is printed but a line.
func (c *command) capsuleCreateCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "capsule-create -f FILE", Short: "Create a capsule from a template in YAML or JSON", Args: cobra.NoArgs,
		RunE: c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
			if file == "" {
				return errors.New("a template is needed: -f FILE")
			}
			pod, err := template.Read(ctx, file)
			if err != nil {
				return err
			}
			if _, err := cl.CreateCapsule(ctx, pod); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.Out, "Request to create capsule has been accepted.")
			return err
		}),
	}
	cmd.Flags().StringVar(&file, "template-file", "", "file or URL of the template")
	cmd.Flags().StringVar(&file, "file", "", "the same")
	cmd.Flags().StringVarP(&file, "format", "f", "", "the same")
	return cmd
}

func (c *command) capsuleListCommand() *cobra.Command {
	var o client.ListOptions
	cmd := &cobra.Command{Use: "capsule-list", Short: "List capsules", Args: cobra.NoArgs}
	pageFlags(cmd.Flags(), &o)
	cmd.Flags().BoolVar(&o.AllProjects, "all-projects", false, "of all projects (admin)")
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
		list, err := cl.Capsules(ctx, o)
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
		return c.output.many(c.Out, []string{"uuid", "name", "status", "addresses"}, records)
	})
	return cmd
}

func (c *command) capsuleDescribeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "capsule-describe CAPSULE", Short: "Show a capsule", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			capsule, err := cl.Capsule(ctx, args[0])
			if err != nil {
				return err
			}
			return printOne(c, capsule)
		}),
	}
}

func (c *command) capsuleDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "capsule-delete CAPSULE...", Short: "Delete capsules", Args: cobra.MinimumNArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			return c.each(args, "Request to delete capsule %s has been accepted.", func(ident string) error {
				return cl.DeleteCapsule(ctx, ident)
			})
		}),
	}
}
