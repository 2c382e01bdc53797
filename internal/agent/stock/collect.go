package stock

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Rules say when an image goes. The zero Rules remove none and believe no registry.
type Rules struct {
	Remove bool
	Every  time.Duration // between two looks
	// UnusedAge is how long nobody used an image that goes; 0: age alone removes none.
	UnusedAge time.Duration
	Grace     time.Duration // since its last use, in which no image goes
	// High and Low are used shares of the disk, 0 to 1: above the one images go, the
	// longest unused first, until it is down to the other.
	High, Low float64
	PublicFor time.Duration // how long an image is taken for public once its registry gave it to anybody
}

// Reason says why an image went.
type Reason string

// The reasons.
const (
	ByAge      Reason = "age"
	ByPressure Reason = "pressure"
)

// Meter receives what the collection of images measures.
type Meter interface {
	// Stocked tells how many images this host pulled and still holds, and their bytes.
	Stocked(images int, bytes int64)
	// Disk tells which share of the images' disk is used, 0 to 1.
	Disk(used float64)
	// Removed counts an image that went.
	Removed(why Reason, bytes int64)
	// Failed counts a look that did not come to its end.
	Failed()
	// Asked counts a question to a registry whether a project may use an image.
	Asked()
}

type silent struct{}

func (silent) Stocked(int, int64)    {}
func (silent) Disk(float64)          {}
func (silent) Removed(Reason, int64) {}
func (silent) Failed()               {}
func (silent) Asked()                {}

// Held is an image that this deployment pulled and the engine still holds.
type Held struct {
	Name string // full
	ID   string
	Size int64 // bytes
	Used time.Time
	// InUse says that a container is made of it, whoever's, or is about to be.
	InUse bool
}

// Disk is the file system that images lie on, in bytes.
type Disk struct{ Free, Total int64 }

func (d Disk) used() float64 {
	if d.Total <= 0 {
		return 0
	}
	return 1 - float64(d.Free)/float64(d.Total)
}

// Removal is an image that is to go, and why.
type Removal struct {
	Held
	Why Reason
}

// Decide says which images go, in order. It does no I/O. Those that go by pressure
// are as many as their sizes promise to be enough; layers that images share make it
// less, so that the next look may find more to do.
func Decide(all []Held, disk Disk, now time.Time, r Rules) []Removal {
	if !r.Remove {
		return nil
	}
	candidates := slices.DeleteFunc(slices.Clone(all), func(h Held) bool { return h.InUse || now.Sub(h.Used) < r.Grace })
	slices.SortFunc(candidates, func(a, b Held) int {
		return cmp.Or(a.Used.Compare(b.Used), cmp.Compare(a.Name, b.Name))
	})
	short := int64(0) // bytes missing to the low watermark
	if disk.used() > r.High {
		short = int64(math.Ceil((1-r.Low)*float64(disk.Total))) - disk.Free
	}
	var going []Removal
	for _, h := range candidates {
		switch {
		case r.UnusedAge > 0 && now.Sub(h.Used) >= r.UnusedAge:
			going = append(going, Removal{h, ByAge})
		case short > 0:
			going = append(going, Removal{h, ByPressure})
		default:
			continue
		}
		short -= h.Size
	}
	return going
}

// Assigned tells the references of the images that containers of this host are or will
// be made of; false while that is not known in full.
type Assigned func() (references []string, complete bool)

// Run looks after the images until ctx ends.
func (s *Stock) Run(ctx context.Context, assigned Assigned) error {
	if s.rules.Every <= 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(s.rules.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.book.flush()
		case <-tick.C:
		}
		if _, err := s.Collect(ctx, assigned); err != nil && ctx.Err() == nil {
			s.meter.Failed()
			s.log.WarnContext(ctx, "images not looked after", "error", err)
		}
	}
}

// Collect looks at the images once and removes those that are to go; it returns how
// many went. It also brings the book in line with the engine: what somebody else
// removed or replaced is ours no more.
func (s *Stock) Collect(ctx context.Context, assigned Assigned) (removed int, err error) {
	keeper, able := s.engine.(Keeper)
	wanted, complete := assigned()
	if !able || !complete {
		return 0, nil
	}
	if err := s.settle(ctx); err != nil {
		return 0, err
	}
	stored, err := keeper.StoredImages(ctx)
	if err != nil {
		return 0, err
	}
	held := s.hold(stored, wanted)
	if err := s.book.reconcile(stored, held, s.busy.has); err != nil {
		return 0, err
	}
	disk, err := s.measure(ctx, keeper)
	if err != nil {
		return 0, err
	}
	left := weight(held)
	defer func() { s.meter.Stocked(len(held)-removed, left) }()
	for _, r := range Decide(held, disk, s.clock(), s.rules) {
		if r.Why == ByPressure && disk.used() <= s.rules.Low {
			break // what went by age was enough
		}
		gone, err := s.drop(ctx, r)
		if err != nil {
			return removed, err
		}
		if !gone {
			continue
		}
		removed++
		left -= r.Size
		s.meter.Removed(r.Why, r.Size)
		s.log.InfoContext(ctx, "image removed", "image", r.Name, "reason", string(r.Why), "unused_since", r.Used)
		if disk, err = s.measure(ctx, keeper); err != nil {
			return removed, err
		}
	}
	return removed, s.book.flush()
}

func (s *Stock) measure(ctx context.Context, keeper Keeper) (d Disk, err error) {
	if d.Free, d.Total, err = keeper.ImageDisk(ctx); err == nil {
		s.meter.Disk(d.used())
	}
	return d, err
}

func weight(held []Held) (bytes int64) {
	for _, h := range held {
		bytes += h.Size
	}
	return bytes
}

// hold returns what is ours of stored: a name that still means the image that we
// pulled by it. What is in use counts as used now.
func (s *Stock) hold(stored []domain.StoredImage, wanted []string) []Held {
	want := map[string]bool{}
	for _, reference := range wanted {
		want[canonical(reference)] = true
	}
	var held []Held
	for name, p := range s.book.pulls() {
		i := slices.IndexFunc(stored, func(image domain.StoredImage) bool { return image.ID == p.ImageID && bears(image, p.Reference) })
		if i < 0 || p.Pulling {
			continue
		}
		h := Held{Name: name, ID: p.ImageID, Size: stored[i].Size, Used: p.Used, InUse: stored[i].Used || want[name]}
		for _, other := range append(stored[i].Names, stored[i].Digests...) {
			h.InUse = h.InUse || want[canonical(other)]
		}
		if h.InUse {
			h.Used = s.clock()
			s.book.touch(h.ID, h.Used)
		}
		held = append(held, h)
	}
	return held
}

// drop removes one image unless somebody used it since it was decided upon. The
// engine goes first: a crash in between leaves a line in the book that the next look
// takes out.
func (s *Stock) drop(ctx context.Context, r Removal) (bool, error) {
	door := s.doors.of(r.ID)
	door.Lock()
	defer door.Unlock()
	now, known := s.book.pulls()[r.Name]
	if !known || now.Used.After(r.Used) || now.Pulling || s.busy.has(r.Name) {
		return false, nil
	}
	err := s.Remove(ctx, now.Reference)
	if domain.IsKind(err, domain.Conflict) { // a container that came since, not of ours
		return false, nil
	}
	return err == nil, err
}

// reconcile takes out of the book what the engine does not hold as ours any more.
func (b *book) reconcile(stored []domain.StoredImage, held []Held, busy func(name string) bool) error {
	ours, present := map[string]bool{}, map[string]bool{}
	for _, h := range held {
		ours[h.Name] = true
	}
	for _, i := range stored {
		present[i.ID] = true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := false
	for name, p := range b.page.Pulls {
		if !ours[name] && !p.Pulling && !busy(name) {
			delete(b.page.Pulls, name)
			changed = true
		}
	}
	for id := range b.page.Clearances {
		if !present[id] && !b.page.pulled(id) {
			delete(b.page.Clearances, id)
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return b.save()
}

// pulled says whether a name stands for the image id, as one whose pull just ended.
func (p page) pulled(id string) bool {
	for _, known := range p.Pulls {
		if known.ImageID == id {
			return true
		}
	}
	return false
}
