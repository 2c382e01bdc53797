package docker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/go-zun/zun/internal/domain"
)

// demux reads the engine's framing of two streams: eight bytes that tell stream and
// length, then so many bytes.
type demux struct {
	source *bufio.Reader
	stream domain.LogStream
	left   uint32
}

// engineFrame is as much as the engine frames at once, with what it tells of it.
const engineFrame = 8 + 32<<10

// newDemux reads ahead by a frame at most, so that one comes in one piece: to read its
// head alone would tear it, and every piece costs a message on each leg of its way.
func newDemux(source io.Reader) *demux {
	return &demux{source: bufio.NewReaderSize(source, engineFrame)}
}

// Read implements io.Reader: the bytes of both streams in the order they came.
func (d *demux) Read(p []byte) (int, error) {
	for d.left == 0 {
		if err := d.header(); err != nil {
			return 0, err
		}
	}
	n, err := d.source.Read(p[:min(uint32(len(p)), d.left)])
	d.left -= uint32(n)
	if errors.Is(err, io.EOF) && d.left > 0 {
		err = io.ErrUnexpectedEOF // within a frame only a lost engine ends
	}
	return n, err
}

func (d *demux) header() error {
	var head [8]byte
	if _, err := io.ReadFull(d.source, head[:]); err != nil {
		return err // io.EOF between frames is the end
	}
	d.stream = domain.Stdout
	if head[0] == 2 {
		d.stream = domain.Stderr
	}
	d.left = binary.BigEndian.Uint32(head[4:])
	return nil
}
