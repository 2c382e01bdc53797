package stock

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// wanted is an image that a project wants on the host, and how.
type wanted struct {
	domain.ImageOrder
	policy domain.PullPolicy
}

// Ready makes the image usable as the pull policy says, for a project that may pull
// it. What is on the host already is used only if the registry would give it to the
// project. It returns the id of the image that was judged: a name may move on before a
// container is made by it. Faults: NotFound, Forbidden, Unavailable, each with a reason for
// the user.
func (s *Stock) Ready(ctx context.Context, a domain.Assignment, progress func(done, total int64)) (id string, err error) {
	p := wanted{domain.ImageOrder{Reference: a.Spec.Image, ProjectID: a.ProjectID, Secret: a.Secret, Keys: a.ImageKeys}, a.Spec.PullPolicy}
	if err := s.settle(ctx); err != nil {
		return "", err
	}
	if a.Spec.OwnImage != "" { // never pulled, and whose it is, control knows
		return "", s.present(ctx, p)
	}
	image, err := s.obtain(ctx, p, progress)
	if err != nil {
		return "", err
	}
	return image.ID, s.attest(ctx, p.ImageOrder, image)
}

// obtain returns the image as the host has it for the project or, by the pull policy, as it
// came just now.
func (s *Stock) obtain(ctx context.Context, p wanted, progress func(done, total int64)) (domain.StoredImage, error) {
	if p.policy != domain.PullIfNotPresent && p.policy != domain.PullNever {
		return s.fetch(ctx, p.ImageOrder, progress)
	}
	image, found, err := s.find(ctx, p.Reference)
	if err != nil {
		return image, err
	}
	if !found && p.policy == domain.PullNever {
		return image, absent(p)
	}
	if found {
		found, err = s.clear(ctx, p, image)
	}
	if err == nil && !found {
		image, err = s.fetch(ctx, p.ImageOrder, progress)
	}
	return image, err
}

func absent(p wanted) error {
	return domain.NewFault(domain.NotFound, "image-not-found", "Image %s is not on the host and the pull policy is never", p.Reference)
}

// present is for what cannot be pulled.
func (s *Stock) present(ctx context.Context, p wanted) error {
	there, err := s.engine.Images().Present(ctx, p.Reference)
	if err == nil && !there {
		return domain.NewFault(domain.NotFound, "image-not-found", "Image %s is not on the host any more.", p.Reference)
	}
	return err
}

// find looks for an image by the name that a user gave it, and notes that it is used,
// so that nobody removes it from under the container that is about to be made.
func (s *Stock) find(ctx context.Context, reference string) (domain.StoredImage, bool, error) {
	for {
		before := s.removals.Load()
		image, err := s.inspect(ctx, reference)
		if domain.IsKind(err, domain.NotFound) || err == nil && !bears(image, reference) {
			return image, false, nil
		}
		if err != nil {
			return image, false, err
		}
		leave := s.doors.enter(image.ID)
		s.book.touch(image.ID, s.clock())
		leave()
		if s.removals.Load() == before {
			return image, true, nil
		}
	}
}

// inspect describes a present image; NotFound otherwise. Of an engine that cannot
// describe images only the name is known.
func (s *Stock) inspect(ctx context.Context, reference string) (domain.StoredImage, error) {
	if inspector, able := s.engine.(Inspector); able {
		return inspector.InspectImage(ctx, reference)
	}
	there, err := s.engine.Images().Present(ctx, reference)
	if err == nil && !there {
		err = domain.NewFault(domain.NotFound, "image-not-found", "Image %s is not on the host", reference)
	}
	return domain.StoredImage{LocalImage: domain.LocalImage{ID: canonical(reference)}, Names: []string{reference}}, err
}

// clear says whether the project may use an image that is on the host; false without
// an error says that it must pull for itself.
func (s *Stock) clear(ctx context.Context, p wanted, image domain.StoredImage) (bool, error) {
	arriving := s.arrivals.bring(image) // before the book, which a pull writes before it ends
	known, guarded := s.book.clearance(image.ID)
	if !guarded && !arriving {
		return true, nil
	}
	who := claimant{project: p.ProjectID, print: s.book.print(p.Secret), policy: p.policy, now: s.clock(), public: s.rules.PublicFor}
	switch known.judge(who) {
	case cleared:
		return true, s.book.grant(image.ID, grant{project: p.ProjectID, print: who.print})
	case denied:
		return false, domain.NewFault(domain.Forbidden, "image-not-authorised",
			"Image %s is on the host, but this project was never authorised to use it, and the pull policy is never.", p.Reference)
	}
	return s.askRegistry(ctx, p, image, who)
}

// askRegistry has the registry say whether the project may have the very image.
func (s *Stock) askRegistry(ctx context.Context, p wanted, image domain.StoredImage, who claimant) (bool, error) {
	keeper, able := s.engine.(Keeper)
	have := digestOf(image, p.Reference)
	if !able || have == "" {
		return false, nil
	}
	s.meter.Asked()
	digest, err := keeper.ResolveImage(ctx, p.Reference, p.Secret)
	switch {
	case domain.IsKind(err, domain.Forbidden), domain.IsKind(err, domain.NotFound):
		return false, domain.WrapFault(err, domain.Forbidden, "image-forbidden",
			"Image %s is on the host, but its registry does not let this project use it: it wants other credentials.", p.Reference)
	case domain.IsKind(err, domain.Unavailable):
		return false, domain.WrapFault(err, domain.Unavailable, "registry-unreachable",
			"Image %s is on the host, but its registry cannot be asked whether this project may use it.", p.Reference)
	case err != nil:
		return false, err
	case digest != have:
		return false, nil // the name moved on; what is here is not what the project would get
	}
	return true, s.book.grant(image.ID, grant{p.ProjectID, who.print, publicAt(p.ImageOrder, who.now)})
}

// publicAt is when an image was given to anybody: now, if no credential was shown.
func publicAt(p domain.ImageOrder, now time.Time) time.Time {
	if p.Secret == nil {
		return now
	}
	return time.Time{}
}

// fetch pulls an image and writes down that it is ours and the project's.
func (s *Stock) fetch(ctx context.Context, p domain.ImageOrder, progress func(done, total int64)) (domain.StoredImage, error) {
	if err := s.settle(ctx); err != nil {
		return domain.StoredImage{}, err
	}
	release := s.busy.hold(canonical(p.Reference))
	defer release()
	before, err := s.had(ctx, p.Reference)
	if err != nil {
		return domain.StoredImage{}, err
	}
	defer s.arrivals.await(p.Reference, before)()
	if err := s.book.begin(p.Reference, before.id); err != nil {
		return domain.StoredImage{}, err
	}
	err = failpoint.Around(failpoint.ImagePull, func() error {
		return s.engine.Images().Pull(ctx, p.Reference, p.Secret, progress)
	})
	if err != nil {
		s.giveUp(ctx, p.Reference, before)
		return domain.StoredImage{}, err
	}
	image, err := s.brought(ctx, p.Reference)
	if err != nil {
		s.unsettle()
		return image, err
	}
	now := s.clock()
	return image, s.book.finish(fetched{
		reference: p.Reference, id: image.ID, at: now, fresh: !slices.Contains(before.all, image.ID),
		to: grant{p.ProjectID, s.book.print(p.Secret), publicAt(p, now)},
	})
}

// broughtBound ends the question what a pull brought, for the sake of who must end.
const broughtBound = 30 * time.Second

// brought describes what a pull brought, also where the pull was called off.
func (s *Stock) brought(ctx context.Context, reference string) (domain.StoredImage, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), broughtBound)
	defer cancel()
	return s.inspect(ctx, reference)
}

// had is what the engine held before a pull.
type had struct {
	id  string   // of what the reference named
	all []string // the ids of everything
}

func (s *Stock) had(ctx context.Context, reference string) (h had, err error) {
	image, err := s.inspect(ctx, reference)
	if err != nil && !domain.IsKind(err, domain.NotFound) {
		return h, err
	}
	if err == nil && bears(image, reference) {
		h.id = image.ID
	}
	keeper, able := s.engine.(Keeper)
	if !able {
		return h, nil
	}
	all, err := keeper.StoredImages(ctx)
	for _, i := range all {
		h.all = append(h.all, i.ID)
	}
	return h, err
}

// settle ends what a former run of this agent was pulling when it ended, and what the
// engine did not tell the end of: until then nobody may use what it may have brought.
func (s *Stock) settle(ctx context.Context) error {
	s.settling.Lock()
	defer s.settling.Unlock()
	if s.settled {
		return nil
	}
	for name, p := range s.book.pulls() {
		if !p.Pulling || s.busy.has(name) {
			continue
		}
		image, err := s.inspect(ctx, p.Reference)
		if err != nil && !domain.IsKind(err, domain.NotFound) {
			return err
		}
		if err := s.book.settle(name, image.ID, s.clock()); err != nil {
			return err
		}
	}
	s.settled = true
	return nil
}

// attest holds that an image that must be signed is. What was verified once with the
// same keys is not verified again: the image cannot change under its id.
func (s *Stock) attest(ctx context.Context, p domain.ImageOrder, image domain.StoredImage) error {
	if len(p.Keys) == 0 {
		return nil
	}
	digest := digestOf(image, p.Reference)
	if digest == "" {
		return domain.NewFault(domain.Forbidden, "image-not-signed", "Image %s must be signed, but it came from no registry.", p.Reference)
	}
	if s.notary == nil {
		return domain.NewFault(domain.Unsupported, "operation-not-supported", "This host cannot verify that image %s is signed.", p.Reference)
	}
	seal := s.book.fingerprint(append([]string{digest}, p.Keys...)...)
	if known, _ := s.book.clearance(image.ID); slices.Contains(known.Signed, seal) {
		return nil
	}
	if err := s.notary.Verify(ctx, p.Reference, digest, p.Secret, p.Keys); err != nil {
		return err
	}
	return s.book.signed(image.ID, seal)
}

// signed notes that a signature was verified; of an image that is everybody's there is
// nothing to note it on.
func (b *book) signed(id, seal string) error {
	if _, guarded := b.clearance(id); !guarded {
		return nil
	}
	return b.change(func(p *page) {
		c := p.Clearances[id]
		c.Signed = append(slices.Clone(c.Signed), seal)
		p.Clearances[id] = c
	})
}

// doors keep the removal of an image and a look at it apart, by the image's id. Their
// number bounds the memory; two images behind one door only wait for each other.
type doors [64]sync.RWMutex

func (d *doors) of(id string) *sync.RWMutex {
	return &d[sha256.Sum256([]byte(id))[0]%64]
}

// enter lets others look too, but nobody remove.
func (d *doors) enter(id string) (leave func()) {
	door := d.of(id)
	door.RLock()
	return door.RUnlock
}

// busy are the names that are being pulled now.
type busy struct {
	mu    sync.Mutex
	names map[string]int
}

func (b *busy) hold(name string) (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names == nil {
		b.names = map[string]int{}
	}
	b.names[name]++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.names[name]--; b.names[name] == 0 {
			delete(b.names, name)
		}
	}
}

func (b *busy) has(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.names[name] > 0
}
