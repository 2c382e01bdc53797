// Package rules reads the operator's policy on images: from which registries they may
// come, which must be named by their digest, and whose signature they must bear. The
// file is read again when it changes; one that is wrong leaves the former policy in
// force until it is right again.
package rules

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/go-zun/zun/internal/domain"
)

// file is the policy as it is written.
type file struct {
	Registries []string `yaml:"registries"` // the only ones; none means any
	Rules      []rule   `yaml:"rules"`
}

// rule demands something of the images whose full name fits one of its patterns; a
// star stands for any text. Every rule that fits counts.
type rule struct {
	Images   []string `yaml:"images"`
	Digest   bool     `yaml:"digest"`    // the image is named by its digest
	SignedBy []string `yaml:"signed_by"` // files of public keys, beside the policy if relative

	patterns []*regexp.Regexp
	keys     []string // PEM
}

// Rules is the policy in force. It is safe for concurrent use.
type Rules struct {
	path string
	log  *slog.Logger

	mu   sync.Mutex
	seen stamp
	file file
}

// stamp identifies one content of a file without reading it.
type stamp struct {
	modified time.Time
	size     int64
	exists   bool
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size(), true}
}

// Open returns the policy of the file at path, which may be missing but not wrong.
func Open(path string, log *slog.Logger) (*Rules, error) {
	r := &Rules{path: path, log: log, seen: stampOf(path)}
	var err error
	r.file, err = read(path)
	return r, err
}

// Judge returns the public keys (PEM) of which one must have signed the image that
// reference names. Faults: Forbidden, in words for the user, for an image that may not
// be used.
func (r *Rules) Judge(reference string) (keys []string, err error) {
	return r.present().judge(reference)
}

// present returns the policy as the file last said it well. A file that is lost says nothing:
// a slip, or an editor at work, must not lift what was demanded.
func (r *Rules) present() file {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := stampOf(r.path)
	if now == r.seen {
		return r.file
	}
	r.seen = now
	changed, err := read(r.path)
	if !now.exists || now.size == 0 {
		err = fmt.Errorf("%s is gone or empty, as while it is written anew; one of nothing but a comment lifts the policy", r.path)
	}
	if err != nil {
		r.log.Error("the image policy is wrong, the former one stays in force", "error", err)
		return r.file
	}
	r.file = changed
	return r.file
}

func (f file) judge(reference string) ([]string, error) {
	repo, tag, ok := domain.SplitReference(reference)
	if !ok {
		return nil, nil // what is no reference cannot be pulled either
	}
	name := domain.FullRepository(repo)
	registry, _, _ := strings.Cut(name, "/")
	if len(f.Registries) > 0 && !slices.Contains(f.Registries, registry) {
		return nil, forbidden("Image %s comes from the registry %s, which is not allowed here; allowed: %s.", reference, registry, strings.Join(f.Registries, ", "))
	}
	var keys []string
	for _, rule := range f.Rules {
		if !slices.ContainsFunc(rule.patterns, func(p *regexp.Regexp) bool { return p.MatchString(name) }) {
			continue
		}
		if rule.Digest && !strings.Contains(tag, ":") {
			return nil, forbidden("Image %s must be named by its digest here, as %s@sha256:...", reference, repo)
		}
		keys = append(keys, rule.keys...)
	}
	return keys, nil
}

func forbidden(message string, args ...any) error {
	return domain.NewFault(domain.Forbidden, "image-not-allowed", message, args...)
}

func read(path string) (f file, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("read image policy: %w", err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return file{}, fmt.Errorf("read image policy of %s: %w", path, err)
	}
	for i := range f.Rules {
		if err := f.Rules[i].complete(filepath.Dir(path)); err != nil {
			return file{}, fmt.Errorf("read image policy of %s: rule %d: %w", path, i+1, err)
		}
	}
	return f, nil
}

// complete checks a rule and reads what it refers to.
func (r *rule) complete(dir string) error {
	if len(r.Images) == 0 {
		return errors.New("images names no pattern")
	}
	if !r.Digest && len(r.SignedBy) == 0 {
		return errors.New("it demands nothing: digest or signed_by is missing")
	}
	for _, pattern := range r.Images {
		quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
		compiled, err := regexp.Compile("^" + quoted + "$")
		if err != nil {
			return fmt.Errorf("pattern %q: %w", pattern, err)
		}
		r.patterns = append(r.patterns, compiled)
	}
	for _, name := range r.SignedBy {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		key, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read key: %w", err)
		}
		block, _ := pem.Decode(key)
		if block == nil {
			return fmt.Errorf("%s holds no public key in PEM form", name)
		}
		if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
			return fmt.Errorf("%s holds no public key: %w", name, err)
		}
		r.keys = append(r.keys, string(pem.EncodeToMemory(block)))
	}
	return nil
}

// Check says in one line each what the policy at path demands, or what is wrong with it.
func Check(w io.Writer, path string) error {
	if !stampOf(path).exists {
		_, err := fmt.Fprintf(w, "%s is not there: nothing is demanded of images\n", path)
		return err
	}
	f, err := read(path)
	if err != nil {
		return err
	}
	lines := []string{path + " is right"}
	if len(f.Registries) > 0 {
		lines = append(lines, "images come from "+strings.Join(f.Registries, ", ")+" only")
	}
	for _, r := range f.Rules {
		var demands []string
		if r.Digest {
			demands = append(demands, "named by digest")
		}
		if len(r.keys) > 0 {
			demands = append(demands, fmt.Sprintf("signed by one of %d keys", len(r.keys)))
		}
		lines = append(lines, strings.Join(r.Images, ", ")+": "+strings.Join(demands, ", "))
	}
	_, err = fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

// Sample is a policy that demands nothing, with every member explained.
const Sample = `# What images must be. Every rule whose pattern fits the full name of an image counts
# (docker.io/library/cirros; a star is any text); where two ask for signatures, one of
# all their keys is enough. Images that projects committed themselves are not judged.

# The only registries that images may come from; leave it out to allow any.
# registries: [registry.example:5000, docker.io]

# rules:
# - images: ["registry.example:5000/prod/*"]
#   digest: true                  # only as name@sha256:...
#   signed_by: [keys/release.pub] # PEM public keys, beside this file; signatures as cosign makes them
`
