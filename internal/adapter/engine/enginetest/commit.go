package enginetest

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// snapshot names an image and sees to its removal, after the containers made from it.
func (h *house) snapshot() agent.Snapshot {
	s := agent.Snapshot{Image: uuid.NewString(), ProjectID: "p1"}
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(h.t.Context()), patience)
		defer cancel()
		if err := h.engine.Images().Remove(ctx, domain.OwnReference(s.Image)); err != nil {
			h.t.Errorf("remove image %s: %v", s.Image, err)
		}
	})
	return s
}

// testCommit makes an image of a running, a paused and a stopped member, and a
// container from it.
func testCommit(t *testing.T, h *house) {
	committer, images := capability[agent.Committer](h), h.engine.Images()
	first := h.snapshot()
	o := h.start(h.command("sleep 1000"))
	_, err := capability[agent.Execer](h).ExecRun(h.ctx(), o, []string{"sh", "-c", "echo kept > /tmp/kept"}, 64)
	h.must(err, "write a file")
	before := h.member(o.Container).PID
	made, err := committer.Commit(h.ctx(), o, first)
	h.must(err, "commit")
	if made.ID == "" || made.Size <= 0 {
		t.Errorf("the image is %+v", made)
	}
	if after := h.untilStatus(o.Container, domain.Running); after.PID != before {
		t.Errorf("the committed member's process is %d, which was %d", after.PID, before)
	}
	again, err := committer.Commit(h.ctx(), o, first)
	h.must(err, "commit again")
	found, err := committer.Committed(h.ctx(), first.Image)
	h.must(err, "find the image")
	if again != made || found != made {
		t.Errorf("made %+v, again %+v, found %+v", made, again, found)
	}
	if present, err := images.Present(h.ctx(), domain.OwnReference(first.Image)); err != nil || !present {
		t.Errorf("present: %v, %v", present, err)
	}
	spec := h.command("sleep 1000")
	spec.Image = domain.OwnReference(first.Image)
	copied := h.start(spec)
	result, err := capability[agent.Execer](h).ExecRun(h.ctx(), copied, []string{"cat", "/tmp/kept"}, 64)
	h.must(err, "look into the copy")
	if string(result.Output) != "kept\n" {
		t.Errorf("the copy holds %q", result.Output)
	}
	h.must(h.engine.Members().Pause(h.ctx(), o), "pause")
	_, err = committer.Commit(h.ctx(), o, h.snapshot())
	h.must(err, "commit a paused member")
	h.untilStatus(o.Container, domain.Paused)
	h.must(h.engine.Members().Stop(h.ctx(), o, 0), "stop")
	_, err = committer.Commit(h.ctx(), o, h.snapshot())
	h.must(err, "commit a stopped member")
	h.clean(h.ctx(), copied.Container)
	h.must(images.Remove(h.ctx(), domain.OwnReference(first.Image)), "remove the image")
	_, err = committer.Committed(h.ctx(), first.Image)
	h.fault(err, domain.NotFound)
}

func testCommitFaults(_ *testing.T, h *house) {
	committer := capability[agent.Committer](h)
	_, err := committer.Committed(h.ctx(), uuid.NewString())
	h.fault(err, domain.NotFound)
	o := h.create(h.command("true"))
	h.must(h.engine.Members().Remove(h.ctx(), o), "remove")
	s := h.snapshot()
	_, err = committer.Commit(h.ctx(), o, s)
	h.fault(err, domain.NotFound)
	_, err = committer.Committed(h.ctx(), s.Image)
	h.fault(err, domain.NotFound)
}
