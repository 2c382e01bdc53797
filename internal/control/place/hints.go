package place

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// Wishes are what the scheduler hints of a container ask for.
type Wishes struct {
	Labels map[string]string // of the host's engine
	Bonds  []Bond
}

// Bond is a wish about which containers of the same project are on the same host.
type Bond struct {
	Hint  string // that asked for it
	Apart bool   // the host must not have such neighbours; else it must have one
	Soft  bool   // only weighed
	Kin   Kin
	// Near counts the neighbours by the id of their host. It is known once somebody
	// looked; a need that nobody looked for has none.
	Near map[string]int
}

// Kin says who the neighbours of a bond are: one of these containers, or all that
// carry a label or a group hint.
type Kin struct {
	Containers []domain.ContainerID
	Label      string // name and value of a container's own label
	Value      string
	Group      string
}

// The hints that are understood; every other one is let be, as it always was.
// Between the words of a hint stands a low line or a hyphen.
const (
	hintLabel       = "label:"
	hintSameHost    = "same_host"
	hintOtherHost   = "different_host"
	hintGroup       = "group"
	hintGroupPolicy = "group_policy"
	hintNear        = "affinity"
	hintApart       = "anti_affinity"
	hintSoftNear    = "soft_affinity"
	hintSoftApart   = "soft_anti_affinity"
	hintSpread      = "spread"
)

// bondOf returns what a hint or a group's policy asks for; false for any other word.
func bondOf(hint string) (b Bond, known bool) {
	switch word(hint) {
	case hintSameHost, hintNear:
		return Bond{Hint: hint}, true
	case hintOtherHost, hintApart:
		return Bond{Hint: hint, Apart: true}, true
	case hintSoftNear:
		return Bond{Hint: hint, Soft: true}, true
	case hintSoftApart, hintSpread:
		return Bond{Hint: hint, Soft: true, Apart: true}, true
	}
	return Bond{}, false
}

func word(hint string) string { return strings.ReplaceAll(hint, "-", "_") }

// ReadHints understands the hints of a container. A hint that is understood but says
// nothing that can be obeyed is Invalid.
func ReadHints(hints map[string]string) (w Wishes, err error) {
	names := make([]string, 0, len(hints))
	for name := range hints {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := hints[name]
		if label, found := strings.CutPrefix(name, hintLabel); found {
			if w.Labels == nil {
				w.Labels = map[string]string{}
			}
			w.Labels[label] = value
			continue
		}
		bonds, err := readBonds(name, value, hints)
		if err != nil {
			return w, err
		}
		w.Bonds = append(w.Bonds, bonds...)
	}
	return w, nil
}

func readBonds(name, value string, hints map[string]string) ([]Bond, error) {
	if word(name) == hintGroup {
		return groupBond(value, hints)
	}
	bond, known := bondOf(name)
	if !known {
		return nil, nil
	}
	terms := list(value)
	if len(terms) == 0 {
		return nil, invalid("The hint %s names nobody.", name)
	}
	ids := word(name) == hintSameHost || word(name) == hintOtherHost
	var bonds []Bond
	named := bond
	for _, term := range terms {
		label, labelled, isLabel := strings.Cut(term, "=")
		switch {
		case !isLabel:
			named.Kin.Containers = append(named.Kin.Containers, domain.ContainerID(term))
		case ids || label == "":
			return nil, invalid("The hint %s takes the uuids of containers, not %s.", name, term)
		default:
			of := bond
			of.Kin = Kin{Label: label, Value: labelled}
			bonds = append(bonds, of)
		}
	}
	if len(named.Kin.Containers) > 0 {
		bonds = append(bonds, named)
	}
	return bonds, nil
}

// groupBond ties a container to those of its project that name the same group. The
// policy is Nova's; without one the members keep apart.
func groupBond(group string, hints map[string]string) ([]Bond, error) {
	policy := hintApart
	for name, value := range hints {
		if word(name) == hintGroupPolicy {
			policy = value
		}
	}
	bond, known := bondOf(policy)
	switch word(policy) {
	case hintNear, hintApart, hintSoftNear, hintSoftApart:
	default:
		known = false
	}
	if !known {
		return nil, invalid("The hint group_policy is one of affinity, anti-affinity, soft-affinity and soft-anti-affinity, not %s.", policy)
	}
	if group == "" {
		return nil, invalid("The hint group names nobody.")
	}
	bond.Hint, bond.Kin = hintGroup, Kin{Group: group}
	return []Bond{bond}, nil
}

func invalid(message string, args ...any) error {
	return domain.NewFault(domain.Invalid, "invalid-value", message, args...)
}

// list reads a JSON list of texts, or texts with commas or blanks between them.
func list(value string) []string {
	var terms []string
	if json.Unmarshal([]byte(value), &terms) != nil {
		terms = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
	}
	return slices.DeleteFunc(terms, func(t string) bool { return t == "" })
}

// Includes says whether c is one of the kin.
func (k Kin) Includes(c *domain.Container) bool {
	switch {
	case k.Group != "":
		return groupOf(c.Spec.Hints) == k.Group
	case k.Label != "":
		value, found := c.Spec.Labels[k.Label]
		return found && value == k.Value
	}
	return slices.Contains(k.Containers, c.ID)
}

func groupOf(hints map[string]string) string { return hints[hintGroup] }
