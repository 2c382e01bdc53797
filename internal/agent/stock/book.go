package stock

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// book remembers which images this deployment pulled, and who may use what they hold.
// It is kept in one file: a pull is in it before it begins, so that a crash leaves no
// image that nobody knows to be ours, and a grant before it is used.
type book struct {
	path string

	mu    sync.Mutex
	page  page
	dirty bool // only times of use are kept for later
}

// page is what the file holds.
type page struct {
	Key []byte `json:"key"` // of the fingerprints
	// Pulls are the images that are ours to remove, by full name.
	Pulls map[string]pull `json:"pulls"`
	// Clearances say who may use an image, by its id. An image without one was on the
	// engine before this deployment pulled it: its operator brought it, for everybody.
	Clearances map[string]clearance `json:"clearances"`
}

// pull is one image that this deployment fetched.
type pull struct {
	Reference string    `json:"reference"`
	ImageID   string    `json:"image_id"`
	Used      time.Time `json:"used"`
	// Prior is what the reference named before a pull that is under way; Pulling says
	// that there is one, or was when the agent ended.
	Pulling bool   `json:"pulling,omitempty"`
	Prior   string `json:"prior,omitempty"`
}

// clearance is who may use an image.
type clearance struct {
	Public time.Time           `json:"public,omitzero"` // when the registry last gave it to anybody
	Grants map[string][]string `json:"grants"`          // project to the fingerprints of its credentials
	// Signed are the fingerprints of the key sets that its signature was verified with.
	Signed []string `json:"signed,omitempty"`
}

// openBook reads the book at path, or begins one. A book that cannot be read is put
// aside: without it images are kept rather than removed, and registries asked anew.
func openBook(path string) (*book, error) {
	b := &book{path: path, page: page{Pulls: map[string]pull{}, Clearances: map[string]clearance{}}}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("read the book of images: %w", err)
	case json.Unmarshal(data, &b.page) != nil || len(b.page.Key) == 0:
		if err := os.Rename(path, path+".unreadable"); err != nil {
			return nil, fmt.Errorf("put the unreadable book of images aside: %w", err)
		}
		b.page = page{}
	}
	if b.page.Pulls == nil {
		b.page.Pulls = map[string]pull{}
	}
	if b.page.Clearances == nil {
		b.page.Clearances = map[string]clearance{}
	}
	if len(b.page.Key) > 0 {
		return b, nil
	}
	b.page.Key = make([]byte, sha256.Size)
	if _, err := rand.Read(b.page.Key); err != nil {
		return nil, fmt.Errorf("draw the key of the book of images: %w", err)
	}
	return b, b.save()
}

// save writes the page; the caller holds mu or is alone.
func (b *book) save() error {
	data, err := json.Marshal(b.page)
	if err != nil {
		return fmt.Errorf("encode the book of images: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(b.path), ".images-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the book of images: %w", err)
	}
	_, err = bytes.NewReader(data).WriteTo(file)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), b.path)
	}
	if err != nil {
		return fmt.Errorf("write the book of images: %w", errors.Join(err, os.Remove(file.Name())))
	}
	b.dirty = false
	return nil
}

// change changes the page and saves it.
func (b *book) change(fn func(p *page)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	fn(&b.page)
	return b.save()
}

// flush saves the times of use, if there are new ones.
func (b *book) flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.dirty {
		return nil
	}
	return b.save()
}

// touch notes that the image id is used at now. The time reaches the file with the
// next flush: after a crash an image looks less used than it was by that long.
func (b *book) touch(id string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, p := range b.page.Pulls {
		if p.ImageID == id && now.After(p.Used) {
			p.Used = now
			b.page.Pulls[name] = p
			b.dirty = true
		}
	}
}

// pulls returns what this deployment fetched.
func (b *book) pulls() map[string]pull {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.page.Pulls)
}

// clearance returns who may use the image id; false: everybody.
func (b *book) clearance(id string) (clearance, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, found := b.page.Clearances[id]
	return c, found
}

// begin notes that reference is about to be pulled, and what it names now.
func (b *book) begin(reference, prior string) error {
	return b.change(func(p *page) {
		known := p.Pulls[canonical(reference)]
		known.Reference, known.Pulling, known.Prior = reference, true, prior
		p.Pulls[canonical(reference)] = known
	})
}

// abandon notes that the pull of reference ended without an image of its own.
func (b *book) abandon(reference string) error {
	return b.change(func(p *page) {
		known := p.Pulls[canonical(reference)]
		if known.ImageID == "" {
			delete(p.Pulls, canonical(reference))
			return
		}
		known.Pulling, known.Prior = false, ""
		p.Pulls[canonical(reference)] = known
	})
}

// fetched is the outcome of a pull.
type fetched struct {
	reference, id string
	at            time.Time
	// fresh says that the image came to this engine by the pull, so that only those may
	// use it whom a registry gave it to.
	fresh bool
	to    grant
}

// grant says that a project may use an image with a credential, and when anybody might.
type grant struct {
	project, print string
	public         time.Time
}

// finish notes what a pull brought, and whom for: both at once, as an image that is
// noted without its users would be everybody's.
func (b *book) finish(f fetched) error {
	return b.change(func(p *page) {
		p.finish(canonical(f.reference), f.id, f.at)
		if _, guarded := p.Clearances[f.id]; guarded || f.fresh {
			p.allow(f.id, f.to)
		}
	})
}

// settle ends the pull of name that a former run of this agent began. Whom it was for
// is not known, so that whoever wants the image has its registry asked.
func (b *book) settle(name, id string, now time.Time) error {
	return b.change(func(p *page) {
		known := p.Pulls[name]
		if id == "" {
			delete(p.Pulls, name)
			return
		}
		fresh := known.Prior != id && known.ImageID != id
		p.finish(name, id, now)
		if _, guarded := p.Clearances[id]; !guarded && fresh {
			p.Clearances[id] = clearance{}
		}
	})
}

// finish makes name ours, unless it named the same image before and was not ours.
func (p *page) finish(name, id string, now time.Time) {
	known := p.Pulls[name]
	if known.ImageID != id && known.Prior == id {
		delete(p.Pulls, name)
		return
	}
	known.ImageID, known.Pulling, known.Prior, known.Used = id, false, "", now
	p.Pulls[name] = known
}

// grant notes that a project may use the image id, which is guarded.
func (b *book) grant(id string, to grant) error {
	known, _ := b.clearance(id)
	if slices.Contains(known.Grants[to.project], to.print) && !to.public.After(known.Public) {
		return nil
	}
	return b.change(func(p *page) { p.allow(id, to) })
}

func (p *page) allow(id string, to grant) {
	c := p.Clearances[id]
	c.Grants = maps.Clone(c.Grants) // readers may hold the old one
	if c.Grants == nil {
		c.Grants = map[string][]string{}
	}
	if !slices.Contains(c.Grants[to.project], to.print) {
		c.Grants[to.project] = append(slices.Clone(c.Grants[to.project]), to.print)
	}
	if to.public.After(c.Public) {
		c.Public = to.public
	}
	p.Clearances[id] = c
}

// print is what stands for a credential in the book; that of none is empty.
func (b *book) print(secret *domain.PullSecret) string {
	if secret == nil {
		return ""
	}
	return b.fingerprint(secret.Domain, secret.Username, secret.Password)
}

// fingerprint stands for parts that shall not lie on the disk.
func (b *book) fingerprint(parts ...string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	sum := hmac.New(sha256.New, b.page.Key)
	for _, part := range parts {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(part), part) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
