package control

import (
	"io"

	"github.com/go-zun/zun/internal/domain"
)

// LogSink receives log chunks in order; an error it returns ends the reading.
type LogSink func(stream domain.LogStream, chunk []byte) error

// FollowSink receives records of a followed log in order, several at once; an error it
// returns ends the following.
type FollowSink func([]domain.FollowRecord) error

// ByteSink receives chunks in order; an error it returns ends the transfer.
type ByteSink func(chunk []byte) error

// ByteSource is read to its end.
type ByteSource = io.Reader

// Stream is a terminal's two-way byte path. CloseWrite ends stdin; Wait gives the
// exit code once the other side is done (-1 where there is none).
type Stream interface {
	io.ReadWriteCloser
	CloseWrite() error
	Wait() (exitCode int, err error)
}
