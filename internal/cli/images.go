package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/client"
)

func (c *command) imageCommands() []*cobra.Command {
	return []*cobra.Command{c.pullCommand(), c.imageListCommand(), c.imageShowCommand(), c.imageDeleteCommand(), c.imageSearchCommand()}
}

func (c *command) pullCommand() *cobra.Command {
	return &cobra.Command{
		Use: "pull IMAGE HOST", Short: "Pull an image to a host (admin)", Args: cobra.ExactArgs(2),
		RunE: c.run(func(ctx context.Context, cl *client.Client, args []string) error {
			image, err := cl.PullImage(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			return printOne(c, image)
		}),
	}
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
