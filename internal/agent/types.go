package agent

import "io"

// Reader is read to its end.
type Reader = io.Reader

// Stream is a terminal's two-way byte path. CloseWrite ends stdin; Wait gives the
// exit code once the other side is done (-1 where there is none).
type Stream interface {
	io.ReadWriteCloser
	CloseWrite() error
	Wait() (exitCode int, err error)
}
