package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// masked stands for a value that is never printed.
const masked = "****"

// Sample writes a zun.conf that holds every option that has an effect, commented
// out, with its meaning and default.
func Sample(w io.Writer) error {
	var out strings.Builder
	out.WriteString("# Every option that has an effect, with its default. Uncomment what you change.\n")
	for _, group := range groups(effective) {
		fmt.Fprintf(&out, "\n[%s]\n", group[0].Section)
		for _, o := range group {
			fmt.Fprintf(&out, "\n# %s (%s)\n", o.Help, describe(o))
			if o.Note != "" {
				fmt.Fprintf(&out, "# %s\n", o.Note)
			}
			fmt.Fprintf(&out, "#%s = %s\n", o.Name, shownDefault(o))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// Check writes what is wrong with source, one finding a line, and returns an error
// if the service would not start with it.
func Check(w io.Writer, source Source) error {
	_, warnings, err := Load(source)
	var out strings.Builder
	for _, warning := range warnings {
		fmt.Fprintf(&out, "warning: %s\n", warning)
	}
	faults := 0
	for _, fault := range split(err) {
		fmt.Fprintf(&out, "error: %s\n", fault)
		faults++
	}
	if faults == 0 {
		fmt.Fprintf(&out, "the configuration is usable (%d warnings)\n", len(warnings))
	}
	if _, err := io.WriteString(w, out.String()); err != nil {
		return err
	}
	if faults > 0 {
		return fmt.Errorf("the configuration holds %d errors", faults)
	}
	return nil
}

// split takes a joined error apart.
func split(err error) []error {
	var joined interface{ Unwrap() []error }
	if err != nil && errors.As(err, &joined) {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// Show writes the effective value of every option that has an effect and where it
// comes from. Secrets are masked.
func Show(w io.Writer, source Source) error {
	s, _, err := read(source)
	if err != nil {
		return err
	}
	var out strings.Builder
	for i, group := range groups(effective) {
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "[%s]\n", group[0].Section)
		for _, o := range group {
			values, err := s.values(o)
			if err != nil {
				return err
			}
			for _, value := range values {
				fmt.Fprintf(&out, "%s = %s  # %s\n", o.Name, conceal(o, cmp.Or(value, o.Shown)), s.from(o))
			}
		}
	}
	_, err = io.WriteString(w, out.String())
	return err
}

func (s *settings) from(o Option) string {
	e := s.origin(o.Key())
	if e.file == "" {
		return "default"
	}
	return placeOf(e.file, e.line)
}

// conceal masks a secret; of a URL only what may hold a password is masked, since
// an operator wants to see which server is meant.
func conceal(o Option, value string) string {
	if !o.Secret || value == "" {
		return value
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return masked
	}
	who := ""
	if u.User != nil {
		who = u.User.Username() + ":" + masked + "@"
	}
	return u.Scheme + "://" + who + u.Host + u.Path
}

// Reference writes docs/reference/config.md.
func Reference(w io.Writer) error {
	var out strings.Builder
	out.WriteString(referenceHead)
	for _, group := range groups(func(Option) bool { return true }) {
		fmt.Fprintf(&out, "\n## [%s]\n\n| Option | Type | Default | Meaning | Here |\n|---|---|---|---|---|\n", group[0].Section)
		for _, o := range group {
			fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s |\n", o.Name, cell(describe(o)), code(shownDefault(o)), cell(o.Help), cell(here(o)))
		}
	}
	out.WriteString(referenceTail)
	for _, section := range Sections() {
		fmt.Fprintf(&out, "| `[%s]` | %s |\n", section.Pattern, cell(section.Note))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

const referenceHead = `# Options of zun.conf

Printed from the table in ` + "`internal/config`" + `; a test keeps the two equal.

Files are read in this order, later ones win: ` + "`/etc/zun/zun.conf`, `/etc/zun/zun.conf.d/*.conf`" + ` (or what
` + "`--config-file` and `--config-dir`" + ` name, each repeatable), then ` + "`--set section.option=value`" + `. A value may name another option
as ` + "`$name`, `${name}` or `${section.name}`" + `; a plain dollar is ` + "`$$`" + `. "Ours" marks options that the original does not have.
`

const referenceTail = `
## Sections accepted as a whole

Names of these sections that are not listed above are accepted without effect.

| Section | Reason |
|---|---|
`

// effective says whether o does anything.
func effective(o Option) bool { return o.Use == Honoured || o.Use == Mapped }

func here(o Option) string {
	words := o.Use.String()
	if o.Ours {
		words = "ours"
	}
	if o.Note != "" {
		words += ": " + o.Note
	}
	return words
}

func describe(o Option) string {
	words := []string{o.Type.String()}
	if len(o.Choices) > 0 {
		words = append(words, "one of "+strings.Join(quoted(o.Choices), ", "))
	}
	if o.Min != nil {
		words = append(words, fmt.Sprintf("at least %v", *o.Min))
	}
	if o.Max != nil {
		words = append(words, fmt.Sprintf("at most %v", *o.Max))
	}
	return strings.Join(words, ", ")
}

func shownDefault(o Option) string {
	if o.Shown != "" {
		return o.Shown
	}
	return o.Default
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func code(text string) string {
	if text == "" {
		return "none"
	}
	return "`" + cell(text) + "`"
}

// groups returns the wanted rows by section, sections in the order of the table.
func groups(wanted func(Option) bool) [][]Option {
	var out [][]Option
	for _, o := range Options() {
		if !wanted(o) {
			continue
		}
		at := slices.IndexFunc(out, func(group []Option) bool { return group[0].Section == o.Section })
		if at < 0 {
			out = append(out, []Option{o})
			continue
		}
		out[at] = append(out[at], o)
	}
	return out
}
