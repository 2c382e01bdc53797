package steps

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/plan"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/failpoint"
)

// The files bound read-only over those of the same name below /etc.
const (
	hostsFile    = "hosts"
	resolvFile   = "resolv.conf"
	hostnameFile = "hostname"
)

// files writes what tells the process its name, its addresses and its name
// servers, and the files that the request brought. It is undone by forget.
func (s *Steps) files(_ context.Context, _ plan.Step, job *agent.Job) error {
	return failpoint.Around(failpoint.FilesWrite, func() error {
		want, dir := job.Assignment, s.dir(job.Assignment.Container)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return diskFault(err)
		}
		hostname := nameInside(want, job.Sandbox())
		for name, content := range map[string][]byte{
			hostsFile:    hosts(hostname, want.Nics),
			resolvFile:   resolv(want.Nics),
			hostnameFile: []byte(hostname + "\n"),
		} {
			if err := replaceFile(filepath.Join(dir, name), content); err != nil {
				return diskFault(err)
			}
		}
		return s.injectFiles(want)
	})
}

// nameInside is the hostname that the process sees: the sandbox's own where the
// engine tells it, since a sandbox made ahead of time has a name already.
func nameInside(want domain.Assignment, sandbox agent.Object) string {
	switch {
	case want.Spec.Hostname != "":
		return want.Spec.Hostname
	case sandbox.State.Hostname != "":
		return sandbox.State.Hostname
	default:
		short := strings.ReplaceAll(string(want.Container), "-", "")
		return short[:min(12, len(short))]
	}
}

func hosts(hostname string, nics []domain.Nic) []byte {
	var b bytes.Buffer
	b.WriteString("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
	for _, nic := range nics {
		for _, a := range nic.Addresses {
			fmt.Fprintf(&b, "%s\t%s\n", a.Addr, hostname)
		}
	}
	return b.Bytes()
}

func resolv(nics []domain.Nic) []byte {
	var b bytes.Buffer
	var search, servers []string
	for _, nic := range nics {
		search = append(search, nic.DNSSearch...)
		servers = append(servers, nic.DNS...)
	}
	if len(search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(search, " "))
	}
	for _, server := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", server)
	}
	return b.Bytes()
}

// replaceFile puts content at path so that no reader ever sees a half of it. A file
// that holds it already is left alone: a running container has that very file bound.
func replaceFile(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("create beside %s: %w", path, err)
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // gone already when the rename was made
	_, err = temp.Write(content)
	if chmodErr := temp.Chmod(0o644); err == nil {
		err = chmodErr
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return fmt.Errorf("rename to %s: %w", path, err)
	}
	return nil
}
