package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/internal/adapter/policy"
	sqlstore "github.com/go-zun/zun/internal/adapter/store/sql"
	"github.com/go-zun/zun/internal/cli/usage"
	"github.com/go-zun/zun/internal/config"
)

// The exit codes of an upgrade check, as deployment tools read them.
const (
	checkPassed  = 0
	checkFailure = 2
)

// Status is zun-status: it says whether this machine is ready for this release.
func Status() int {
	var source config.Source
	code := checkPassed
	root := &cobra.Command{Use: "zun-status", Short: "Say whether this machine is ready", Version: version, SilenceErrors: true, SilenceUsage: true}
	takeSource(root, &source)
	upgrade := &cobra.Command{Use: "upgrade", Short: "Checks around an upgrade"}
	upgrade.AddCommand(&cobra.Command{Use: "check", Short: "Check configuration, policy and schema", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, c := range upgradeChecks() {
				verdict := "Success"
				if err := c.check(cmd.Context(), source); err != nil {
					verdict, code = "Failure: "+err.Error(), checkFailure
				}
				if _, err := fmt.Fprintf(os.Stdout, "%s: %s\n", c.name, verdict); err != nil {
					return err
				}
			}
			return nil
		}})
	root.AddCommand(upgrade)
	if err := usage.Execute(context.Background(), root, os.Args[1:]); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "zun-status: %v\n", err)
		return 1
	}
	return code
}

type upgradeCheck struct {
	name  string
	check func(ctx context.Context, source config.Source) error
}

func upgradeChecks() []upgradeCheck {
	return []upgradeCheck{
		{"Configuration", func(_ context.Context, source config.Source) error {
			_, _, err := config.Load(source)
			return err
		}},
		{"Policy files", checkPolicy},
		{"Schema of the database", checkSchema},
	}
}

// openQuietly loads the configuration without a word on what is odd in it, which is a
// check of its own; what is logged goes to standard error.
func openQuietly(source config.Source) (config.Config, *slog.Logger, func(), error) {
	c, _, err := config.Load(source)
	if err != nil {
		return c, nil, nil, err
	}
	log, done, err := openLog(config.Log{Level: c.Log.Level}, "zun-status")
	return c, log, done, err
}

func checkPolicy(_ context.Context, source config.Source) error {
	c, log, done, err := openQuietly(source)
	if err != nil {
		return err
	}
	defer done()
	_, err = policy.Open(policyOptions(c, log))
	return err
}

func checkSchema(ctx context.Context, source config.Source) (err error) {
	c, log, done, err := openQuietly(source)
	if err != nil {
		return err
	}
	defer done()
	store, err := sqlstore.Open(ctx, sqlstore.Options{DSN: c.Database.Connection, MaxConns: c.Database.MaxConns, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return store.Check(ctx)
}
