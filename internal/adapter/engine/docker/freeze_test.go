package docker

import "testing"

func TestFreezer(t *testing.T) {
	for name, c := range map[string]struct{ groups, file, thawed string }{
		"version 1":          {"5:freezer:/docker/c1\n4:cpu,cpuacct:/docker/c1\n", "/sys/fs/cgroup/freezer/docker/c1/freezer.state", "THAWED"},
		"version 2":          {"0::/system.slice/docker-c1.scope\n", "/sys/fs/cgroup/system.slice/docker-c1.scope/cgroup.events", "frozen 0"},
		"both":               {"5:freezer:/docker/c1\n0::/docker/c1\n", "/sys/fs/cgroup/freezer/docker/c1/freezer.state", "THAWED"},
		"another's process":  {"5:freezer:/docker/c2\n0::/\n", "", ""},
		"nothing to be read": {"", "", ""},
	} {
		if file, thawed := freezer(c.groups, "c1"); file != c.file || thawed != c.thawed {
			t.Errorf("%s: %q, %q", name, file, thawed)
		}
	}
}
