package stock_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/stock"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/kit/clock"
)

// shop is an engine's images and the registries that they come from.
type shop struct {
	agent.Engine
	t *testing.T

	mu       sync.Mutex
	registry map[string]article // by full name
	here     map[string]string  // full name to id
	sizes    map[string]int64
	used     map[string]bool // ids of which somebody made a container
	down     bool
	free     int64
	pulls    []string
	asked    []string
	removed  []string
	during   func(name string) // runs while an image is removed
	broken   error             // of the next pull, after it brought the image
	arrived  func()            // runs when a pull brought its image, before the stock knows
	silent   error             // of every look at an image
	hangs    bool              // the engine takes every look at an image, and answers none

	clock *clock.Clock
	stock *stock.Stock
	signs *signs // nil: there is no notary
	path  string
	rules stock.Rules
}

// article is an image of a registry; password is empty for what everybody may pull.
type article struct {
	id, password string
	size         int64
}

const total = 1000

func open(t *testing.T) *shop {
	s := &shop{
		t: t, registry: map[string]article{}, here: map[string]string{}, sizes: map[string]int64{}, used: map[string]bool{}, free: total,
		clock: clock.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)), path: filepath.Join(t.TempDir(), "images.json"),
		rules: stock.Rules{Remove: true, UnusedAge: 24 * time.Hour, Grace: time.Minute, High: 0.8, Low: 0.5, PublicFor: time.Hour},
	}
	s.restart()
	return s
}

// restart opens the stock anew on what the disk holds, as another run of the agent does.
func (s *shop) restart() {
	s.t.Helper()
	opened, err := stock.New(stock.Deps{Engine: s, Notary: s.notary(), Path: s.path, Rules: s.rules, Clock: s.clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.stock = opened
}

// sell puts an image into a registry.
func (s *shop) sell(name, id, password string) { s.registry[name] = article{id, password, 100} }

// bring puts an image on the engine by other hands than ours.
func (s *shop) bring(name, id string) { s.here[name], s.sizes[id] = id, 100 }

func digest(id string) string { return "sha256:" + id }

func (s *shop) Images() agent.Images { return shelf{s} }

type shelf struct{ *shop }

func (s shelf) Present(_ context.Context, ref string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, found := s.here[ref]
	return found, nil
}

func (s *shop) article(ref string, secret *domain.PullSecret) (article, error) {
	if s.down {
		return article{}, domain.NewFault(domain.Unavailable, "registry-unreachable", "down")
	}
	a, found := s.registry[ref]
	if !found {
		return a, domain.NewFault(domain.NotFound, "image-not-found", "no %s", ref)
	}
	if a.password != "" && (secret == nil || secret.Password != a.password) {
		return a, domain.NewFault(domain.Forbidden, "image-forbidden", "not you")
	}
	return a, nil
}

func (s shelf) Pull(_ context.Context, ref string, secret *domain.PullSecret, progress func(done, total int64)) error {
	if s.arrived != nil {
		defer s.arrived() // after the unlock
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.article(ref, secret)
	if err != nil {
		return err
	}
	if progress != nil {
		progress(1, 2)
	}
	if _, there := s.sizes[a.id]; !there {
		s.free -= a.size
	}
	s.here[ref], s.sizes[a.id] = a.id, a.size
	s.pulls = append(s.pulls, ref)
	return s.broken
}

func (s shelf) Remove(_ context.Context, ref string) error {
	if s.during != nil {
		s.during(ref)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, found := s.here[ref]
	if !found {
		return nil
	}
	if s.used[id] {
		return domain.NewFault(domain.Conflict, "image-in-use", "in use")
	}
	delete(s.here, ref)
	s.removed = append(s.removed, ref)
	for _, other := range s.here {
		if other == id {
			return nil
		}
	}
	s.free += s.sizes[id]
	delete(s.sizes, id)
	return nil
}

func (s *shop) stored(id string) domain.StoredImage {
	image := domain.StoredImage{LocalImage: domain.LocalImage{ID: id, Size: s.sizes[id]}, Used: s.used[id]}
	for name, of := range s.here {
		if of == id {
			image.Names = append(image.Names, name)
			repo := name[:strings.LastIndex(name, ":")]
			image.Digests = append(image.Digests, repo+"@"+digest(id))
		}
	}
	return image
}

// InspectImage finds an image by name, or as engines do by its id.
func (s *shop) InspectImage(ctx context.Context, ref string) (domain.StoredImage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hangs {
		<-ctx.Done()
		return domain.StoredImage{}, ctx.Err()
	}
	if s.silent != nil {
		return domain.StoredImage{}, s.silent
	}
	id, found := s.here[ref]
	if _, byID := s.sizes[ref]; !found && byID {
		id, found = ref, true
	}
	for name, of := range s.here {
		if repo, _, _ := strings.Cut(ref, "@"); !found && strings.HasSuffix(ref, "@"+digest(of)) && strings.HasPrefix(name, repo+":") {
			id, found = of, true
		}
	}
	if !found {
		return domain.StoredImage{}, domain.NewFault(domain.NotFound, "image-not-found", "no %s here", ref)
	}
	return s.stored(id), nil
}

func (s *shop) StoredImages(context.Context) (all []domain.StoredImage, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.sizes {
		all = append(all, s.stored(id))
	}
	return all, nil
}

func (s *shop) ImageDisk(context.Context) (int64, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free, total, nil
}

func (s *shop) ResolveImage(_ context.Context, ref string, secret *domain.PullSecret) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, ref)
	a, err := s.article(ref, secret)
	return digest(a.id), err
}

func secret(password string) *domain.PullSecret {
	if password == "" {
		return nil
	}
	return &domain.PullSecret{Domain: "reg.example", Username: "u", Password: password}
}

// ready asks for an image and returns the code of the refusal, empty if there is none.
func (s *shop) ready(project, ref string, policy domain.PullPolicy, password string) string {
	s.t.Helper()
	_, err := s.stock.Ready(s.t.Context(), domain.Assignment{
		ProjectID: project, Secret: secret(password), Spec: domain.Spec{Image: ref, PullPolicy: policy},
	}, nil)
	if err == nil {
		return ""
	}
	return domain.AsFault(err).Code
}

func (s *shop) want(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// collect looks at the images once, while containers are made of inUse.
func (s *shop) collect(inUse ...string) {
	s.t.Helper()
	s.removed = nil
	_, err := s.stock.Collect(s.t.Context(), func() ([]string, bool) { return inUse, true })
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) wantRemoved(what string, names ...string) {
	s.t.Helper()
	slices.Sort(s.removed)
	if fmt.Sprint(s.removed) != fmt.Sprint(names) {
		s.t.Errorf("%s: removed %v, want %v", what, s.removed, names)
	}
}
