// Package stream sends server-sent events to clients of which some are slow, and counts
// them, so that none can fill a process.
package stream

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// MediaType is that of the answers.
const MediaType = "text/event-stream"

// Writer writes one answer of events. What is written is sent by Flush.
type Writer struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
	buffer   bytes.Buffer
}

// Open begins the answer. patience is how long a client may take nothing.
func Open(w http.ResponseWriter, patience time.Duration) *Writer {
	w.Header().Set("Content-Type", MediaType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy would hold events back until it has enough of them
	w.WriteHeader(http.StatusOK)
	return &Writer{w: w, control: http.NewResponseController(w), patience: patience}
}

// Comment adds what clients skip.
func (s *Writer) Comment(text string) {
	fmt.Fprintf(&s.buffer, ": %s\n\n", text)
}

// Event adds an event; data and the names are of one line. An empty id is none.
func (s *Writer) Event(id, name string, data []byte) {
	if id != "" {
		fmt.Fprintf(&s.buffer, "id: %s\n", id)
	}
	fmt.Fprintf(&s.buffer, "event: %s\ndata: %s\n\n", name, data)
}

// Flush sends what was added and returns once the client's side has it, or an error
// when it is gone or took nothing for too long.
func (s *Writer) Flush() error {
	if err := s.until(time.Now().Add(s.patience)); err != nil {
		return err
	}
	if _, err := s.w.Write(s.buffer.Bytes()); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	s.buffer.Reset()
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	return nil
}

// Close lets the connection serve other requests.
func (s *Writer) Close() { _ = s.until(time.Time{}) }

// until bounds writing; a writer that cannot be bounded, as in some tests, is not.
func (s *Writer) until(deadline time.Time) error {
	if err := s.control.SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("bound the sending of events: %w", err)
	}
	return nil
}
