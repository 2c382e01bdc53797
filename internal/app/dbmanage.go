package app

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	sqlstore "github.com/go-zun/zun/internal/adapter/store/sql"
	"github.com/go-zun/zun/internal/cli/usage"
	"github.com/go-zun/zun/internal/config"
)

// ManageDatabase is zun-db-manage: it brings the schema up and tells where it is.
func ManageDatabase() int {
	if err := usage.Execute(context.Background(), databaseCommands(), os.Args[1:]); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "zun-db-manage: %v\n", err)
		return 1
	}
	return 0
}

func databaseCommands() *cobra.Command {
	var source config.Source
	root := &cobra.Command{Use: "zun-db-manage", Short: "Look after the schema of the database", Version: version, SilenceErrors: true, SilenceUsage: true}
	takeSource(root, &source)
	root.AddCommand(
		databaseCommand(&source, "upgrade [VERSION]", "Bring the schema to the newest version, or to the one named", cobra.MaximumNArgs(1), upgradeSchema),
		databaseCommand(&source, "stamp VERSION", "Say that the schema has a version, without touching it", cobra.ExactArgs(1), stampSchema),
		databaseCommand(&source, "version", "Print the version of the schema", cobra.NoArgs, showSchema),
		databaseCommand(&source, "history", "List the versions", cobra.NoArgs, listSchema),
	)
	return root
}

type schemaWork func(ctx context.Context, store *sqlstore.Store, args []string) error

func databaseCommand(source *config.Source, use, short string, takes cobra.PositionalArgs, work schemaWork) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: takes, RunE: func(cmd *cobra.Command, args []string) error {
		c, log, closeLog, err := open(*source, "zun-db-manage")
		if err != nil {
			return err
		}
		defer closeLog()
		store, err := sqlstore.Open(cmd.Context(), sqlstore.Options{DSN: c.Database.Connection, MaxConns: c.Database.MaxConns, Log: log})
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
		return work(cmd.Context(), store, args)
	}}
}

func schemaVersion(args []string, otherwise int64) (int64, error) {
	if len(args) == 0 {
		return otherwise, nil
	}
	v, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%q is no version: see zun-db-manage history", args[0])
	}
	return v, nil
}

func upgradeSchema(ctx context.Context, store *sqlstore.Store, args []string) error {
	to, err := schemaVersion(args, sqlstore.Latest)
	if err != nil {
		return err
	}
	return store.Migrate(ctx, to)
}

func stampSchema(ctx context.Context, store *sqlstore.Store, args []string) error {
	to, err := schemaVersion(args, sqlstore.Latest)
	if err != nil {
		return err
	}
	return store.Stamp(ctx, to)
}

func showSchema(ctx context.Context, store *sqlstore.Store, _ []string) error {
	at, err := store.Version(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, at)
	return err
}

func listSchema(ctx context.Context, store *sqlstore.Store, _ []string) error {
	history, err := store.History(ctx)
	if err != nil {
		return err
	}
	for _, m := range history {
		if _, err := fmt.Fprintln(os.Stdout, m.Version, m.Name, appliedWhen(m.AppliedAt)); err != nil {
			return err
		}
	}
	return nil
}

func appliedWhen(at time.Time) string {
	if at.IsZero() {
		return "not applied"
	}
	return at.UTC().Format(time.DateTime)
}
