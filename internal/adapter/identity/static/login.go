package static

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/go-zun/zun/internal/domain"
)

// maxName is Keystone's bound of a name, in bytes here.
const maxName = 255

// loginRequest is the body of POST /v3/auth/tokens.
type loginRequest struct {
	Auth *struct {
		Identity struct {
			Methods  []string `json:"methods"`
			Password *struct {
				User struct {
					reference
					Password string `json:"password"`
				} `json:"user"`
			} `json:"password"`
			Token *struct {
				ID string `json:"id"`
			} `json:"token"`
		} `json:"identity"`
		Scope scope `json:"scope"`
	} `json:"auth"`
}

// reference names a user or project by id or by name within a domain.
type reference struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain *struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"domain"`
}

// ours says whether the reference may name something of the one domain that exists.
func (r reference) ours() bool {
	if r.ID != "" || r.Domain == nil {
		return r.ID != ""
	}
	return r.Domain.ID == domainID || r.Domain.ID == "" && r.Domain.Name == domainName
}

// scope is what a token is asked for: a project, nothing (Unscoped), or the default.
type scope struct {
	Project  *reference
	Unscoped bool
	Other    bool // a domain, the system, a trust
}

// UnmarshalJSON reads the text "unscoped" or an object with one key.
func (s *scope) UnmarshalJSON(content []byte) error {
	if bytes.Equal(content, []byte(`"unscoped"`)) {
		s.Unscoped = true
		return nil
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(content, &keys); err != nil {
		return err
	}
	for key, value := range keys {
		switch key {
		case "unscoped":
			s.Unscoped = true
		case "project":
			s.Project = &reference{}
			if err := json.Unmarshal(value, s.Project); err != nil {
				return err
			}
		default:
			s.Other = true
		}
	}
	return nil
}

// issue is POST /v3/auth/tokens.
func (i *Identity) issue(w http.ResponseWriter, r *http.Request) {
	if err := i.login(w, r); err != nil {
		i.refuse(w, err)
	}
}

func (i *Identity) login(w http.ResponseWriter, r *http.Request) error {
	request, err := readLogin(w, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), loginTimeout)
	defer cancel()
	people := i.book()
	now := i.now()
	holder, origin, err := i.identify(ctx, people, request, i.options.Source(r))
	if err != nil {
		return err
	}
	where, err := target(people, holder, request.Auth.Scope)
	if err != nil {
		return err
	}
	c := claims{User: holder.ID, Stamp: holder.stamp, Issued: now.Unix(), Expires: now.Add(i.options.TokenLife).Unix(),
		Audit: newAudit(), Methods: request.Auth.Identity.Methods}
	if where != nil {
		c.Project = where.ID
	}
	if origin != nil { // a token made from a token does not outlive it
		c.Expires = min(c.Expires, origin.Expires)
	}
	token, err := i.signer.seal(c)
	if err != nil {
		return err
	}
	w.Header().Set("X-Subject-Token", token)
	g := grant{claims: c, user: holder, project: where}
	if where != nil {
		g.roles = holder.held[where.ID]
	}
	i.answer(w, http.StatusCreated, map[string]any{"token": i.tokenView(g, !r.URL.Query().Has("nocatalog"))})
	return nil
}

// readLogin reads the body and checks its form; every fault is Invalid or TooLarge.
func readLogin(w http.ResponseWriter, r *http.Request) (loginRequest, error) {
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return loginRequest{}, domain.NewFault(domain.TooLarge, "too-large", "The request is too large.")
	}
	var request loginRequest
	if err != nil || json.Unmarshal(content, &request) != nil {
		return loginRequest{}, invalid("The body of the request is no JSON of an authentication.")
	}
	if request.Auth == nil {
		return loginRequest{}, invalid("'auth' is a required property")
	}
	identity := request.Auth.Identity
	if len(identity.Methods) == 0 {
		return loginRequest{}, invalid("'methods' is a required property of 'identity'")
	}
	slices.Sort(identity.Methods)
	request.Auth.Identity.Methods = slices.Compact(identity.Methods)
	for _, method := range request.Auth.Identity.Methods {
		if method != "password" && method != "token" {
			return loginRequest{}, domain.NewFault(domain.Unauthenticated, "unauthorized",
				"Attempted to authenticate with an unsupported method.")
		}
	}
	if slices.Contains(identity.Methods, "password") && identity.Password == nil ||
		slices.Contains(identity.Methods, "token") && identity.Token == nil {
		return loginRequest{}, invalid("Each of 'methods' needs the object of its name in 'identity'.")
	}
	return request, nil
}

func invalid(message string) *domain.Fault {
	return domain.NewFault(domain.Invalid, "bad-request", "%s", message)
}

// identify returns who logs in, by password, by token or by both, and what the token
// said if there was one.
func (i *Identity) identify(ctx context.Context, people *book, request loginRequest, source string) (*user, *claims, error) {
	identity := request.Auth.Identity
	var who *user
	var origin *claims
	if slices.Contains(identity.Methods, "token") {
		g, err := i.verify(identity.Token.ID)
		if err != nil {
			return nil, nil, unauthenticated()
		}
		who, origin = g.user, &g.claims
	}
	if slices.Contains(identity.Methods, "password") {
		named, err := i.byPassword(ctx, people, request, source)
		if err != nil {
			return nil, nil, err
		}
		if who != nil && who.ID != named.ID {
			return nil, nil, unauthenticated()
		}
		who = named
	}
	return who, origin, nil
}

func (i *Identity) byPassword(ctx context.Context, people *book, request loginRequest, source string) (*user, error) {
	given := request.Auth.Identity.Password.User
	name := cmp.Or(given.ID, given.Name)
	if name == "" || len(name) > maxName {
		return nil, unauthenticated()
	}
	var who *user
	if given.ours() {
		who = people.userNames[given.Name]
		if given.ID != "" {
			who = people.users[given.ID]
		}
	}
	try := attempt{source: source, name: name, password: given.Password, decoy: people.anyHash()}
	if who != nil {
		try.name = who.ID // a user that is called otherwise is guessed no more often
	}
	if who != nil && !who.Disabled {
		try.hash = []byte(who.PasswordHash)
	}
	fits, wait, err := i.gate.try(ctx, try)
	switch {
	case err != nil:
		return nil, domain.WrapFault(err, domain.Unavailable, "unavailable", "Too many log-ins at once; try again.")
	case wait > 0:
		return nil, domain.WrapFault(&slowedDown{wait: wait}, domain.Unauthenticated, "too-many-requests",
			"Too many failed log-ins; try again later.")
	case !fits:
		i.log.InfoContext(ctx, "log-in refused", "user", name, "source", source)
		return nil, unauthenticated()
	}
	return who, nil
}

// target chooses the project of a token: the one asked for, else the user's default,
// else none. A project that is unknown or where the user has no role is refused like a
// wrong password, so that names cannot be guessed.
func target(people *book, who *user, asked scope) (*project, error) {
	switch {
	case asked.Unscoped:
		return nil, nil
	case asked.Other:
		return nil, domain.NewFault(domain.Unauthenticated, "unauthorized", "This identity issues tokens for projects only.")
	case asked.Project == nil:
		where := people.projectNames[who.Project]
		if where == nil || where.Disabled {
			return nil, nil
		}
		return where, nil
	}
	var where *project
	switch {
	case asked.Project.ID != "":
		where = people.projects[asked.Project.ID]
	case asked.Project.ours():
		where = people.projectNames[asked.Project.Name]
	}
	if where == nil || where.Disabled || len(who.Roles[where.Name]) == 0 {
		return nil, unauthenticated()
	}
	return where, nil
}
