package steps

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// injectedDir holds the files that the request brought along, one for each mount,
// called by its number. Only root may enter, since a file may hold a secret; inside,
// the engine binds the file itself, which anybody may read.
const injectedDir = "mounts"

// injectFiles writes the files that the assignment brings. forget removes them.
func (s *Steps) injectFiles(want domain.Assignment) error {
	if !slices.ContainsFunc(want.Spec.Mounts, injects) {
		return nil
	}
	dir := filepath.Join(s.dir(want.Container), injectedDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return diskFault(err)
	}
	for i, m := range want.Spec.Mounts {
		if !injects(m) {
			continue
		}
		content, err := base64.StdEncoding.DecodeString(m.Source)
		if err != nil {
			return domain.WrapFault(err, domain.Invalid, "base64-exception", "Invalid Base 64 file data")
		}
		if err := replaceFile(filepath.Join(dir, strconv.Itoa(i)), content); err != nil {
			return diskFault(fmt.Errorf("inject %s: %w", m.Destination, err))
		}
	}
	return nil
}

// injected are the binds of the files that injectFiles wrote.
func (s *Steps) injected(want domain.Assignment) []agent.Bind {
	binds := make([]agent.Bind, 0, len(want.Spec.Mounts))
	for i, m := range want.Spec.Mounts {
		if !injects(m) {
			continue
		}
		source := filepath.Join(s.dir(want.Container), injectedDir, strconv.Itoa(i))
		binds = append(binds, agent.Bind{Source: source, Target: m.Destination})
	}
	return binds
}

func injects(m domain.MountRequest) bool { return m.Type == domain.MountBind }
