//go:build integration

package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser is one headless Chromium.
type browser struct{ ctx context.Context }

func newBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-gpu", true),
	)
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &browser{ctx: ctx}
}

// page is one tab with the page of this folder in it.
type page struct {
	t      *testing.T
	ctx    context.Context
	server *httptest.Server
}

// page opens a tab. Its page tells the terminal's size through a server of its own,
// as a dashboard does.
func (b *browser) page(t *testing.T, d *deployment, box, execID string) *page {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("page")))
	mux.Handle("/xterm/", http.StripPrefix("/xterm/", http.FileServer(http.Dir(must(t, "ZUN_TEST_XTERM")))))
	api := d.client()
	mux.HandleFunc("POST /size", func(w http.ResponseWriter, r *http.Request) {
		width, _ := strconv.Atoi(r.FormValue("w"))
		height, _ := strconv.Atoi(r.FormValue("h"))
		if err := api.Resize(r.Context(), box, execID, width, height); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	p := &page{t: t, ctx: ctx, server: server}
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as ctx and not as a bounded one
		t.Fatalf("open a tab: %v", err)
	}
	return p
}

// do acts within the test's patience.
func (p *page) do(what string, action chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, action); err != nil {
		p.t.Fatalf("%s: %v\n%+v\nthe screen: %q", what, err, p.state(), p.screen())
	}
}

func (p *page) goes(address string) {
	p.t.Helper()
	p.do("go to the page", chromedp.Navigate(address))
}

// visits goes to the page under the name of a host.
func (p *page) visits(host, socket, protocols string) {
	p.t.Helper()
	u, err := url.Parse(p.server.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	u.Host = host + ":" + u.Port()
	u.RawQuery = url.Values{"socket": {socket}, "protocols": {protocols}}.Encode()
	p.goes(u.String())
}

// opens goes to the page under the name of a host and waits for its console.
func (p *page) opens(host, socket, protocols string) {
	p.t.Helper()
	p.visits(host, socket, protocols)
	p.until("the console opens", "console_.opened && console_.sized !== ''")
}

func often() []chromedp.PollOption {
	return []chromedp.PollOption{chromedp.WithPollingInterval(20 * time.Millisecond), chromedp.WithPollingTimeout(patience)}
}

// until waits for a condition in the page.
func (p *page) until(what, condition string) {
	p.t.Helper()
	p.do(what, chromedp.Poll[chromedp.Void](condition, often()...))
}

// value waits for a text that the page sets.
func (p *page) value(expression string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Poll[string](expression, often()...))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return text
}

// runs runs a script in the page.
func (p *page) runs(script string) {
	p.t.Helper()
	p.do("run a script", chromedp.Evaluate[chromedp.Void](script))
}

func (p *page) shows(text string) {
	p.t.Helper()
	wanted, err := json.Marshal(text)
	if err != nil {
		p.t.Fatal(err)
	}
	p.until(text+" on the screen", "console_.screen().includes("+string(wanted)+")")
}

func (p *page) screen() string {
	text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string]("console_.screen()"))
	return text
}

// types presses the keys of a text.
func (p *page) types(text string) {
	p.t.Helper()
	p.do("type", press(text))
}

// holds presses a key while Control is down.
func (p *page) holds(key string) {
	p.t.Helper()
	p.do("type with Control", chromedp.KeyEvent(key, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
}

// press presses keys as a keyboard does: the character comes with the key that goes
// down, so that a page which handles the one is not told of the other.
func press(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, letter := range text {
			stroke := kb.Encode(letter)
			down, up := *stroke[0], *stroke[len(stroke)-1]
			down.Text, down.UnmodifiedText = string(letter), string(letter)
			for _, event := range []input.DispatchKeyEventParams{down, up} {
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, event); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// shapes sets the size of the window in pixels and waits until the service knows it.
func (p *page) shapes(width, height int64) {
	p.t.Helper()
	p.do("resize the window", chromedp.EmulateViewport(width, height))
	p.until("the new size is known", fmt.Sprintf("console_.sized === '%dx%d'", width/9, height/18))
}

// closing is how the browser saw the console end.
type closing struct {
	Code   int    `json:"code"`
	Reason string `json:"reason"`
	Clean  bool   `json:"clean"`
}

// looks is what the page tells of its console.
type looks struct {
	Opened   bool     `json:"opened"`
	Protocol string   `json:"protocol"`
	Sized    string   `json:"sized"`
	Closed   *closing `json:"closed"`
}

func (p *page) state() looks {
	now, _ := chromedp.Run(p.ctx, chromedp.Evaluate[looks]("console_"))
	return now
}

// ends waits for the close.
func (p *page) ends() closing {
	p.t.Helper()
	p.until("the console ends", "console_.closed !== null")
	return *p.state().Closed
}

// leaves closes the page, as a user does who has enough.
func (p *page) leaves() {
	p.t.Helper()
	p.goes("about:blank")
}
