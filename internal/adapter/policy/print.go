package policy

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// PrintSample writes a policy.yaml that holds every rule, commented out, with its
// default and the calls that ask for it.
func PrintSample(w io.Writer) error {
	var out strings.Builder
	out.WriteString("# Every rule with its default. Uncomment what you change; the file is followed while the service runs.\n")
	for _, rule := range Rules() {
		fmt.Fprintf(&out, "\n# %s\n", rule.Help)
		for _, operation := range rule.Operations {
			fmt.Fprintf(&out, "# %s\n", operation)
		}
		fmt.Fprintf(&out, "#%q: %q\n", rule.Name, rule.Default)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// CheckFile writes what is wrong with one policy file, one finding a line, and returns
// an error if the service would not start with it.
func CheckFile(w io.Writer, path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("check policy file: %w", err)
	}
	found, err := readFile(path)
	if err != nil {
		return err
	}
	sources := append(defaults(), found...)
	if _, err := compile(sources); err != nil {
		return err
	}
	var out strings.Builder
	for _, s := range strangers(sources) {
		fmt.Fprintf(&out, "warning: %s:%d: nothing asks for the rule %s\n", s.file, s.line, s.name)
	}
	fmt.Fprintf(&out, "%d rules are overridden or added\n", len(found))
	_, err = io.WriteString(w, out.String())
	return err
}

// Reference writes docs/reference/policy.md.
func Reference(w io.Writer) error {
	var out strings.Builder
	out.WriteString(referenceHead)
	for _, rule := range Rules() {
		operations := make([]string, len(rule.Operations))
		for i, operation := range rule.Operations {
			operations[i] = "`" + operation + "`"
		}
		fmt.Fprintf(&out, "| `%s` | `%s` | %s | %s |\n", rule.Name, rule.Default, rule.Help, strings.Join(operations, ", "))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

const referenceHead = `# Policy rules

Printed from the table in ` + "`internal/adapter/policy`" + `; a test keeps the two equal.

Override single rules in ` + "`policy.yaml`" + ` (` + "`[oslo_policy] policy_file`" + `) or in the files of ` + "`policy.d`" + ` (` + "`policy_dirs`" + `),
which are read after it in the order of their names. A change is followed within a second; a file that cannot be understood
stops the service from starting, and changes nothing while it runs. Nor does one that is gone or empty then, as while it is
written anew: one of nothing but a comment lifts what it said.

A rule is ` + "`kind:match`, `and`, `or`, `not`" + `, parentheses, ` + "`@`" + ` (everybody) and ` + "`!`" + ` (nobody). Kinds are ` + "`role`, `rule`" + `, an attribute
of the actor (` + "`is_admin`, `user_id`, `project_id`" + ` and more) or a quoted text; a match may name ` + "`%(project_id)s` and `%(user_id)s`" + ` of
the object. The old form, a list of alternatives that are lists of checks, is read too.

An actor that holds the role reader and none of member, manager and admin may read but not write. The original knows no
reader; tokens without that role are judged as the original judges them.

| Rule | Default | Meaning | Calls |
|---|---|---|---|
`
