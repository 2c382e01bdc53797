//go:build integration

package fake_test

import (
	"os"
	"testing"

	"github.com/go-zun/zun/internal/adapter/engine/enginetest"
	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/agent"
)

func TestEngineWithNamespaces(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("making network namespaces needs root")
	}
	dir := t.TempDir()
	enginetest.Run(t, enginetest.Factory{
		Open: func(t *testing.T) agent.Engine {
			return open(t, fake.Options{Dir: dir, LogMaxBytes: 64 << 10, Namespaces: true})
		},
		Image: "busybox", Missing: "missing/image:1", Unreachable: "unreachable/image:1", Namespaces: true,
	})
}
