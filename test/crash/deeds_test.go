//go:build integration

package crash

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/domain"
)

// otherNetwork is one that containers join and leave.
const otherNetwork = "crash-other"

// makeNetwork sees to it that the network exists.
func (l *lane) makeNetwork(t *testing.T) {
	t.Helper()
	if _, err := l.CLI.Raw(t.Context(), http.MethodPost, "/networks", nil, map[string]string{"name": otherNetwork}); err != nil {
		t.Fatalf("make a network: %v", err)
	}
}

// otherGroup is a security group that containers join and leave, with a rule that names
// a port which is named nowhere else.
const (
	otherGroup = "crash-group"
	groupPort  = "18181"
)

// makeGroup writes the operator's file of security groups. The service reads it again
// within seconds.
func (l *lane) makeGroup(t *testing.T) {
	t.Helper()
	content := fmt.Sprintf("groups: [{name: %s, project: \"*\", rules: [{direction: ingress, protocol: tcp, ports: %q}]}]\n", otherGroup, groupPort)
	if err := os.WriteFile(filepath.Join(l.Dir, "security-groups.yaml"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// regroup has a container join or leave the group, and holds that the service shows it
// and that the host's rules follow.
func (l *lane) regroup(t *testing.T, uuid string, what deed) {
	t.Helper()
	if ended := l.do(t, uuid, what); ended.Message != nil {
		t.Errorf("%s ended as %s", what.verb, *ended.Message)
	}
	in := what.verb == "add_security_group"
	l.Eventually(t, "the container's rules are those of its groups", func() error {
		c, err := l.CLI.Container(t.Context(), uuid, false)
		if err != nil {
			return err
		}
		shown := len(c.SecurityGroups) > 1 // the project's own is one
		if laid := strings.Contains(l.Room.Output(t, "nft", "list", "ruleset"), groupPort); shown != in || laid != in {
			return fmt.Errorf("its groups are %v; that the port is in the rules is %t", c.SecurityGroups, laid)
		}
		return nil
	})
}

// rename gives a container another name until the service shows it.
func (l *lane) rename(t *testing.T, uuid, name string) {
	t.Helper()
	l.Eventually(t, "the container has its new name", func() error {
		c, err := l.CLI.Container(t.Context(), uuid, false)
		if err != nil || c.Name == name {
			return err
		}
		return errors.Join(l.early.Rename(t.Context(), uuid, name), errors.New("it was only just asked for"))
	})
	l.await(t, uuid, "Running")
}

// update changes the memory of a container until the service shows it. A request that
// was cut off may have been taken; asking again asks for the same.
func (l *lane) update(t *testing.T, uuid string) {
	t.Helper()
	memory := "96"
	l.Eventually(t, "the memory is the wanted one", func() error {
		c, err := l.CLI.Container(t.Context(), uuid, false)
		if err != nil || c.Memory == memory {
			return err
		}
		_, err = l.CLI.UpdateContainer(t.Context(), uuid, api.ContainerUpdate{Memory: &memory})
		return errors.Join(err, errors.New("it was only just asked for"))
	})
	l.await(t, uuid, "Running")
}

// neighbour has another container come that wants a CPU for itself, and go again: the
// first one leaves it that CPU, and gets it back.
func (l *lane) neighbour(t *testing.T, uuid string) {
	t.Helper()
	const name, all = "neighbour", ""
	former := l.Engine.CPUs(t, l.Deployment, uuid)
	order := l.order(name)
	one := 1.0
	order.CPU, order.CPUPolicy, order.Mounts = &one, domain.CPUDedicated, nil
	other := l.createOf(t, order)
	l.await(t, other, "Running")
	own := l.Engine.CPUs(t, l.Deployment, other)
	l.Eventually(t, "the CPU is the neighbour's alone", func() error {
		if shared := l.Engine.CPUs(t, l.Deployment, uuid); own == all || shared == former || slices.Contains(cpus(t, shared), own) {
			return fmt.Errorf("they run on %q and %q", own, shared)
		}
		return nil
	})
	l.remove(t, other)
	l.Eventually(t, "the CPU is everybody's again", func() error {
		if shared := l.Engine.CPUs(t, l.Deployment, uuid); shared != all && !slices.Contains(cpus(t, shared), own) {
			return fmt.Errorf("it runs on %q only", shared)
		}
		return nil
	})
	l.await(t, uuid, "Running")
}

func cpus(t *testing.T, list string) (names []string) {
	t.Helper()
	numbers, err := domain.ParseCPUs(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, cpu := range numbers {
		names = append(names, domain.FormatCPUs([]int{cpu}))
	}
	return names
}

// put copies a file into a container until it is there: a put that was cut off is never
// sent again by the service, only by its user.
func (l *lane) put(t *testing.T, uuid string) {
	t.Helper()
	content := strings.Repeat("zun ", 40<<10)
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	header := &tar.Header{Name: "put", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}
	err := w.WriteHeader(header)
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	l.Eventually(t, "the file is in the container", func() error {
		return l.CLI.PutArchive(t.Context(), uuid, "/tmp", bytes.NewReader(packed.Bytes()))
	})
	l.Eventually(t, "the file is whole", func() error {
		archive, err := l.CLI.GetArchive(t.Context(), uuid, "/tmp/put")
		if err != nil {
			return err
		}
		defer func() { _ = archive.Close() }()
		r := tar.NewReader(archive)
		if _, err := r.Next(); err != nil {
			return err
		}
		back, err := io.ReadAll(r)
		if err == nil && string(back) != content {
			err = fmt.Errorf("it came back with %d bytes", len(back))
		}
		return err
	})
}

// commit asks for an image until the service has taken the request, and returns it; none
// if the service says that the outcome is unknown. There is never more than one.
func (l *lane) commit(t *testing.T, uuid string) string {
	t.Helper()
	ctx := t.Context()
	l.Eventually(t, "the commit is accepted", func() error {
		if n, err := l.count(ctx, uuid, "commit"); err != nil || n > 0 {
			return err
		}
		_, err := l.CLI.Commit(ctx, uuid, "crash/image", "v1")
		return err
	})
	var ended api.Action
	l.Eventually(t, "the commit has ended", func() (err error) {
		if ended, err = l.newest(ctx, uuid, "commit"); err == nil && ended.FinishTime == nil {
			err = errors.New("it goes on")
		}
		return err
	})
	var images []api.Image
	l.Eventually(t, "the images can be listed", func() (err error) {
		images, err = l.CLI.Images(ctx, client.ListOptions{})
		return err
	})
	l.await(t, uuid, "Running")
	switch {
	case ended.Message != nil && len(images) == 0:
		return ""
	case ended.Message == nil && len(images) == 1 && images[0].ImageID != nil:
		return images[0].UUID
	default:
		t.Fatalf("the commit ended as %+v and left %+v", ended, images)
		return ""
	}
}

// removeImage deletes an image until it is gone.
func (l *lane) removeImage(t *testing.T, image string) {
	t.Helper()
	if image == "" {
		return
	}
	l.Eventually(t, "the image is gone", func() error {
		images, err := l.CLI.Images(t.Context(), client.ListOptions{})
		if err != nil || len(images) == 0 {
			return err
		}
		return errors.Join(l.CLI.DeleteImage(t.Context(), image), errors.New("it was only just asked for"))
	})
	// In sight of nobody it still goes from its host, and then from the books.
	l.Eventually(t, "the host holds no image", func() error {
		for _, line := range l.Engine.Objects(t, l.Deployment) {
			if strings.Contains(line, "/trees/") || strings.HasSuffix(strings.TrimSpace(line), " image") {
				return errors.New(line)
			}
		}
		return nil
	})
}
