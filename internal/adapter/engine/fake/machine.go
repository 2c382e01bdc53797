package fake

import (
	"errors"
	"os"

	"github.com/go-zun/zun/internal/adapter/engine/fake/program"
	"github.com/go-zun/zun/internal/adapter/engine/fake/tree"
)

// machine makes the machine of a member's process or of a command run beside it. A
// nil root stands for a process in thought: it reads and writes no file.
func (r *record) machine(root *os.Root, live *program.Machine) *program.Machine {
	m := &program.Machine{}
	if live != nil {
		m = live
	}
	m.Traps, m.Env, m.Dir, m.Hostname = map[string]string{}, environment(r), r.Spec.Workdir, r.Hostname
	if m.Dir == "" {
		m.Dir = "/"
	}
	if m.Size == nil {
		m.Size = func() (int, int) { return 0, 0 }
	}
	m.Read = func(p string) ([]byte, error) {
		if host, bound := r.Files[p]; bound {
			return os.ReadFile(host)
		}
		if root == nil {
			return nil, nil
		}
		return root.ReadFile(tree.Inside(p))
	}
	m.Write = func(p string, data []byte) error {
		switch _, bound := r.Files[p]; {
		case bound:
			return errors.New("read-only file system")
		case root == nil:
			return nil
		}
		return root.WriteFile(tree.Inside(p), data, 0o644)
	}
	return m
}

func environment(r *record) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=" + r.Hostname}
	for name, value := range r.Spec.Environment {
		env = append(env, name+"="+value)
	}
	return env
}
