package grammar

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Filters returns a function that gives the filters that were named, also those by an
// empty value, as of a variable that is not set: without them everything would be listed.
func Filters(f *pflag.FlagSet, names ...string) func() url.Values {
	for _, name := range names {
		f.String(name, "", "only those with this "+strings.ReplaceAll(name, "-", " "))
	}
	return func() url.Values {
		filters := url.Values{}
		for _, name := range names {
			if flag := f.Lookup(name); flag.Changed {
				filters.Set(strings.ReplaceAll(name, "-", "_"), flag.Value.String())
			}
		}
		return filters
	}
}

// Count is a flag's number of things that there must be at least one of.
type Count int

// String implements pflag.Value.
func (n *Count) String() string { return strconv.Itoa(int(*n)) }

// Type implements pflag.Value.
func (n *Count) Type() string { return "count" }

// Set implements pflag.Value.
func (n *Count) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err == nil && value < 1 {
		err = strconv.ErrRange
	}
	*n = Count(value)
	return err
}
