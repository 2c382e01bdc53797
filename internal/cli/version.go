package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

func (c *command) versionCommands() []*cobra.Command {
	return []*cobra.Command{{
		Use: "version-list", Aliases: []string{"version"}, Short: "List the API versions of this client and of the service", Args: cobra.NoArgs,
		RunE: c.run(func(ctx context.Context, cl *client.Client, _ []string) error {
			doc, err := cl.Versions(ctx)
			if err != nil {
				return err
			}
			if c.output.form == "table" {
				if _, err := fmt.Fprintf(c.Out, "Client supported API versions:\nMinimum version %s\nMaximum version %s\n\nServer supported API versions:\n", api.MinVersion, api.MaxVersion); err != nil {
					return err
				}
			}
			list := make([]record, 0, len(doc.Versions))
			for _, v := range doc.Versions {
				list = append(list, record{{"Id", v.ID}, {"Status", v.Status}, {"Min Version", v.MinVersion}, {"Max Version", v.MaxVersion}})
			}
			return c.output.many(c.Out, []string{"Id", "Status", "Min Version", "Max Version"}, list)
		}),
	}}
}
