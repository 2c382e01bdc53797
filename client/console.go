package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/go-zun/zun/api"
)

// ExecSession prepares a command in a container that is joined with Console. With a
// terminal its input is echoed and its output is one stream.
func (c *Client) ExecSession(ctx context.Context, ident, command string, terminal bool) (execID, consoleURL string, err error) {
	var result api.ExecuteResult
	q := url.Values{"command": {command}, "run": {"false"}, "interactive": {strconv.FormatBool(terminal)}}
	err = c.do(ctx, call{method: http.MethodPost, path: item(ident) + "/execute", query: q}, &result)
	if err == nil && (result.ExecID == nil || result.ProxyURL == nil) {
		err = errors.New("the service answered without a session")
	}
	if err != nil {
		return "", "", err
	}
	return *result.ExecID, *result.ProxyURL, nil
}

// Attach returns the address at which the container's own terminal is joined with Console.
func (c *Client) Attach(ctx context.Context, ident string) (consoleURL string, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: item(ident) + "/attach"}, &consoleURL)
	return consoleURL, err
}

// Resize tells the terminal of a session, or the container's own if execID is empty,
// its size in characters.
func (c *Client) Resize(ctx context.Context, ident, execID string, width, height int) error {
	q := url.Values{"w": {strconv.Itoa(width)}, "h": {strconv.Itoa(height)}}
	verb := "/resize"
	if execID != "" {
		verb = "/execute_resize"
		q.Set("exec_id", execID)
	}
	return c.do(ctx, call{method: http.MethodPost, path: item(ident) + verb, query: q}, nil)
}

// consoleProtocol tells the end of input and the exit code; a service that does not
// know it speaks one of the older ones, which cannot.
const consoleProtocol = "console.zun.v1"

// maxPiece bounds one message that is sent, in bytes, and maxMessage one received.
const (
	maxPiece   = 32 << 10
	maxMessage = 16 << 20
)

// Console is a joined terminal: one reader and one writer may use it at once. Close
// ends it at any time.
type Console struct {
	conn   *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc
	ours   bool
	rest   []byte

	mu   sync.Mutex
	code *int
}

// Console joins the terminal behind an address from Attach or ExecSession, once. ctx
// is its life.
func (c *Client) Console(ctx context.Context, consoleURL string) (*Console, error) {
	conn, answer, err := websocket.Dial(ctx, consoleURL, &websocket.DialOptions{ //nolint:bodyclose // the library says it never needs to be
		HTTPClient: c.http, Subprotocols: []string{consoleProtocol, "binary"},
	})
	if err != nil {
		return nil, consoleRefused(answer, err)
	}
	conn.SetReadLimit(maxMessage)
	life, cancel := context.WithCancel(ctx)
	return &Console{conn: conn, ctx: life, cancel: cancel, ours: conn.Subprotocol() == consoleProtocol}, nil
}

// consoleRefused says why, without the address, because a ticket is in it.
func consoleRefused(answer *http.Response, err error) error {
	if answer != nil && answer.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10)) // what is readable of the reason
		return &Error{Status: answer.StatusCode, Title: "console refused: " + strings.TrimSpace(string(text))}
	}
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("open the console: %w", err)
}

// Read returns output; io.EOF when the terminal ended in order. Another end is an
// error with the reason that the service gave.
func (c *Console) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		kind, data, err := c.conn.Read(c.ctx)
		if err != nil {
			return 0, consoleEnd(err)
		}
		if c.ours && kind == websocket.MessageText {
			c.signal(data)
			continue
		}
		c.rest = data
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *Console) signal(data []byte) {
	var s struct {
		Type string `json:"type"`
		Code *int   `json:"code"`
	}
	if json.Unmarshal(data, &s) == nil && s.Type == "exit" {
		c.mu.Lock()
		c.code = s.Code
		c.mu.Unlock()
	}
}

func consoleEnd(err error) error {
	var end websocket.CloseError
	switch {
	case !errors.As(err, &end):
		return fmt.Errorf("the console broke: %w", err)
	case end.Code == websocket.StatusNormalClosure:
		return io.EOF
	default:
		return fmt.Errorf("the console was closed: %s (%d)", end.Reason, end.Code)
	}
}

// Write sends input. It waits while the terminal takes none.
func (c *Console) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), maxPiece)
		if err := c.conn.Write(c.ctx, websocket.MessageBinary, p[:n]); err != nil {
			return written, fmt.Errorf("send to the console: %w", err)
		}
		written += n
		p = p[n:]
	}
	return written, nil
}

// CloseWrite ends the input; output goes on. A service that speaks an older protocol
// cannot be told, and the terminal goes on waiting.
func (c *Console) CloseWrite() error {
	if !c.ours {
		return nil
	}
	return c.conn.Write(c.ctx, websocket.MessageText, []byte(`{"type":"eof"}`))
}

// ExitCode is that of the process, once Read returned io.EOF; false if the service
// did not tell one.
func (c *Console) ExitCode() (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code == nil {
		return 0, false
	}
	return *c.code, true
}

// Close ends the console.
func (c *Console) Close() error {
	err := c.conn.CloseNow()
	c.cancel()
	return err
}
