package control_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

func TestExecRun(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.ExecuteTimeout = 20 * time.Millisecond })
	h.addHost("n1")
	h.running("web")
	got, err := h.ExecRun(t.Context(), member(), control.Ref{Ident: "web"}, []string{"echo", "hi"})
	if err != nil || got.ExitCode != 3 || string(got.Output) != "hi" {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = h.ExecRun(t.Context(), member(), control.Ref{Ident: "web"}, []string{"sleep", "60"})
	wantFault(t, err, domain.Conflict, "Timeout on executing command: sleep 60")
}

// TestNoCommandIsTooLongToBeKept: an engine keeps the command of a session that nobody joins.
func TestNoCommandIsTooLongToBeKept(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.running("web")
	for _, command := range [][]string{{"echo", strings.Repeat("x", 128<<10)}, make([]string, 1<<14)} {
		_, err := h.ExecRun(t.Context(), member(), control.Ref{Ident: "web"}, command)
		wantFault(t, err, domain.Invalid, "The command is too long: it may have 131072 bytes.")
		_, err = h.ExecSession(t.Context(), member(), control.Ref{Ident: "web"}, command, true)
		wantFault(t, err, domain.Invalid, "The command is too long: it may have 131072 bytes.")
	}
}

func TestHostsThatDoNotAnswer(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.running("web")
	asks := verbs(t.Context(), h)
	direct := []domain.Verb{domain.VerbExecute, domain.VerbTop, domain.VerbStats, domain.VerbLogs, domain.VerbResize, domain.VerbExecuteResize}
	for _, c := range []struct {
		answer  error
		kind    domain.FaultKind
		message string
	}{
		{domain.NewFault(domain.NotFound, "x", "no such object"), domain.Conflict, "Cannot act on container in 'Running' state"},
		{domain.NewFault(domain.Conflict, "conflict", "is paused"), domain.Conflict, "is paused"},
		{domain.NewFault(domain.Unavailable, "x", "unreachable"), domain.Unavailable, "unreachable"},
	} {
		h.nodes.answer = func(string) error { return c.answer }
		for _, verb := range direct {
			if verb == domain.VerbExecuteResize && c.kind == domain.Conflict && domain.IsKind(c.answer, domain.NotFound) {
				continue // there it is the session that is unknown
			}
			wantFault(t, asks[verb](control.Ref{Ident: "web"}), c.kind, c.message)
		}
	}
	h.store.step(time.Hour)
	for _, verb := range direct {
		wantFault(t, asks[verb](control.Ref{Ident: "web"}), domain.Unavailable, "The host of container "+string(id)+" is not up.")
	}
}

func TestInsidesOfWhatWasNeverMade(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	id := h.create("web")
	h.step(h.loops.Prepare)
	h.failed(id, "no such image")
	wantFault(t, h.verbLogs(id), domain.Invalid, "Cannot operate an uncreated container.")
}

func TestArchives(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.running("web")
	var data []byte
	stat, err := h.GetArchive(t.Context(), member(), control.Ref{Ident: "web"}, "/etc", func(chunk []byte) error {
		data = append(data, chunk...)
		return nil
	})
	if err != nil || stat.Name != "/etc" || string(data) != "tar" {
		t.Errorf("got %+v %q, %v", stat, data, err)
	}
	_, err = h.GetArchive(t.Context(), member(), control.Ref{Ident: "web"}, "/missing", nil)
	wantFault(t, err, domain.Invalid, "no such path: /missing")
}

func TestTicketsOpenOnce(t *testing.T) {
	h := newHouse(t, func(o *control.Options) { o.ConsoleURL = "wss://console.example/" })
	h.addHost("n1")
	id := h.running("web", func(r *control.CreateRequest) { r.Spec.Interactive = true })
	session, err := h.ExecSession(t.Context(), member(), control.Ref{Ident: "web"}, []string{"sh"}, true)
	h.must(err)
	door, err := url.Parse(session.URL)
	h.must(err)
	query := door.Query()
	if door.Host != "console.example" || query.Get("token") != session.Ticket || query.Get("uuid") != string(id) || query.Get("exec_id") != "e1" {
		t.Errorf("url %s", session.URL)
	}
	open := func(execID, ticket string) error {
		visit, err := h.Redeem(t.Context(), control.TicketClaim{Container: id, ExecID: execID, Secret: ticket})
		if err != nil {
			return err
		}
		if visit.UserID != "u1" || visit.ProjectID != "p1" || visit.Host.Name != "n1" {
			t.Errorf("visit %+v", visit)
		}
		_, err = h.Enter(t.Context(), visit)
		return err
	}
	if err := open("e1", "guessed"); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("a guessed ticket: %v", err)
	}
	if err := open("e2", session.Ticket); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("another session's ticket: %v", err)
	}
	attach, err := h.Attach(t.Context(), member(), control.Ref{Ident: "web"})
	h.must(err)
	if err := open("e1", attach.Ticket); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("a ticket of another kind: %v", err)
	}
	h.must(open("e1", session.Ticket)) // shown for another session it was not spent
	h.must(open("", attach.Ticket))
	if err := open("", attach.Ticket); !domain.IsKind(err, domain.NotFound) {
		t.Errorf("a used ticket: %v", err)
	}
}

// TestConsolesAreCountedOverAllDoors holds that a console too many keeps its ticket,
// and that seats are freed by whoever ends a console.
func TestConsolesAreCountedOverAllDoors(t *testing.T) {
	for name, change := range map[string]func(*control.Options){
		"container": func(o *control.Options) { o.ConsolesPerContainer = 2 },
		"project":   func(o *control.Options) { o.ConsolesPerProject = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, change)
			h.addHost("n1")
			id := h.running("web", func(r *control.CreateRequest) { r.Spec.Interactive = true })
			redeem := func() (control.TicketClaim, control.Visit, error) {
				session, err := h.Attach(t.Context(), member(), control.Ref{Ident: "web"})
				h.must(err)
				claim := control.TicketClaim{Container: id, Secret: session.Ticket}
				visit, err := h.Redeem(t.Context(), claim)
				return claim, visit, err
			}
			_, first, err := redeem()
			h.must(err)
			_, second, err := redeem()
			h.must(err)
			if first.Console == second.Console || len(first.Console) != 36 {
				t.Errorf("consoles %s and %s", first.Console, second.Console)
			}
			claim, _, err := redeem()
			if !domain.IsKind(err, domain.TooLarge) || !strings.Contains(err.Error(), name) {
				t.Fatalf("one too many: %v", err)
			}
			h.must(h.Keep(t.Context(), []string{first.Console, second.Console}))
			h.must(h.Leave(t.Context(), first.Console))
			if _, err := h.Redeem(t.Context(), claim); err != nil {
				t.Errorf("the refused ticket was spent: %v", err)
			}
		})
	}
}

func TestAttachNeedsInteractive(t *testing.T) {
	h := newHouse(t)
	h.addHost("n1")
	h.running("web")
	_, err := h.Attach(t.Context(), member(), control.Ref{Ident: "web"})
	wantFault(t, err, domain.Invalid, "Container doesn't support to be attached, please check the interactive set properly")
	if err := h.ExecResize(t.Context(), member(), control.Ref{Ident: "web"}, "e9", 1, 1); err != nil {
		wantFault(t, err, domain.Invalid, "no such exec instance: e9")
	} else {
		t.Error("an unknown session was resized")
	}
}
