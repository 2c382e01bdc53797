package term

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/coder/websocket"
)

// Subprotocol is our own: binary messages are bytes of the terminal, text messages
// are signals. It tells what the older ones cannot: the end of input and the exit code.
const Subprotocol = "console.zun.v1"

// subprotocols lists what the door speaks, the best first. A client that offers none
// gets binary messages.
func subprotocols() []string { return []string{Subprotocol, "binary", "base64"} }

// maxSignal bounds a signal in bytes.
const maxSignal = 4 << 10

// signal is a text message of our own subprotocol.
type signal struct {
	Type string `json:"type"`           // "eof" from the user, "exit" from the door
	Code *int   `json:"code,omitempty"` // with exit, if the process had one
}

// errMalformed is a message that the subprotocol does not know.
var errMalformed = errors.New("malformed message")

// coding turns messages into bytes of the terminal and back.
type coding struct {
	conn *websocket.Conn
	ours bool
	text bool // base64 in text messages
}

func codingOf(conn *websocket.Conn) coding {
	return coding{conn: conn, ours: conn.Subprotocol() == Subprotocol, text: conn.Subprotocol() == "base64"}
}

// next waits for a message and returns its bytes as they come; eof says that the
// user has no more input.
func (c coding) next(ctx context.Context) (bytes io.Reader, eof bool, err error) {
	kind, r, err := c.conn.Reader(ctx)
	switch {
	case err != nil:
		return nil, false, err
	case c.text:
		return base64.NewDecoder(base64.StdEncoding, r), false, nil
	case c.ours && kind == websocket.MessageText:
		return nil, true, readEOF(r)
	default: // older clients send bytes in messages of either kind
		return r, false, nil
	}
}

func readEOF(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, maxSignal+1))
	if err != nil {
		return err
	}
	var s signal
	if len(raw) > maxSignal || json.Unmarshal(raw, &s) != nil || s.Type != "eof" {
		return errMalformed
	}
	return nil
}

// send sends bytes of the terminal as one message.
func (c coding) send(ctx context.Context, data []byte) error {
	if c.text {
		return c.conn.Write(ctx, websocket.MessageText, base64.StdEncoding.AppendEncode(nil, data))
	}
	return c.conn.Write(ctx, websocket.MessageBinary, data)
}

// exit tells the exit code where the subprotocol can.
func (c coding) exit(ctx context.Context, code int) error {
	if !c.ours {
		return nil
	}
	s := signal{Type: "exit"}
	if code >= 0 {
		s.Code = &code
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the exit code: %w", err)
	}
	return c.conn.Write(ctx, websocket.MessageText, raw)
}
