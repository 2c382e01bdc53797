package local

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// defaultGroup is the group that every project has: all out, in from itself.
const defaultGroup = "default"

// Groups are the security groups of the built-in networks: each project's default group,
// and those of the operator's file, which is read again whenever it changes.
type Groups struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex
	stamp   stamp
	known   []groupEntry
	edition int
}

var _ control.Groups = (*Groups)(nil)

// OpenGroups reads the groups of the file at path; without a path or a file there are only
// the default groups. A file that cannot be understood is an error here; later the groups
// known last stay in force, and the log says why.
func OpenGroups(path string, log *slog.Logger) (*Groups, error) {
	g := &Groups{path: path, log: log}
	if path == "" {
		return g, nil
	}
	g.stamp = stampOf(path)
	known, err := readGroups(path)
	if err != nil {
		return nil, err
	}
	g.known = known
	return g, nil
}

// fresh returns the groups as the file last said them well, and how often they changed. A file
// that is lost says nothing: a slip, or an editor at work, must neither open the default
// groups that it tells nor close its others.
func (g *Groups) fresh() ([]groupEntry, int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.path == "" {
		return nil, 0
	}
	now := stampOf(g.path)
	if now == g.stamp {
		return g.known, g.edition
	}
	g.stamp = now
	known, err := readGroups(g.path)
	if now.size == 0 {
		err = fmt.Errorf("%s is gone or empty, as while it is written anew; one of nothing but a comment has no groups", g.path)
	}
	if err != nil {
		g.log.Error("the security groups stay as they were", "error", err)
		return g.known, g.edition
	}
	g.known = known
	g.edition++
	return g.known, g.edition
}

// Edition implements control.Groups.
func (g *Groups) Edition(context.Context) (string, error) {
	_, edition := g.fresh()
	return strconv.Itoa(edition), nil
}

// Default implements control.Groups.
func (g *Groups) Default(_ context.Context, projectID string) (string, error) {
	return groupID(projectID, defaultGroup), nil
}

// Find implements control.Groups.
func (g *Groups) Find(_ context.Context, actor domain.Actor, idents []string) ([]string, error) {
	entries, _ := g.fresh()
	names := namesOf(entries, actor.ProjectID)
	var ids []string
	for _, ident := range idents {
		at := slices.IndexFunc(names, func(name string) bool { return ident == name || ident == groupID(actor.ProjectID, name) })
		if at < 0 {
			return nil, domain.NewFault(domain.Invalid, "invalid-value", "Security group %s not found.", ident)
		}
		if id := groupID(actor.ProjectID, names[at]); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Rules implements control.Groups. A group whose entry the operator took out of the file
// lets nothing through.
func (g *Groups) Rules(_ context.Context, c domain.Container) (ids []string, rules []domain.GroupRule, err error) {
	entries, _ := g.fresh()
	ids = slices.Clone(c.Spec.SecurityGroups)
	if len(ids) == 0 && len(c.Spec.ExposedPorts) == 0 {
		ids = []string{groupID(c.ProjectID, defaultGroup)}
	}
	for _, name := range namesOf(entries, c.ProjectID) {
		if slices.Contains(ids, groupID(c.ProjectID, name)) {
			rules = append(rules, rulesOf(entries, c.ProjectID, name)...)
		}
	}
	if len(c.Spec.ExposedPorts) > 0 {
		opened, err := exposed(c.Spec.ExposedPorts)
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, derived("exposed ports/"+string(c.ID)))
		rules = append(rules, opened...)
	}
	return ids, once(rules), nil
}

// groupID is the id of a project's group of that name.
func groupID(projectID, name string) string {
	return derived("security group/" + projectID + "/" + name)
}

// namesOf lists the groups of a project, each once.
func namesOf(entries []groupEntry, projectID string) []string {
	names := []string{defaultGroup}
	for _, e := range entries {
		if e.in(projectID) && !slices.Contains(names, e.Name) {
			names = append(names, e.Name)
		}
	}
	return names
}

// rulesOf are the rules of a project's group: its own entry counts before one for all
// projects, and the default group needs none.
func rulesOf(entries []groupEntry, projectID, name string) []domain.GroupRule {
	for _, project := range []string{projectID, everyProject} {
		for _, e := range entries {
			if e.Name == name && e.Project == project {
				return e.rules(projectID)
			}
		}
	}
	itself := bothVersions(domain.GroupRule{PortMin: -1, PortMax: -1, RemoteGroup: groupID(projectID, defaultGroup)})
	return append(allOut(), itself...)
}

func allOut() []domain.GroupRule {
	return bothVersions(domain.GroupRule{Egress: true, PortMin: -1, PortMax: -1})
}

func bothVersions(r domain.GroupRule) []domain.GroupRule {
	six := r
	six.IPv6 = true
	return []domain.GroupRule{r, six}
}

// exposed opens ports ("80/tcp") to everybody in both IP versions; all may leave.
func exposed(ports []string) ([]domain.GroupRule, error) {
	rules := allOut()
	for _, port := range ports {
		number, protocol, _ := strings.Cut(port, "/")
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("read the exposed port %s: %w", port, err)
		}
		rules = append(rules, bothVersions(domain.GroupRule{Protocol: protocol, PortMin: int(n), PortMax: int(n)})...)
	}
	return rules, nil
}

func once(rules []domain.GroupRule) []domain.GroupRule {
	var kept []domain.GroupRule
	for _, r := range rules {
		if !slices.Contains(kept, r) {
			kept = append(kept, r)
		}
	}
	return kept
}
