package agent_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/agent/calls"
	"github.com/go-zun/zun/internal/agent/parcel"
	"github.com/go-zun/zun/internal/domain"
)

// ableEngine is a scripted engine with every optional capability; it answers with
// the object that it was asked about.
type ableEngine struct{ *scriptedEngine }

func (ableEngine) ExecRun(_ context.Context, o agent.Object, cmd []string, limit int64) (domain.ExecResult, error) {
	return domain.ExecResult{ExecID: o.EngineID, Output: []byte(cmd[0])[:min(limit, int64(len(cmd[0])))]}, nil
}

func (ableEngine) ExecCreate(_ context.Context, o agent.Object, _ []string, _ bool) (string, error) {
	return "exec-" + o.EngineID, nil
}
func (ableEngine) ExecResize(context.Context, agent.Object, string, int, int) error { return nil }
func (ableEngine) ExecOpen(_ context.Context, _ agent.Object, execID string) (agent.Stream, error) {
	return namedStream{name: execID}, nil
}

func (ableEngine) Attach(_ context.Context, o agent.Object) (agent.Stream, error) {
	return namedStream{name: o.EngineID}, nil
}
func (ableEngine) Resize(context.Context, agent.Object, int, int) error { return nil }

func (ableEngine) Logs(_ context.Context, o agent.Object, _ domain.LogQuery, sink func(domain.LogStream, []byte) error) error {
	return sink(domain.Stdout, []byte(o.EngineID))
}

func (ableEngine) Top(_ context.Context, o agent.Object, psArgs string) (domain.ProcessTable, error) {
	return domain.ProcessTable{Titles: []string{o.EngineID, psArgs}}, nil
}

func (ableEngine) Stats(context.Context, agent.Object) (domain.Stats, error) {
	return domain.Stats{PIDs: 1}, nil
}

func (ableEngine) GetArchive(_ context.Context, _ agent.Object, path string, sink func([]byte) error) (domain.PathStat, error) {
	return domain.PathStat{Name: path}, sink([]byte("tar"))
}

func (ableEngine) PutArchive(_ context.Context, _ agent.Object, _ string, source agent.Reader) error {
	_, err := io.Copy(io.Discard, source)
	return err
}

type namedStream struct {
	agent.Stream
	name string
}

func TestCallsReachTheMember(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.other = ableEngine{h.engine}
	h.begin().running()
	o, _ := h.engine.find("c1", false)
	ctx, direct := t.Context(), calls.New(h.agent, parcel.Room{})
	asked := h.engine.count("inspect")

	if r, err := direct.ExecRun(ctx, "c1", []string{"true"}); err != nil || r.ExecID != o.EngineID {
		t.Errorf("exec: %+v, %v", r, err)
	}
	var log string
	err := direct.Logs(ctx, "c1", domain.LogQuery{}, func(_ domain.LogStream, chunk []byte) error { log += string(chunk); return nil })
	if err != nil || log != o.EngineID {
		t.Errorf("logs: %q, %v", log, err)
	}
	if table, err := direct.Top(ctx, "c1", "aux"); err != nil || !slices.Equal(table.Titles, []string{o.EngineID, "aux"}) {
		t.Errorf("top: %+v, %v", table, err)
	}
	if s, err := direct.Stats(ctx, "c1"); err != nil || s.PIDs != 1 {
		t.Errorf("stats: %+v, %v", s, err)
	}
	id, err := direct.Terminals().ExecCreate(ctx, "c1", []string{"sh"}, true)
	if err != nil || id != "exec-"+o.EngineID {
		t.Errorf("exec session: %q, %v", id, err)
	}
	for execID, want := range map[string]string{id: id, "": o.EngineID} {
		if s, err := direct.Terminals().Open(ctx, "c1", execID); err != nil || s.(namedStream).name != want {
			t.Errorf("open %q: %v, %v", execID, s, err)
		}
	}
	if err := direct.Terminals().Resize(ctx, "c1", 80, 24); err != nil {
		t.Errorf("resize: %v", err)
	}
	if err := direct.Terminals().ExecResize(ctx, "c1", id, 80, 24); err != nil {
		t.Errorf("resize a session: %v", err)
	}
	if stat, err := direct.Archives().Get(ctx, "c1", "/etc", func([]byte) error { return nil }); err != nil || stat.Name != "/etc" {
		t.Errorf("get archive: %+v, %v", stat, err)
	}
	if err := direct.Archives().Put(ctx, "c1", "/etc", strings.NewReader("")); err != nil {
		t.Errorf("put archive: %v", err)
	}
	if now := h.engine.count("inspect"); now > asked+1 { // one may stem from the start's own event
		t.Errorf("the calls asked the engine %d times which object the container is", now-asked)
	}
	if seen, err := direct.Observe(ctx, "c1"); err != nil || seen.Status != domain.Running {
		t.Errorf("observe: %+v, %v", seen, err)
	}
}

func TestCallsSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	h := newHost(t).begin()
	direct := calls.New(h.agent, parcel.Room{})
	if _, err := direct.Top(t.Context(), "c1", ""); !domain.IsKind(err, domain.Unsupported) {
		t.Errorf("an engine without the ability says %v", err)
	}
	if _, err := direct.Observe(t.Context(), "nobody"); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("an unknown container says %v", err)
	}
	h.engine.setDown(true)
	if _, err := direct.Observe(t.Context(), "c1"); !domain.IsKind(err, domain.Unavailable) {
		t.Errorf("an engine that is down says %v", err)
	}
}
