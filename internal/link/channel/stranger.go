package channel

import (
	"fmt"
	"net"
	"time"
)

// What a connection may ask for that showed no certificate, which is enough to join: the
// bounds of messages are for peers, and a stranger's is read before anybody is asked for it.
const (
	strangerBytes = 64 << 10
	strangerTime  = time.Minute
)

// stranger is a connection without certificate, which ends once it took too much.
type stranger struct {
	net.Conn
	left int
	late *time.Timer
}

func newStranger(conn, raw net.Conn) *stranger {
	return &stranger{Conn: conn, left: strangerBytes, late: time.AfterFunc(strangerTime, func() { _ = raw.Close() })}
}

// Read implements net.Conn, for one reader.
func (s *stranger) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, fmt.Errorf("more than %d bytes without a certificate", strangerBytes)
	}
	n, err := s.Conn.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// Close implements net.Conn.
func (s *stranger) Close() error {
	s.late.Stop()
	return s.Conn.Close()
}
