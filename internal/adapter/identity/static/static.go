package static

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/go-zun/zun/internal/domain"
)

// recheck is how long a change of a shared file may go unseen.
const recheck = time.Second

// Options say where the built-in identity keeps its files and how clients reach it.
type Options struct {
	UsersFile      string
	KeyFile        string // signs tokens; created if missing
	RevocationFile string
	OpenRCFile     string // "" writes none
	CloudsFile     string // "" writes none

	IdentityURL  string // as clients reach Handler's root, such as http://127.0.0.1:9517/identity
	ContainerURL string // as clients reach the container API, such as http://127.0.0.1:9517/v1
	Region       string

	TokenLife time.Duration
	// Cost is bcrypt's; 0 means bcrypt's default.
	Cost int
	// Source names whom failed log-ins are counted against; nil takes the peer's address.
	Source func(*http.Request) string
	Now    func() time.Time
	Log    *slog.Logger
}

// Identity knows the users and issues, checks and revokes their tokens. It is safe
// for concurrent use.
type Identity struct {
	options Options
	signer  *signer
	revoked *revocations
	gate    *gate
	log     *slog.Logger
	now     func() time.Time

	people    atomic.Pointer[book]
	nextCheck atomic.Int64 // unix nanoseconds
}

// Open reads the files of options. Where the users file is missing this is the first
// start: users, their log-in files and the signing key are made.
func Open(options Options) (*Identity, error) {
	if options.Cost == 0 {
		options.Cost = bcrypt.DefaultCost
	}
	if options.Source == nil {
		options.Source = peer
	}
	key, err := openKey(options.KeyFile)
	if err != nil {
		return nil, err
	}
	if err := firstStart(options); err != nil {
		return nil, err
	}
	people, err := readBook(options.UsersFile)
	if err != nil {
		return nil, err
	}
	revoked, err := openRevocations(options.RevocationFile, options.Now)
	if err != nil {
		return nil, err
	}
	i := &Identity{options: options, signer: newSigner(key), revoked: revoked, gate: newGate(options.Now), log: options.Log, now: options.Now}
	i.people.Store(people)
	i.nextCheck.Store(options.Now().Add(recheck).UnixNano())
	return i, nil
}

// Authenticate returns the actor behind token. A missing, unknown, expired or revoked
// token is Unauthenticated, as is one whose user, project or role is gone.
func (i *Identity) Authenticate(_ context.Context, token string) (domain.Actor, error) {
	grant, err := i.verify(token)
	if err != nil {
		return domain.Actor{}, domain.WrapFault(err, domain.Unauthenticated, "unauthorized",
			"The request you have made requires authentication.")
	}
	if grant.project == nil {
		return domain.Actor{}, domain.NewFault(domain.Unauthenticated, "unauthorized", "The token is not scoped to a project.")
	}
	return domain.Actor{
		UserID: grant.user.ID, UserName: grant.user.Name, UserDomainID: domainID,
		ProjectID: grant.project.ID, ProjectName: grant.project.Name, ProjectDomainID: domainID,
		Roles: grant.roles, Token: token,
	}, nil
}

// Challenge is the value of WWW-Authenticate on a 401.
func (i *Identity) Challenge() string {
	return fmt.Sprintf("Keystone uri=%q", i.options.IdentityURL+"/v3")
}

// grant is a token that was found good: who holds it, where, and until when.
type grant struct {
	claims  claims
	user    *user
	project *project // nil when unscoped
	roles   []string // in project
}

// verify checks signature, time, revocation and that the holder still is who the
// token says. Its errors are for the log.
func (i *Identity) verify(token string) (grant, error) {
	c, err := i.signer.open(token)
	if err != nil {
		return grant{}, err
	}
	if !i.now().Before(time.Unix(c.Expires, 0)) {
		return grant{}, fmt.Errorf("token of user %s expired", c.User)
	}
	if i.revoked.has(c.Audit) {
		return grant{}, fmt.Errorf("token of user %s was revoked", c.User)
	}
	people := i.book()
	holder := people.users[c.User]
	if holder == nil || holder.Disabled {
		return grant{}, fmt.Errorf("user %s is gone or disabled", c.User)
	}
	if holder.stamp != c.Stamp {
		return grant{}, fmt.Errorf("user %s changed the password", c.User)
	}
	if c.Project == "" {
		return grant{claims: c, user: holder}, nil
	}
	where := people.projects[c.Project]
	if where == nil || where.Disabled || len(holder.Roles[where.Name]) == 0 {
		return grant{}, fmt.Errorf("user %s has no role in project %s", c.User, c.Project)
	}
	return grant{claims: c, user: holder, project: where, roles: holder.held[where.ID]}, nil
}

// book returns the users as the file has them, at most recheck old. A file that
// became unreadable keeps the last good state, because a slip of an editor must not
// lock everybody out.
func (i *Identity) book() *book {
	people := i.people.Load()
	due, now := i.nextCheck.Load(), i.now()
	if now.UnixNano() < due || !i.nextCheck.CompareAndSwap(due, now.Add(recheck).UnixNano()) {
		return people
	}
	seen := stampOf(i.options.UsersFile)
	if seen == people.seen {
		return people
	}
	fresh, err := readBook(i.options.UsersFile)
	if err != nil {
		i.log.Error("users file cannot be used, keeping what was known before", "error", err)
		kept := *people
		kept.seen = seen
		fresh = &kept
	}
	i.people.Store(fresh)
	return fresh
}
