package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-zun/zun/internal/adapter/identity/static"
	"github.com/go-zun/zun/internal/adapter/image/rules"
	"github.com/go-zun/zun/internal/adapter/policy"
	"github.com/go-zun/zun/internal/adapter/seal"
	"github.com/go-zun/zun/internal/config"
)

// Rules is zun-api policy: what may be overridden, and whether a file may.
func Rules() chore { //nolint:revive // only this package's Main takes a chore
	return chore{use: "policy", short: "Look at the policy rules", parts: []chore{
		{use: "sample", short: "Print every rule with its default, commented out", args: cobra.NoArgs,
			run: func(context.Context, config.Config, *slog.Logger, []string) error {
				return policy.PrintSample(os.Stdout)
			}},
		{use: "check [FILE]", short: "Say what is wrong with a policy file; without one, with the configured", args: cobra.MaximumNArgs(1), run: checkRules},
	}}
}

func checkRules(_ context.Context, c config.Config, _ *slog.Logger, args []string) error {
	path := c.Policy.File
	if len(args) > 0 {
		path = args[0]
	}
	return policy.CheckFile(os.Stdout, path)
}

// ImageRules is zun-api image-policy: what images must be, and whether the file says so.
func ImageRules() chore { //nolint:revive // only this package's Main takes a chore
	return chore{use: "image-policy", short: "Look at what is demanded of images", parts: []chore{
		{use: "sample", short: "Print a policy that demands nothing, explained", args: cobra.NoArgs,
			run: func(context.Context, config.Config, *slog.Logger, []string) error {
				_, err := fmt.Print(rules.Sample)
				return err
			}},
		{use: "check [FILE]", short: "Say what a policy demands or what is wrong with it; without a file, the configured one", args: cobra.MaximumNArgs(1), run: checkImageRules},
	}}
}

func checkImageRules(_ context.Context, c config.Config, _ *slog.Logger, args []string) error {
	path := c.ImagePolicy.File
	if len(args) > 0 {
		path = args[0]
	}
	return rules.Check(os.Stdout, path)
}

// Seal is zun-api seal: the key that secrets at rest are sealed with.
func Seal() chore { //nolint:revive // only this package's Main takes a chore
	return chore{use: "seal", short: "Look after the key that seals secrets", parts: []chore{
		{use: "rotate", short: "Put a new key before those of the key file", args: cobra.NoArgs, run: rotateSeal},
	}}
}

func rotateSeal(_ context.Context, c config.Config, _ *slog.Logger, _ []string) error {
	if err := seal.Rotate(c.Secrets.KeyFile); err != nil {
		return err
	}
	_, err := fmt.Printf("%s has a new key. Give the file to every replica, then restart them one by one.\n", c.Secrets.KeyFile)
	return err
}

// People is zun-api user: the built-in users.
func People() chore { //nolint:revive // only this package's Main takes a chore
	return chore{use: "user", short: "Look after the built-in users", parts: []chore{
		{use: "password NAME", short: "Give a user a new password, printed", args: cobra.ExactArgs(1), run: resetPassword},
		{use: "grant NAME PROJECT ROLE", short: "Give a user a role in a project; what is not there yet is made", args: cobra.ExactArgs(3), run: grantRole},
	}}
}

func usersOf(c config.Config) static.Options { return static.Options{UsersFile: c.Identity.UsersFile} }

func resetPassword(_ context.Context, c config.Config, _ *slog.Logger, args []string) error {
	password, err := static.ResetPassword(usersOf(c), args[0])
	if err != nil {
		return err
	}
	_, err = fmt.Println(password)
	return err
}

func grantRole(_ context.Context, c config.Config, _ *slog.Logger, args []string) error {
	password, err := static.Grant(usersOf(c), args[0], args[1], args[2])
	if err != nil {
		return err
	}
	lines := []string{fmt.Sprintf("%s has the role %s in %s", args[0], args[2], args[1])}
	if password != "" {
		lines = append(lines, "password: "+password)
	}
	_, err = fmt.Println(strings.Join(lines, "\n"))
	return err
}
