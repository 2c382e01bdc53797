//go:build integration

package docker_test

import (
	"log/slog"
	"os"
	"testing"

	"github.com/go-zun/zun/internal/adapter/engine/docker"
	"github.com/go-zun/zun/internal/adapter/engine/enginetest"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/google/uuid"
)

// host is the engine under test, started by scripts/dockerd.sh.
func host(t *testing.T) string {
	t.Helper()
	h := os.Getenv("ZUN_TEST_DOCKER")
	if h == "" {
		t.Fatal("ZUN_TEST_DOCKER is not set: start an engine with scripts/dockerd.sh")
	}
	return h
}

func open(t *testing.T, o docker.Options) *docker.Engine {
	t.Helper()
	o.Host = host(t)
	e, err := docker.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) {
	deployment := uuid.NewString()
	loadImage(t)
	public, pinned, private := startRegistry(t, false), startRegistry(t, false), startRegistry(t, true)
	enginetest.Run(t, enginetest.Factory{
		Open: func(t *testing.T) agent.Engine {
			return open(t, docker.Options{Deployment: deployment, PIDsLimit: 4096, LogMaxBytes: 1 << 20, Log: slog.New(slog.DiscardHandler)})
		},
		Image:    image,
		Pullable: public + "/" + image, Pinned: pinned + "/" + image, Missing: public + "/missing:1", Unreachable: freeAddress(t) + "/none:1",
		Private: private + "/" + image, Secret: &domain.PullSecret{Domain: private, Username: user, Password: password},
		Namespaces: true,
	})
}
