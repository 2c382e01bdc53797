//go:build integration

package console

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestConsolesInABrowser has xterm.js in headless Chromium use consoles as a
// dashboard's page does.
func TestConsolesInABrowser(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	box := d.container("box")
	b := newBrowser(t)
	for _, protocols := range []string{"binary,base64", "base64"} {
		t.Run("a shell over "+protocols, func(t *testing.T) { shellInABrowser(t, b, d, box, protocols) })
	}
	t.Run("the container's own terminal", func(t *testing.T) { attachedInABrowser(t, b, d, box) })
	t.Run("a page of another origin", func(t *testing.T) { foreignPage(t, b, d, box) })
	t.Run("a page that hides its origin", func(t *testing.T) { hiddenPage(t, b, d, box) })
}

func shellInABrowser(t *testing.T, b *browser, d *deployment, box, protocols string) {
	d = d.of(t)
	execID, socket, err := d.client().ExecSession(t.Context(), box, "sh", true)
	if err != nil {
		t.Fatal(err)
	}
	p := b.page(t, d, box, execID)
	p.opens("127.0.0.1", socket, protocols)
	if want, _, _ := strings.Cut(protocols, ","); p.state().Protocol != want {
		t.Errorf("the door chose %q", p.state().Protocol)
	}
	p.shows("/ #")
	p.types("echo he''llo\r")
	p.shows("hello")
	p.shapes(900, 540)
	p.types("stty size\r")
	p.shows("30 100")
	p.shapes(720, 360)
	p.types("clear; stty size\r")
	p.shows("20 80")
	p.types(sleeper)
	p.shows("asleep")
	p.holds("c") // ends the sleep, not the console
	p.until("the shell asks again", `/\^C\s*\/ #/.test(console_.screen())`)
	p.types("echo al''ive; cat\r")
	p.shows("alive")
	p.holds("d") // ends cat
	p.types("echo ag''ain; exit 3\r")
	p.shows("again")
	if end := p.ends(); end.Code != 1000 || end.Reason != "Target closed" || !end.Clean {
		t.Errorf("closed with %+v", end)
	}
}

func attachedInABrowser(t *testing.T, b *browser, d *deployment, box string) {
	d = d.of(t)
	socket, err := d.client().Attach(t.Context(), box)
	if err != nil {
		t.Fatal(err)
	}
	p := b.page(t, d, box, "")
	p.opens("127.0.0.1", socket, "binary,base64")
	p.shapes(810, 432)
	p.types("\rclear; echo at''tached; stty size\r")
	p.shows("attached")
	p.shows("24 90")
	p.leaves()
}

// foreignPage shows a good ticket from a page of another host. The ticket is not
// spent by it.
func foreignPage(t *testing.T, b *browser, d *deployment, box string) {
	d = d.of(t)
	execID, socket, err := d.client().ExecSession(t.Context(), box, "sh", true)
	if err != nil {
		t.Fatal(err)
	}
	p := b.page(t, d, box, execID)
	p.visits("localhost", socket, "binary,base64")
	if end := p.ends(); end.Code != 1006 || end.Clean || p.state().Opened {
		t.Errorf("a foreign page: %+v", p.state())
	}
	p.opens("127.0.0.1", socket, "binary,base64")
	p.shows("/ #")
	p.leaves()
}

// hiddenPage opens a websocket where the browser sends "Origin: null".
func hiddenPage(t *testing.T, b *browser, d *deployment, box string) {
	d = d.of(t)
	_, socket, err := d.client().ExecSession(t.Context(), box, "sh", true)
	if err != nil {
		t.Fatal(err)
	}
	script, err := json.Marshal(socket)
	if err != nil {
		t.Fatal(err)
	}
	p := b.page(t, d, box, "")
	p.goes("data:text/html,<title>hidden</title>")
	p.runs(`window.socket = new WebSocket(` + string(script) + `, ['binary']);
		socket.onopen = () => { window.ended = 'opened'; };
		socket.onclose = (end) => { window.ended ??= 'closed ' + end.code; };`)
	if ended := p.value("window.ended"); ended != "closed 1006" {
		t.Errorf("a page without an origin: %s", ended)
	}
}
