package stock_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/agent/stock"
	"github.com/go-zun/zun/internal/domain"
)

func TestDecide(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	held := func(name string, age time.Duration, inUse bool) stock.Held {
		return stock.Held{Name: name, ID: name, Size: 100, Used: now.Add(-age), InUse: inUse}
	}
	all := []stock.Held{
		held("fresh", 10*time.Second, false), held("day", 24*time.Hour, false), held("hour", time.Hour, false),
		held("two hours", 2*time.Hour, false), held("used", 99*time.Hour, true),
	}
	rules := stock.Rules{Remove: true, UnusedAge: 24 * time.Hour, Grace: time.Minute, High: 0.8, Low: 0.5}
	for _, c := range []struct {
		name  string
		free  int64
		rules func(*stock.Rules)
		want  string
	}{
		{"by age", 500, nil, "day/age"},
		{"at the high watermark", 200, nil, "day/age"},
		{"above it, oldest first, to the low one", 199, nil, "day/age two hours/pressure hour/pressure"},
		{"as few as are enough", 199, func(r *stock.Rules) { r.Low = 0.7 }, "day/age two hours/pressure"},
		{"nothing in grace or use, however full", 0, nil, "day/age two hours/pressure hour/pressure"},
		{"no age", 500, func(r *stock.Rules) { r.UnusedAge = 0 }, ""},
		{"no age, but pressure", 199, func(r *stock.Rules) { r.UnusedAge, r.Low = 0, 0.8 }, "day/pressure"},
		{"no pressure", 0, func(r *stock.Rules) { r.High, r.Low = 1, 1 }, "day/age"},
		{"switched off", 0, func(r *stock.Rules) { r.Remove = false }, ""},
		{"a long grace", 0, func(r *stock.Rules) { r.Grace = 100 * time.Hour }, ""},
	} {
		r := rules
		if c.rules != nil {
			c.rules(&r)
		}
		got := ""
		for i, going := range stock.Decide(all, stock.Disk{Free: c.free, Total: 1000}, now, r) {
			if i > 0 {
				got += " "
			}
			got += fmt.Sprintf("%s/%s", going.Name, going.Why)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("reg.example/image%d:1", i))
	}
	return all
}

// stocked is a shop with n images pulled an hour apart; the first is the oldest.
func stocked(t *testing.T, n int) *shop {
	s := open(t)
	for i, name := range names(n) {
		s.sell(name, fmt.Sprintf("id%d", i), "")
		s.want(name, s.ready("p1", name, missing, ""), "")
		s.clock.Step(time.Hour)
	}
	return s
}

func TestImagesGoByAge(t *testing.T) {
	s := stocked(t, 3)
	all := names(3)
	s.collect()
	s.wantRemoved("young ones")
	s.clock.Step(22*time.Hour + time.Minute)
	s.collect(all[0])
	s.wantRemoved("the first is used, the second is a day old", all[1])
	s.used["id2"] = true // by somebody else's container
	s.clock.Step(100 * time.Hour)
	s.collect(all[0])
	s.wantRemoved("none that is used")
	delete(s.used, "id2")
	s.collect()
	s.wantRemoved("the time since the last use counts")
	s.clock.Step(25 * time.Hour)
	s.collect()
	s.wantRemoved("all in the end", all[0], all[2])
}

func TestTheTimeOfUseSurvivesARestart(t *testing.T) {
	s := stocked(t, 1)
	s.clock.Step(20 * time.Hour)
	s.collect(names(1)...)
	s.restart()
	s.clock.Step(10 * time.Hour)
	s.collect()
	s.wantRemoved("used ten hours ago")
}

func TestImagesGoByPressure(t *testing.T) {
	s := stocked(t, 6) // 400 of 1,000 are free
	all := names(6)
	s.collect()
	s.wantRemoved("room enough")
	s.free = 150
	s.collect(all[0])
	s.wantRemoved("the longest unused, until half is free", all[1], all[2], all[3], all[4])
	s.collect(all[0])
	s.wantRemoved("nothing more")
}

func TestWhatSomebodyElseReplacedIsNotOurs(t *testing.T) {
	s := stocked(t, 2)
	all := names(2)
	s.bring(all[0], "theirs")
	delete(s.here, all[1])
	delete(s.sizes, "id1")
	s.clock.Step(1000 * time.Hour)
	s.collect()
	s.wantRemoved("neither the replaced nor the removed one")
	s.collect()
	s.wantRemoved("nor later")
}

// An image that is wanted while it is about to go stays or is pulled again, but is
// never missing under a container.
func TestAnImageWantedWhileItGoes(t *testing.T) {
	s := stocked(t, 1)
	name := names(1)[0]
	s.clock.Step(1000 * time.Hour)
	ended := make(chan string)
	s.during = func(string) {
		s.during = nil
		go func() { ended <- s.ready("p1", name, missing, "") }()
	}
	s.collect()
	s.want("the one who wanted it", <-ended, "")
	if _, here := s.here[name]; !here || len(s.pulls) != 2 {
		t.Errorf("here %v, pulled %v", here, s.pulls)
	}
}

func TestWithoutTheWholeTruthNothingGoes(t *testing.T) {
	s := stocked(t, 1)
	s.clock.Step(1000 * time.Hour)
	n, err := s.stock.Collect(t.Context(), func() ([]string, bool) { return nil, false })
	if n != 0 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
}

func TestAnAdministratorsPullIsOursToo(t *testing.T) {
	s := open(t)
	s.sell(private, "a", "pw")
	order := domain.ImageOrder{Reference: private, ProjectID: "admins", Secret: secret("pw")}
	if image, err := s.stock.Pull(t.Context(), order, nil); err != nil || image.ID != "a" {
		t.Fatalf("%+v, %v", image, err)
	}
	s.want("a project that has no credential", s.ready("p1", private, never, ""), "image-not-authorised")
	s.used["a"] = true
	if err := s.stock.Remove(t.Context(), private); !domain.IsKind(err, domain.Conflict) {
		t.Errorf("removed in use: %v", err)
	}
	delete(s.used, "a")
	if err := s.stock.Remove(t.Context(), private); err != nil || len(s.here) > 0 {
		t.Errorf("%v, here %v", err, s.here)
	}
}

func TestAnImageThatIsBeingMadeIsNotRemoved(t *testing.T) {
	s := open(t)
	const image = "zun.local/7"
	made, again := s.stock.Making(image), s.stock.Making(image)
	for _, end := range []func(){made, again} {
		if err := s.stock.Remove(t.Context(), image+":latest"); !domain.IsKind(err, domain.Conflict) || len(s.removed) > 0 {
			t.Errorf("while it is made: %v, removed are %v", err, s.removed)
		}
		end()
	}
	if err := s.stock.Remove(t.Context(), image); err != nil {
		t.Error(err)
	}
}
