// Package usage runs a command line and says in one line how its words were wrong
// and what is right. The binaries of the service share it with zun.
package usage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Execute runs args over root.
func Execute(ctx context.Context, root *cobra.Command, args []string) error {
	root.SetArgs(args)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return plain(err) })
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	explain(root)
	if group, word := stray(root, args); word != "" {
		return unknown(group, word)
	}
	return root.ExecuteContext(ctx)
}

// stray returns the word that is none of its group's, and that group; without one the word
// is empty. Cobra would print the help of the group and call that a success, which a script
// or a unit takes for the chore done.
func stray(root *cobra.Command, args []string) (group *cobra.Command, word string) {
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		return root, "" // a shell asks for the words; Execute adds the command that answers
	}
	group, rest, _ := root.Find(args)
	if group.Runnable() || group.ParseFlags(rest) != nil {
		return group, "" // Execute says what is wrong, if anything is
	}
	return group, group.Flags().Arg(0)
}

func unknown(cmd *cobra.Command, word string) error {
	cmd.SuggestionsMinimumDistance = 2
	near := cmd.SuggestionsFor(word)
	if len(near) == 0 {
		return fmt.Errorf("unknown command %q for %q; see %s --help", word, cmd.CommandPath(), cmd.CommandPath())
	}
	return fmt.Errorf("unknown command %q for %q; did you mean %s?", word, cmd.CommandPath(), strings.Join(near, " or "))
}

// explain lets cmd and all below it tell what they take when they are given something else.
func explain(cmd *cobra.Command) {
	if takes := cmd.Args; takes != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return explained(cmd, args, takes(cmd, args)) }
	}
	if cmd.PreRunE == nil {
		cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return together(cmd.Flags()) }
	}
	for _, sub := range cmd.Commands() {
		explain(sub)
	}
}

// exclusive is where cobra keeps the groups of which only one flag may be given.
const exclusive = "cobra_annotation_mutually_exclusive"

// together says which flag is missing, or which may not stand beside one another: cobra would
// speak of groups.
func together(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		if err == nil && len(f.Annotations[cobra.BashCompOneRequiredFlag]) > 0 && !f.Changed {
			err = fmt.Errorf("--%s is needed", f.Name)
		}
		for _, group := range f.Annotations[exclusive] {
			var given []string
			for name := range strings.FieldsSeq(group) {
				if other := flags.Lookup(name); other != nil && other.Changed {
					given = append(given, "--"+name)
				}
			}
			if err == nil && len(given) > 1 {
				err = fmt.Errorf("%s exclude each other", strings.Join(given, " and "))
			}
		}
	})
	return err
}

func explained(cmd *cobra.Command, args []string, err error) error {
	switch {
	case err == nil:
		return nil
	case cmd.HasSubCommands():
		return unknown(cmd, args[0])
	}
	words := "no word is"
	switch len(args) {
	case 0:
	case 1:
		words = "1 word is"
	default:
		words = fmt.Sprintf("%d words are", len(args))
	}
	return fmt.Errorf("%s given; usage: %s", words, cmd.UseLine())
}

// kinds are the values of flags in words that are no programmer's.
var kinds = map[string]string{ //nolint:gochecknoglobals // a constant table
	"int": "a whole number", "count": "a whole number from 1", "int64": "a whole number", "float64": "a number", "bool": "true or false", "duration": "a time such as 30s",
}

// plain says what a flag takes instead of what the parser of its value said.
func plain(err error) error {
	var bad *pflag.InvalidValueError
	if !errors.As(err, &bad) {
		return err
	}
	kind := kinds[bad.GetFlag().Value.Type()]
	if kind == "" {
		return err
	}
	return fmt.Errorf("--%s takes %s, not %q", bad.GetFlag().Name, kind, bad.GetValue())
}
