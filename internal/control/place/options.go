package place

import (
	"fmt"
	"slices"
	"strings"
)

// Options are the operator's say in how hosts are chosen.
type Options struct {
	// Enabled names filters in the order in which they are asked; nil means all.
	// What a host has room for is asked after them in any case.
	Enabled []string
	Weights *Weights // nil: the default ones
	// Random leaves the choice among the hosts that fit to chance.
	Random bool
}

// enough bounds the search: beyond that many hosts that fit, another look gains
// little and costs each decision in a fleet of thousands.
const enough = 32

// Picker returns the picker that o describes. rand picks the start and breaks ties.
// A filter that nobody knows is an error that names those there are; the picker then
// asks all of them.
func (o Options) Picker(rand func(n int) int) (Picker, error) {
	p := Picker{Enough: enough, Rand: rand}
	if !o.Random {
		weights := DefaultWeights()
		if o.Weights != nil {
			weights = *o.Weights
		}
		p.Weighers = Weighers(weights)
	}
	filters, err := chosen(o.Enabled)
	p.Filters = filters
	return p, err
}

// chosen returns the filters of names, and around them those that are always asked.
func chosen(names []string) ([]Filter, error) {
	if names == nil {
		return Filters(), nil
	}
	byOption := map[string]Filter{}
	known := Implied()
	var first, last []Filter
	for _, f := range Filters() {
		switch {
		case f.Option != "":
			byOption[f.Option] = f
			known = append(known, f.Option)
		case len(byOption) == 0:
			first = append(first, f)
		default:
			last = append(last, f)
		}
	}
	for _, name := range names {
		f, switchable := byOption[name]
		switch {
		case switchable:
			first = append(first, f)
		case !slices.Contains(Implied(), name):
			slices.Sort(known)
			return Filters(), fmt.Errorf("filter %q is unknown: use %s", name, strings.Join(known, ", "))
		}
	}
	return append(first, last...), nil
}
