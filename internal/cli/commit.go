package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/client"
)

// commitCommand makes an image of a container. The tag is what follows the last colon
// behind the last slash, so that a registry may have a port.
func (c *command) commitCommand() *cobra.Command {
	return &cobra.Command{
		Use: "commit CONTAINER REPOSITORY[:TAG]", Short: "Make an image of a container, for its project", Args: cobra.ExactArgs(2),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			repository, tag := args[1], ""
			if at := strings.LastIndex(repository, ":"); at > strings.LastIndex(repository, "/") {
				repository, tag = repository[:at], repository[at+1:]
			}
			image, err := cl.Commit(ctx, args[0], repository, tag)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.Out, "Request to commit container %s has been accepted. The image is %s.\n", args[0], image)
			return err
		}),
	}
}
