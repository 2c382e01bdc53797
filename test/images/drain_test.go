//go:build integration

package images_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/test/allinone"
	"github.com/go-zun/zun/test/deployment"
)

// TestADrainedHostTakesNothing drains one of two hosts with the command while many
// creates are on their way, and waits until it is empty.
func TestADrainedHostTakesNothing(t *testing.T) {
	d := deployment.Start(t, deployment.Plan{Engine: deployment.Simulated{}, Hosts: 2, Settings: "[quota]\ncontainers = 1000\ncpu = 1000\nmemory = 1000000"})
	drained := deployment.HostName(1)
	on := func() []api.Container {
		found, err := d.CLI.Containers(t.Context(), client.ListOptions{AllProjects: true, Filters: url.Values{"host": {drained}}})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	create := func(n int) {
		_, err := d.CLI.CreateContainer(t.Context(), api.ContainerCreate{Image: "cirros", Name: fmt.Sprintf("c%d", n), Command: []string{"sleep", "1000"}}, true)
		if err != nil {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() { create(n) })
	}
	out := command(t, d, "host", "drain", drained, "--reason", "new disks", "-f", "value", "-c", "uuid")
	all.Wait()
	left := on()
	shown := strings.Fields(out)
	if len(shown) != len(left) {
		t.Errorf("the drain showed %d containers, and %d are there after all creates", len(shown), len(left))
	}
	create(41)
	if len(on()) != len(left) {
		t.Error("a drained host took a container")
	}
	services, err := d.CLI.Services(t.Context())
	if err != nil || !has(services, drained, "new disks") {
		t.Errorf("services: %+v, %v", services, err)
	}
	gone := make(chan string, 1)
	all.Go(func() { gone <- command(t, d, "host", "drain", drained, "--wait", "-f", "value", "-c", "uuid") })
	for _, c := range left {
		d.Eventually(t, "container "+c.UUID+" may be deleted", func() error {
			return d.CLI.DeleteContainer(t.Context(), c.UUID, client.DeleteOptions{Stop: true, AllProjects: true})
		})
	}
	all.Wait()
	<-gone
	if host, err := d.CLI.Host(t.Context(), drained); err != nil || host.TotalContainers != 0 {
		t.Errorf("the wait ended with %d containers, %v", host.TotalContainers, err)
	}
	command(t, d, "host", "undrain", drained)
	d.Eventually(t, "the host takes containers again", func() error {
		create(100 + len(on()))
		if len(on()) == 0 {
			return errors.New("none yet")
		}
		return nil
	})
}

func has(services []api.Service, host, reason string) bool {
	for _, s := range services {
		if s.Host == host && s.Disabled && s.DisabledReason != nil && *s.DisabledReason == reason {
			return true
		}
	}
	return false
}

// command runs our own command line in the deployment's room.
func command(t *testing.T, d *deployment.Deployment, args ...string) string {
	t.Helper()
	who := deployment.Admin()
	args = append([]string{"--os-auth-url", "http://" + d.Doors[0] + "/identity/v3", "--os-username", who.Name, "--os-password", allinone.Password,
		"--os-project-name", who.Project}, args...)
	return d.Room.Output(t, filepath.Join(os.Getenv("ZUN_TEST_BIN"), "zun"), args...)
}
