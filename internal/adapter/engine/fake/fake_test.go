package fake_test

import (
	"testing"

	"github.com/go-zun/zun/internal/adapter/engine/enginetest"
	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/agent"
)

func TestEngine(t *testing.T) {
	dir := t.TempDir()
	secret := fake.Private()
	enginetest.Run(t, enginetest.Factory{
		Open:  func(t *testing.T) agent.Engine { return open(t, fake.Options{Dir: dir, LogMaxBytes: 64 << 10}) },
		Image: "busybox", Pullable: "web:1", Pinned: "reg.example/pinned:1", Missing: "missing/image:1", Unreachable: "unreachable/image:1",
		Private: "private/image:1", Secret: &secret,
	})
}

func open(t *testing.T, o fake.Options) *fake.Engine {
	t.Helper()
	e, err := fake.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
