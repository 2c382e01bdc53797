package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/copying"
)

func (c *command) copyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "cp CONTAINER:PATH LOCAL | cp LOCAL CONTAINER:PATH", Short: "Copy files out of a container or into it", Args: cobra.ExactArgs(2),
		Long: "Copy files out of a container or into it.\n\nLOCAL is a path or -, which is a tar on the standard input or output. A local path with a\n" +
			"colon in it begins with / or ./; of a directory whose path ends in /. only what is in it is copied.",
	}
	follow := cmd.Flags().BoolP("follow-link", "L", false, "copy what a link at the source points to instead of the link")
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		job := copying.Job{Client: cl, In: c.In, Out: c.Out, Err: c.Err, FollowLink: *follow}
		err := job.Run(ctx, args[0], args[1])
		if ctx.Err() != nil {
			return exitCode(130) // as a shell reports an interrupt
		}
		return err
	})
	return cmd
}
