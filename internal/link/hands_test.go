package link_test

import (
	"context"
	"io"
	"strings"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/journal"
	"github.com/go-zun/zun/internal/domain"
)

// hands are an agent's direct calls whose outcome a test sets.
type hands struct {
	woken  chan int64
	gaveUp chan struct{} // closed when a slow pull was given up
	logs   func(ctx context.Context, sink func(domain.LogStream, []byte) error) error
	follow func(ctx context.Context, q domain.FollowQuery, sink journal.Sink) error
	exec   func(ctx context.Context) (domain.ExecResult, error)
	open   func() (agent.Stream, error)
	get    func(sink func([]byte) error) (domain.PathStat, error)
	put    func(source io.Reader) error
	sizes  [][2]int
	failed error
}

func (h *hands) Observe(_ context.Context, id domain.ContainerID) (domain.Observation, error) {
	return domain.Observation{Status: domain.Running, Detail: string(id)}, h.failed
}

func (h *hands) ExecRun(ctx context.Context, _ domain.ContainerID, cmd []string) (domain.ExecResult, error) {
	if h.exec != nil {
		return h.exec(ctx)
	}
	return domain.ExecResult{Output: []byte(cmd[0]), ExitCode: 3}, h.failed
}

func (h *hands) Logs(ctx context.Context, _ domain.ContainerID, _ domain.LogQuery, sink func(domain.LogStream, []byte) error) error {
	return h.logs(ctx, sink)
}

func (h *hands) Follow(ctx context.Context, _ domain.ContainerID, q domain.FollowQuery, sink journal.Sink) error {
	return h.follow(ctx, q, sink)
}

func (h *hands) Top(_ context.Context, _ domain.ContainerID, psArgs string) (domain.ProcessTable, error) {
	return domain.ProcessTable{Titles: []string{"PID", psArgs}, Processes: [][]string{{"1", "sh"}}}, h.failed
}

func (h *hands) Stats(context.Context, domain.ContainerID) (domain.Stats, error) {
	return domain.Stats{CPUPercent: 12.5, PIDs: 3}, h.failed
}

func (h *hands) ExecCreate(_ context.Context, _ domain.ContainerID, cmd []string, _ bool) (string, error) {
	return "exec-" + cmd[0], h.failed
}

func (h *hands) ExecResize(_ context.Context, _ domain.ContainerID, _ string, width, height int) error {
	h.sizes = append(h.sizes, [2]int{width, height})
	return h.failed
}

func (h *hands) Resize(ctx context.Context, id domain.ContainerID, width, height int) error {
	return h.ExecResize(ctx, id, "", width, height)
}

func (h *hands) Open(context.Context, domain.ContainerID, string) (agent.Stream, error) {
	return h.open()
}

type files struct{ h *hands }

// pictures pull with one sign of progress; missing/... does not exist, and slow/...
// waits until it is given up.
type pictures struct{ h *hands }

func (p pictures) Pull(ctx context.Context, order domain.ImageOrder, progress func(done, total int64)) (domain.LocalImage, error) {
	reference, secret := order.Reference, order.Secret
	progress(1, 2)
	switch {
	case strings.HasPrefix(reference, "missing/"):
		return domain.LocalImage{}, domain.NewFault(domain.NotFound, "image-not-found", "Image %s could not be found.", reference)
	case strings.HasPrefix(reference, "slow/"):
		<-ctx.Done()
		close(p.h.gaveUp)
		return domain.LocalImage{}, ctx.Err()
	case secret != nil:
		return domain.LocalImage{ID: secret.Username, Size: 7}, nil
	}
	return domain.LocalImage{ID: "sha256:1", Size: 1 << 40}, nil
}

func (p pictures) Remove(context.Context, string) error { return p.h.failed }

func (p pictures) Search(_ context.Context, term string) ([]domain.FoundImage, error) {
	return []domain.FoundImage{{Name: term, Description: "d", Official: true, Stars: 3}}, p.h.failed
}

func (f files) Get(_ context.Context, _ domain.ContainerID, _ string, sink func([]byte) error) (domain.PathStat, error) {
	return f.h.get(sink)
}

func (f files) Put(_ context.Context, _ domain.ContainerID, _ string, source agent.Reader) error {
	return f.h.put(source)
}
