package static

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/crypto/bcrypt"
	"gopkg.in/yaml.v3"
)

// The one domain of the built-in identity, with Keystone's own first id and name.
const (
	domainID   = "default"
	domainName = "Default"
)

// project is one row of the users file.
type project struct {
	ID          string `yaml:"id"`
	Name        string `yaml:"name"`
	Description string `yaml:"description,omitempty"`
	Disabled    bool   `yaml:"disabled,omitempty"`
}

// user is one row of the users file.
type user struct {
	ID           string              `yaml:"id"`
	Name         string              `yaml:"name"`
	PasswordHash string              `yaml:"password_hash"` // bcrypt
	Disabled     bool                `yaml:"disabled,omitempty"`
	Project      string              `yaml:"default_project,omitempty"` // by name
	Roles        map[string][]string `yaml:"roles"`                     // by project name

	stamp string              // changes with the password; stands in tokens
	held  map[string][]string // roles by project id, with those that they include
}

// ledger is the users file as it is written.
type ledger struct {
	Projects []*project `yaml:"projects"`
	Users    []*user    `yaml:"users"`
}

// book is a ledger that was checked and indexed. It is never changed.
type book struct {
	ledger
	seen         seen
	users        map[string]*user // by id
	userNames    map[string]*user
	projects     map[string]*project // by id
	projectNames map[string]*project
}

// implied are the roles that Keystone's bootstrap makes a role include.
func implied(role string) []string {
	switch role {
	case "admin":
		return []string{"admin", "manager", "member", "reader"}
	case "manager":
		return []string{"manager", "member", "reader"}
	case "member":
		return []string{"member", "reader"}
	default:
		return []string{role}
	}
}

// roles returns the sorted roles of u in p with those that they include.
func (b *book) roles(u *user, p *project) []string {
	var all []string
	for _, role := range u.Roles[p.Name] {
		all = append(all, implied(role)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// projectsOf returns the enabled projects in which u holds a role, by name.
func (b *book) projectsOf(u *user) []*project {
	var own []*project
	for _, p := range b.Projects {
		if len(u.Roles[p.Name]) > 0 && !p.Disabled {
			own = append(own, p)
		}
	}
	slices.SortFunc(own, func(x, y *project) int { return cmp.Compare(x.Name, y.Name) })
	return own
}

// readBook reads, checks and indexes the users file.
func readBook(path string) (*book, error) {
	if err := private(path); err != nil {
		return nil, err
	}
	before := stampOf(path) // before reading, so that a change in between is seen next time
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	var l ledger
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&l); err != nil {
		return nil, fmt.Errorf("read users from %s: %w", path, err)
	}
	b, err := newBook(l)
	if err != nil {
		return nil, fmt.Errorf("users file %s: %w", path, err)
	}
	b.seen = before
	return b, nil
}

func newBook(l ledger) (*book, error) {
	b := &book{ledger: l, users: map[string]*user{}, userNames: map[string]*user{},
		projects: map[string]*project{}, projectNames: map[string]*project{}}
	for _, p := range l.Projects {
		if p == nil || p.ID == "" || p.Name == "" {
			return nil, errors.New("a project needs id and name")
		}
		if b.projects[p.ID] != nil || b.projectNames[p.Name] != nil {
			return nil, fmt.Errorf("project %q is listed twice", p.Name)
		}
		b.projects[p.ID], b.projectNames[p.Name] = p, p
	}
	for _, u := range l.Users {
		if err := b.add(u); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *book) add(u *user) error {
	if u == nil || u.ID == "" || u.Name == "" {
		return errors.New("a user needs id and name")
	}
	if b.users[u.ID] != nil || b.userNames[u.Name] != nil {
		return fmt.Errorf("user %q is listed twice", u.Name)
	}
	if _, err := bcrypt.Cost([]byte(u.PasswordHash)); err != nil {
		return fmt.Errorf("password_hash of user %q: %w", u.Name, err)
	}
	for name := range u.Roles {
		if b.projectNames[name] == nil {
			return fmt.Errorf("user %q has roles in the project %q, which is not listed", u.Name, name)
		}
	}
	if u.Project != "" && len(u.Roles[u.Project]) == 0 {
		return fmt.Errorf("user %q has no role in its default project %q", u.Name, u.Project)
	}
	digest := sha256.Sum256([]byte(u.PasswordHash))
	u.stamp = base64.RawURLEncoding.EncodeToString(digest[:9])
	u.held = map[string][]string{}
	for name := range u.Roles {
		where := b.projectNames[name]
		u.held[where.ID] = slices.Clip(b.roles(u, where))
	}
	b.users[u.ID], b.userNames[u.Name] = u, u
	return nil
}

// anyHash returns the hash of some user, nil if there is none.
func (b *book) anyHash() []byte {
	if len(b.Users) == 0 {
		return nil
	}
	return []byte(b.Users[0].PasswordHash)
}

// roleNames returns the sorted names of all roles that somebody holds, with the three
// that the policy defaults know.
func (b *book) roleNames() []string {
	names := implied("admin")
	for _, u := range b.Users {
		for _, roles := range u.Roles {
			names = append(names, roles...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// write puts l into the users file.
func (l ledger) write(path string) error {
	var out bytes.Buffer
	out.WriteString("# Users of the built-in identity. Changes are seen within a second.\n" +
		"# password_hash is bcrypt's; roles are listed by project.\n")
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(l), encoder.Close()); err != nil {
		return fmt.Errorf("encode users: %w", err)
	}
	return replace(path, out.Bytes())
}
