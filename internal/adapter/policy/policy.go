package policy

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
)

// recheck is how long a change of a file may go unseen.
const recheck = time.Second

// Options name the files that override the defaults.
type Options struct {
	File     string   // policy.yaml; a policy.json beside it is read where it is missing
	Required bool     // File was asked for by name: its absence is an error
	Dirs     []string // directories of further files; missing ones are empty
	Now      func() time.Time
	Log      *slog.Logger
}

// Policy answers by the rules in force. It is safe for concurrent use.
type Policy struct {
	options   Options
	now       func() time.Time
	log       *slog.Logger
	state     atomic.Pointer[state]
	nextCheck atomic.Int64 // unix nanoseconds
}

// state is the rules in force, the files that they were read from, and all files as they
// were last seen.
type state struct {
	rules *ruleset
	read  map[string]stamp
	seen  map[string]stamp
}

// Open reads the files over the defaults. A file that cannot be understood is an error
// that names file, line and rule: starting with half a policy would open doors.
func Open(options Options) (*Policy, error) {
	p := &Policy{options: options, now: options.Now, log: options.Log}
	fresh, err := p.load()
	if err != nil {
		return nil, err
	}
	p.state.Store(fresh)
	p.nextCheck.Store(options.Now().Add(recheck).UnixNano())
	return p, nil
}

// Allowed evaluates rule for actor on an object of target's project and user. A rule
// that does not exist is refused.
func (p *Policy) Allowed(rule string, actor domain.Actor, target rest.Target) bool {
	rules := p.rules()
	return rules.holds(rule, question{rules: rules, actor: actor, target: target})
}

// IsAdmin is the verdict of context_is_admin.
func (p *Policy) IsAdmin(actor domain.Actor) bool { return p.rules().isAdmin(actor) }

// Judged returns an Identity whose actors carry the verdict of context_is_admin.
func (p *Policy) Judged(next rest.Identity) rest.Identity { return judged{Identity: next, policy: p} }

type judged struct {
	rest.Identity
	policy *Policy
}

// Authenticate adds the verdict to the actor that the inner identity found.
func (j judged) Authenticate(ctx context.Context, token string) (domain.Actor, error) {
	actor, err := j.Identity.Authenticate(ctx, token)
	if err != nil {
		return domain.Actor{}, err
	}
	actor.IsAdmin = j.policy.IsAdmin(actor)
	return actor, nil
}

// rules returns the rules as the files have them, at most recheck old. Files that became
// unusable keep the former rules in force, because an operator's slip must neither open
// nor close the service.
func (p *Policy) rules() *ruleset {
	current := p.state.Load()
	due, now := p.nextCheck.Load(), p.now()
	if now.UnixNano() < due || !p.nextCheck.CompareAndSwap(due, now.Add(recheck).UnixNano()) {
		return current.rules
	}
	seen := p.stamps()
	if maps.Equal(current.seen, seen) {
		return current.rules
	}
	fresh, err := p.load()
	if err == nil {
		err = lost(current.read, fresh.read)
	}
	if err != nil {
		p.log.Error("policy files cannot be used, keeping the rules of before", "error", err)
		fresh = &state{rules: current.rules, read: current.read, seen: seen}
	} else {
		p.log.Info("policy files were read again", "files", len(fresh.read))
	}
	p.state.Store(fresh)
	return fresh.rules
}

// load reads all files, stamps first, so that a change in between is seen next time.
func (p *Policy) load() (*state, error) {
	stamps := p.stamps()
	files, err := p.places()
	if err != nil {
		return nil, err
	}
	sources := defaults()
	for _, file := range files {
		found, err := readFile(file)
		if err != nil {
			return nil, err
		}
		sources = append(sources, found...)
	}
	rules, err := compile(sources)
	if err != nil {
		return nil, err
	}
	for _, s := range strangers(sources) {
		p.log.Warn("policy file holds a rule that nothing asks for", "file", s.file, "line", s.line, "rule", s.name)
	}
	return &state{rules: rules, read: stamps, seen: stamps}, nil
}

// lost names a file that rules in force were read from and that is gone or empty now, as
// while it is written anew: for that moment the defaults must not hold. One of nothing but
// a comment lifts what it said.
func lost(before, now map[string]stamp) error {
	for _, file := range slices.Sorted(maps.Keys(before)) {
		if before[file].size > 0 && now[file].size == 0 {
			return fmt.Errorf("%s is gone or empty; one of nothing but a comment, or a new start, lifts what it said", file)
		}
	}
	return nil
}
