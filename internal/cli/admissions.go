package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/client"
)

// admissionCommands are about whose certificates the service takes.
func (c *command) admissionCommands() []*cobra.Command {
	list := &cobra.Command{
		Use: "admission-list", Short: "List the hosts and console doors that joined, also revoked ones (admin)", Args: cobra.NoArgs,
		RunE: c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
			all, err := cl.Admissions(ctx)
			if err != nil {
				return err
			}
			return printList(c, []string{"role", "name", "uuid", "epoch", "since", "revoked", "revoked_at"}, all)
		}),
	}
	revoke := &cobra.Command{
		Use: "admission-revoke HOST_OR_DOOR", Short: "Refuse a host or a console door until it joins again (admin)", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			return c.each(args, "Certificates of %s have been revoked.", func(ident string) error { return cl.Revoke(ctx, ident) })
		}),
	}
	return []*cobra.Command{list, revoke}
}
