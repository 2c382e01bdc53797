package domain_test

import (
	"slices"
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

func TestSettle(t *testing.T) {
	statuses := domain.Statuses()
	never := []domain.Status{domain.Creating, domain.Deleting}
	underWay := []domain.Status{domain.Rebuilding, domain.Restarting}
	for _, from := range statuses {
		for _, idle := range []bool{true, false} {
			for _, seen := range []domain.Status{domain.Running, domain.Stopped} {
				c := domain.Container{Status: from, FormerStatus: domain.Paused, StatusReason: "why"}
				c.Settle(&domain.Observation{Status: seen}, idle)
				believed := !slices.Contains(never, from) && (idle || !slices.Contains(underWay, from))
				if from == domain.Error {
					believed = idle && seen == domain.Running
				}
				if want := map[bool]domain.Status{true: seen, false: from}[believed]; c.Status != want {
					t.Errorf("%s seen %s, idle %v: became %s, want %s", from, seen, idle, c.Status, want)
				}
				if kept := c.FormerStatus != ""; kept == believed {
					t.Errorf("%s seen %s, idle %v: former status kept %v", from, seen, idle, kept)
				}
			}
		}
	}
	c := domain.Container{Status: domain.Running}
	c.Settle(&domain.Observation{}, true)
	if c.Status != domain.Running {
		t.Errorf("an observation of nothing made it %q", c.Status)
	}
}

func TestFailTakesTheWishBack(t *testing.T) {
	for _, c := range []struct {
		verb   domain.Verb
		before domain.Container
		seen   domain.Status
		want   domain.Want
	}{
		{domain.VerbStart, domain.Container{Status: domain.Stopped}, domain.Stopped, domain.Want{}},
		{domain.VerbReboot, domain.Container{Status: domain.Running, Want: domain.Want{Running: true}}, "", domain.Want{}},
		{domain.VerbReboot, domain.Container{Status: domain.Running, Want: domain.Want{Running: true}}, domain.Running, domain.Want{Running: true}},
		{domain.VerbStop, domain.Container{Status: domain.Running, Want: domain.Want{Running: true}}, domain.Running, domain.Want{Running: true}},
		{domain.VerbStop, domain.Container{Status: domain.Running, Want: domain.Want{Running: true}}, domain.Stopped, domain.Want{}},
		{domain.VerbPause, domain.Container{Status: domain.Running, Want: domain.Want{Running: true}}, "", domain.Want{Running: true}},
		{domain.VerbUnpause, domain.Container{Status: domain.Paused, Want: domain.Want{Running: true, Paused: true}}, "",
			domain.Want{Running: true, Paused: true}},
		{domain.VerbKill, domain.Container{Status: domain.Running, Want: domain.Want{Running: true}}, "", domain.Want{Running: true}},
	} {
		row, action := c.before, domain.Action{Verb: c.verb}
		row.Begin(action)
		row.Fail(action, "no", c.seen)
		if row.Want != c.want || row.StatusReason != "no" || row.TaskState != domain.Idle {
			t.Errorf("failed %s, seen %q: %+v, want %+v", c.verb, c.seen, row.Want, c.want)
		}
	}
}

func TestEnded(t *testing.T) {
	for _, c := range []struct {
		row  domain.Container
		want bool
	}{
		{domain.Container{Status: domain.Stopped, Spec: domain.Spec{AutoRemove: true}}, true},
		{domain.Container{Status: domain.Deleted, Spec: domain.Spec{AutoRemove: true, Restart: domain.RestartPolicy{Name: "always"}}}, true},
		{domain.Container{Status: domain.Stopped}, false},
		{domain.Container{Status: domain.Running, Spec: domain.Spec{AutoRemove: true}}, false},
		{domain.Container{Status: domain.Created, Spec: domain.Spec{AutoRemove: true}}, false},
		{domain.Container{Status: domain.Stopped, TaskState: domain.ContainerStarting, Spec: domain.Spec{AutoRemove: true}}, false},
		{domain.Container{Status: domain.Stopped, Spec: domain.Spec{AutoRemove: true, Restart: domain.RestartPolicy{Name: "on-failure"}}}, false},
	} {
		if got := c.row.Ended(); got != c.want {
			t.Errorf("%+v: ended %v", c.row, got)
		}
	}
}

func TestQualifiedImage(t *testing.T) {
	for _, c := range []struct{ image, driver, registry, want string }{
		{"cirros", "docker", "", "cirros"},
		{"cirros", "", "hub.example", "hub.example/cirros"},
		{"library/cirros:1", "docker", "hub.example:5000/", "hub.example:5000/library/cirros:1"},
		{"a.example/cirros", "docker", "hub.example", "a.example/cirros"},
		{"a:5000/cirros", "docker", "hub.example", "a:5000/cirros"},
		{"localhost/cirros", "docker", "hub.example", "localhost/cirros"},
		{"cirros", "glance", "hub.example", "cirros"},
	} {
		if got := (domain.Spec{Image: c.image, ImageDriver: c.driver}).QualifiedImage(c.registry); got != c.want {
			t.Errorf("%s with %s: got %s, want %s", c.image, c.registry, got, c.want)
		}
	}
}

func TestQuota(t *testing.T) {
	q := domain.Quota{Containers: 2, CPU: 4, MemoryMB: -1, DiskGB: 10}.With(map[domain.Resource]int64{domain.ResourceContainers: 3})
	over := q.Exceeded(domain.Claim{Containers: 2, CPU: 3.5, MemoryMB: 1 << 30, DiskGB: 11}, domain.Claim{Containers: 1, CPU: 1, MemoryMB: 1})
	if !slices.Equal(over, []domain.Resource{domain.ResourceCPU}) {
		t.Errorf("over %v", over)
	}
	if over := domain.Unlimited().Exceeded(domain.Claim{CPU: 1e9}, domain.Claim{CPU: 1e9}); over != nil {
		t.Errorf("unlimited, but over %v", over)
	}
	small, large := domain.Spec{CPU: 1, MemoryMB: 512}, domain.Spec{CPU: 2, MemoryMB: 256}
	if got := domain.Growth(small, large); got != (domain.Claim{CPU: 1}) {
		t.Errorf("growth %+v", got)
	}
	if got := domain.Growth(large, small).Negative(); got != (domain.Claim{MemoryMB: -256}) {
		t.Errorf("given back %+v", got)
	}
}
