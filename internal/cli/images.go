package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

func (c *command) imageCommands() []*cobra.Command {
	return []*cobra.Command{c.pullCommand(), c.imageListCommand(), c.imageShowCommand(), c.imageDeleteCommand(), c.imageSearchCommand()}
}

func (c *command) pullCommand() *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use: "pull IMAGE HOST", Short: "Pull an image to a host (admin)", Args: cobra.ExactArgs(2),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			image, err := cl.PullImage(ctx, args[0], args[1])
			if err == nil && wait {
				image, err = c.waitPulled(ctx, cl, image)
			}
			if err != nil {
				return err
			}
			return printOne(c, image)
		}),
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the image is on the host")
	return cmd
}

// waitPulled waits until an image is on its host; the record of a pull that failed is
// gone. On a terminal it shows how far the pull is, where the service tells it.
func (c *command) waitPulled(ctx context.Context, cl *client.Client, image api.Image) (api.Image, error) {
	name := image.Repo + ":" + image.Tag
	err := poll(ctx, func() (done bool, err error) {
		image, err = cl.Image(ctx, image.UUID)
		var refused *client.Error
		if errors.As(err, &refused) && refused.Status == http.StatusBadRequest {
			return false, fmt.Errorf("image %s could not be pulled; the log of the service says why", name)
		}
		if p := image.Progress; p != nil && p.Total > 0 && isTerminal(c.Err) {
			_, _ = fmt.Fprintf(c.Err, "\r%s: %d of %d MB", name, p.Done>>20, p.Total>>20)
		}
		return err == nil && image.ImageID != nil, err
	})
	if isTerminal(c.Err) {
		_, _ = fmt.Fprintln(c.Err)
	}
	return image, err
}

func (c *command) imageListCommand() *cobra.Command {
	var o client.ListOptions
	cmd := &cobra.Command{Use: "image-list", Short: "List the images pulled to hosts (admin)", Args: cobra.NoArgs}
	pageFlags(cmd.Flags(), &o)
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
		list, err := cl.Images(ctx, o)
		if err != nil {
			return err
		}
		return printList(c, []string{"uuid", "image_id", "repo", "tag", "size"}, list)
	})
	return cmd
}

func (c *command) imageShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "image-show UUID", Short: "Show an image pulled to a host (admin)", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			image, err := cl.Image(ctx, args[0])
			if err != nil {
				return err
			}
			return printOne(c, image)
		}),
	}
}

func (c *command) imageDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "image-delete UUID", Short: "Delete an image from its host (admin)", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			return c.each(args, "Request to delete image %s has been accepted.", func(ident string) error {
				return cl.DeleteImage(ctx, ident)
			})
		}),
	}
}

func (c *command) imageSearchCommand() *cobra.Command {
	var driver string
	var exact bool
	cmd := &cobra.Command{
		Use: "image-search IMAGE", Short: "Search images in a registry", Args: cobra.ExactArgs(1),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			found, err := cl.SearchImages(ctx, args[0], driver, exact)
			if err != nil {
				return err
			}
			return printList(c, []string{"name", "description", "is_automated", "metadata"}, found)
		}),
	}
	cmd.Flags().StringVar(&driver, "image-driver", "", "docker or glance")
	cmd.Flags().StringVar(&driver, "image_driver", "", "the same")
	cmd.Flags().BoolVar(&exact, "exact-match", false, "only images of exactly this name")
	return cmd
}
