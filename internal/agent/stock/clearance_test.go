package stock_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

const (
	private = "reg.example/private:1"
	public  = "reg.example/public:1"

	missing = domain.PullIfNotPresent
	never   = domain.PullNever
	always  = domain.PullAlways
)

func TestACachedPrivateImageIsForThoseWhoMayPullIt(t *testing.T) {
	s := open(t)
	s.sell(private, "a", "pw")
	s.want("who may pull it", s.ready("p1", private, missing, "pw"), "")
	s.want("the same project again", s.ready("p1", private, missing, "pw"), "")
	s.want("the same project, never", s.ready("p1", private, never, ""), "")
	s.want("without a credential", s.ready("p2", private, missing, ""), "image-forbidden")
	s.want("with a wrong one", s.ready("p2", private, missing, "guess"), "image-forbidden")
	s.want("never authorised", s.ready("p2", private, never, ""), "image-not-authorised")
	s.want("never, even with a credential", s.ready("p2", private, never, "pw"), "image-not-authorised")
	s.want("by the digest", s.ready("p2", "reg.example/private@"+digest("a"), missing, ""), "image-forbidden")
	s.want("by the digest, never", s.ready("p2", "reg.example/private@"+digest("a"), never, ""), "image-not-authorised")
	s.want("by the id", s.ready("p2", "a", never, ""), "image-not-found")
	s.want("by the id, missing", s.ready("p2", "a", missing, ""), "image-not-found")
	s.want("the same project with another credential", s.ready("p1", private, missing, "old"), "image-forbidden")
	s.want("the other project with the right one", s.ready("p2", private, missing, "pw"), "")
	asked := len(s.asked)
	s.restart()
	s.want("after a restart", s.ready("p2", private, missing, "pw"), "")
	s.want("never, now authorised", s.ready("p2", private, never, ""), "")
	if len(s.asked) != asked || len(s.pulls) != 1 {
		t.Errorf("asked %v, pulled %v", s.asked[asked:], s.pulls)
	}
}

func TestARegistryThatDoesNotAnswerClearsNobody(t *testing.T) {
	s := open(t)
	s.sell(private, "a", "pw")
	s.want("pull", s.ready("p1", private, missing, "pw"), "")
	s.down = true
	s.want("who pulled it", s.ready("p1", private, missing, "pw"), "")
	s.want("another project", s.ready("p2", private, missing, "pw"), "registry-unreachable")
	_, err := s.stock.Ready(t.Context(), domain.Assignment{ProjectID: "p2", Secret: secret("pw"), Spec: domain.Spec{Image: private, PullPolicy: missing}}, nil)
	if want := "its registry cannot be asked whether this project may use it"; err == nil || !strings.Contains(domain.AsFault(err).Message, want) {
		t.Errorf("reason: %v", err)
	}
}

func TestPublicImagesAreCheap(t *testing.T) {
	s := open(t)
	s.sell(public, "a", "")
	s.want("first", s.ready("p1", public, missing, ""), "")
	for _, p := range []string{"p2", "p3", "p4"} {
		s.want(p, s.ready(p, public, missing, ""), "")
	}
	if len(s.asked) > 0 || len(s.pulls) != 1 {
		t.Errorf("asked %v, pulled %v", s.asked, s.pulls)
	}
	s.clock.Step(2 * time.Hour)
	s.want("who used it before", s.ready("p2", public, missing, ""), "")
	if len(s.asked) > 0 {
		t.Errorf("asked %v for a project that was cleared", s.asked)
	}
	s.want("a new project after the bound", s.ready("p5", public, missing, ""), "")
	s.want("the next within the new bound", s.ready("p6", public, missing, ""), "")
	if len(s.asked) != 1 {
		t.Errorf("asked %d times", len(s.asked))
	}
	s.clock.Step(2 * time.Hour)
	s.sell(public, "a", "pw") // it became private
	s.want("a new project of what became private", s.ready("p7", public, missing, ""), "image-forbidden")
}

func TestANameThatMovedOnIsPulledAgain(t *testing.T) {
	s := open(t)
	s.sell(private, "a", "pw")
	s.want("pull", s.ready("p1", private, missing, "pw"), "")
	s.sell(private, "b", "other")
	s.want("the new owner gets the new image", s.ready("p2", private, missing, "other"), "")
	if len(s.pulls) != 2 || s.here[private] != "b" {
		t.Errorf("pulled %v, the name is %s", s.pulls, s.here[private])
	}
}

func TestWhatAnOperatorBroughtIsForEverybody(t *testing.T) {
	s := open(t)
	s.bring(private, "a")
	s.sell(private, "a", "pw")
	s.want("missing", s.ready("p1", private, missing, ""), "")
	s.want("never", s.ready("p1", private, never, ""), "")
	s.want("pulled over it", s.ready("p2", private, always, "pw"), "")
	s.want("still everybody's", s.ready("p3", private, never, ""), "")
	s.clock.Step(1000 * time.Hour)
	s.collect()
	s.wantRemoved("what is not ours stays")
}

// A pull that a crash cut off left an image; nobody may have it for nothing.
func TestACrashInAPullClearsNobody(t *testing.T) {
	s := open(t)
	s.sell(private, "a", "pw")
	crash := errors.New("crash")
	s.broken = crash
	before, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	var during []byte
	_, err = s.stock.Ready(t.Context(), domain.Assignment{ProjectID: "p1", Secret: secret("pw"), Spec: domain.Spec{Image: private, PullPolicy: missing}},
		func(int64, int64) { during, _ = os.ReadFile(s.path) })
	if err == nil || len(during) <= len(before) {
		t.Fatalf("the book does not know of the pull while it goes on: %s", during)
	}
	s.broken = nil
	if err := os.WriteFile(s.path, during, 0o600); err != nil { // the crash came before the end was written
		t.Fatal(err)
	}
	s.restart()
	s.want("another project", s.ready("p2", private, never, ""), "image-not-authorised")
	s.want("another project that asks", s.ready("p2", private, missing, ""), "image-forbidden")
	s.want("the project itself", s.ready("p1", private, missing, "pw"), "")
	s.clock.Step(1000 * time.Hour)
	s.collect()
	s.wantRemoved("what the cut off pull brought is ours", private)
}

// While a pull ends, its image is on the host and in no book yet: it is not everybody's.
func TestWhatJustArrivedIsNotEverybodys(t *testing.T) {
	s := open(t)
	s.sell(private, "a", "pw")
	s.bring(public, "b")
	s.arrived = func() {
		s.arrived = nil
		s.want("another project, never", s.ready("p2", private, never, ""), "image-not-authorised")
		s.want("another project that asks", s.ready("p2", private, missing, ""), "image-forbidden")
		s.want("by the digest", s.ready("p2", "reg.example/private@"+digest("a"), missing, ""), "image-forbidden")
		s.want("who may pull it as well", s.ready("p3", private, missing, "pw"), "")
		s.want("what was here before", s.ready("p2", public, never, ""), "")
	}
	s.want("who pulls it", s.ready("p1", private, missing, "pw"), "")
	s.want("the same project, never", s.ready("p1", private, never, ""), "")
	s.want("who asked meanwhile", s.ready("p3", private, never, ""), "")
	s.want("another project afterwards", s.ready("p2", private, never, ""), "image-not-authorised")
}

// A pull that is called off at its end has brought its image all the same.
func TestAFailedPullThatBroughtItsImageClearsNobody(t *testing.T) {
	for what, silent := range map[string]error{"the engine tells": nil, "the engine is silent": errors.New("no answer")} {
		s := open(t)
		s.sell(private, "a", "pw")
		s.broken = domain.NewFault(domain.Unavailable, "called-off", "called off")
		s.arrived = func() { s.silent = silent }
		if code := s.ready("p1", private, missing, "pw"); code == "" {
			t.Errorf("%s: the pull did not fail", what)
		}
		s.broken, s.arrived, s.silent = nil, nil, nil
		s.want(what+": another project", s.ready("p2", private, never, ""), "image-not-authorised")
		s.want(what+": another project that asks", s.ready("p2", private, missing, ""), "image-forbidden")
		s.want(what+": the project itself", s.ready("p1", private, missing, "pw"), "")
		s.clock.Step(1000 * time.Hour)
		s.collect()
		s.wantRemoved(what+": it is ours", private)
	}
}

// An engine that hangs after a pull holds its caller up for a while, and not for good: an
// agent that is to end waits for it. What came by the pull is nobody's meanwhile.
func TestAnEngineThatHangsAfterAPullHoldsNobodyUpForGood(t *testing.T) {
	for name, broken := range map[string]error{"that came": nil, "that failed": domain.NewFault(domain.Unavailable, "called-off", "called off")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t)
				s.sell(private, "a", "pw")
				s.broken = broken
				s.arrived = func() { s.hangs = true }
				order := domain.Assignment{ProjectID: "p1", Secret: secret("pw"), Spec: domain.Spec{Image: private, PullPolicy: missing}}
				if _, err := s.stock.Ready(t.Context(), order, nil); err == nil {
					t.Error("an image is ready of which the engine told nothing")
				}
				s.broken, s.arrived, s.hangs = nil, nil, false
				s.want("another project", s.ready("p2", private, never, ""), "image-not-authorised")
				s.want("the project itself", s.ready("p1", private, missing, "pw"), "")
			})
		})
	}
}

func TestAFailedPullLeavesNoTrace(t *testing.T) {
	s := open(t)
	s.want("nothing sold", s.ready("p1", private, missing, ""), "image-not-found")
	s.bring(private, "a")
	s.clock.Step(1000 * time.Hour)
	s.collect()
	s.wantRemoved("what came by other hands later")
}

func TestAnUnreadableBookIsPutAside(t *testing.T) {
	s := open(t)
	s.sell(private, "a", "pw")
	s.want("pull", s.ready("p1", private, missing, "pw"), "")
	if err := os.WriteFile(s.path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.restart()
	s.clock.Step(1000 * time.Hour)
	s.collect()
	s.wantRemoved("what nobody knows to be ours")
	if _, err := os.Stat(s.path + ".unreadable"); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(s.path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the book lies open: %v, %v", info, err)
	}
	book, err := os.ReadFile(s.path)
	if err != nil || strings.Contains(string(book), "pw\"") {
		t.Errorf("a password in the book: %s, %v", book, err)
	}
}

func TestOwnImagesAreControlsToJudge(t *testing.T) {
	s := open(t)
	own := domain.OwnReference("7")
	a := domain.Assignment{ProjectID: "p1", Spec: domain.Spec{Image: own, OwnImage: "7", PullPolicy: always}}
	if _, err := s.stock.Ready(t.Context(), a, nil); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("an own image that is gone: %v", err)
	}
	s.bring(own, "a")
	if _, err := s.stock.Ready(t.Context(), a, nil); err != nil || len(s.pulls) > 0 {
		t.Errorf("%v, pulled %v", err, s.pulls)
	}
}
