package logfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/go-zun/zun/internal/agent/journal"
)

const (
	bufferSize = 64 << 10
	// maxLine bounds a line of the file in bytes. Docker cuts output at 16 KiB, of which
	// every byte may become an escape of six.
	maxLine = 256 << 10
	// maxFiles bounds how many rotated files are looked for.
	maxFiles = 100
	// tries is how often the files are listed anew because they were rotated meanwhile.
	tries = 10
)

// Reader reads the log at a path and what was rotated away from it: path.1 is older
// than path, path.2 older than that. It is a journal.Reader for one goroutine.
type Reader struct {
	path   string
	files  []*os.File // the one that is read, and newer ones that were found with it
	buffer *bufio.Reader
	offset int64  // of the bytes that were read from files[0]
	begun  []byte // of a line whose end is not written yet
	final  bool   // files[0] was rotated: Docker writes to it no more
	lost   bool   // of the next entry
	long   bool   // the line that is read is longer than any may be
}

var _ journal.Reader = (*Reader)(nil)

// Open opens the log at path from its oldest file on. An error is one of reading.
func Open(path string) (*Reader, error) {
	files, err := list(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{path: path, files: files, buffer: bufio.NewReaderSize(nil, bufferSize), lost: len(files) > 1}
	r.rewind()
	return r, nil
}

// list opens the files of the log, oldest first. It is done again if they were rotated
// while it was done, so that none is missing in the middle. Without the newest, which
// is missing for a moment in a rotation, there is an error that is fs.ErrNotExist.
func list(path string) ([]*os.File, error) {
	for range tries {
		files, err := listOnce(path)
		if err != nil {
			return nil, err
		}
		if is(path, files[len(files)-1]) {
			return files, nil
		}
		closeAll(files)
	}
	return nil, fmt.Errorf("list the files of the log: they are rotated faster than they can be opened: %w", fs.ErrNotExist)
}

func listOnce(path string) ([]*os.File, error) {
	var files []*os.File
	for n := range maxFiles {
		name := path
		if n > 0 {
			name += "." + strconv.Itoa(n)
		}
		f, err := os.Open(name)
		if n > 0 && errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			closeAll(files)
			return nil, fmt.Errorf("open the log: %w", err)
		}
		files = append([]*os.File{f}, files...)
	}
	return files, nil
}

// is says whether path names f at present.
func is(path string, f *os.File) bool {
	at, err := os.Stat(path)
	if err != nil {
		return false
	}
	own, err := f.Stat()
	return err == nil && os.SameFile(at, own)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // it was only read
	}
}

// Close implements journal.Reader.
func (r *Reader) Close() error {
	closeAll(r.files)
	r.files = nil
	return nil
}

// Next implements journal.Reader.
func (r *Reader) Next() (journal.Entry, error) {
	for {
		text, err := r.line()
		if errors.Is(err, io.EOF) {
			var more bool
			if more, err = r.advance(); err == nil && more {
				continue
			}
			if err == nil {
				err = io.EOF
			}
		}
		if err != nil {
			return journal.Entry{}, err
		}
		e, err := parse(text)
		if err != nil {
			r.lost = true // such as what a full disk left of a line
			continue
		}
		e.Lost, r.lost = r.lost, false
		return e, nil
	}
}

// line returns the next whole line, good until the next call, or io.EOF.
func (r *Reader) line() ([]byte, error) {
	for {
		part, err := r.buffer.ReadSlice('\n')
		r.offset += int64(len(part))
		if err == nil && len(r.begun) == 0 && !r.long {
			return part[:len(part)-1], nil
		}
		if len(r.begun)+len(part) > maxLine {
			r.long, r.begun = true, r.begun[:0]
		}
		if !r.long {
			r.begun = append(r.begun, part...)
		}
		switch {
		case err == nil && r.long:
			r.long, r.lost = false, true
		case err == nil:
			whole := r.begun[:len(r.begun)-1]
			r.begun = r.begun[:0]
			return whole, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		default:
			return nil, fmt.Errorf("read the log: %w", err)
		}
	}
}

// advance is asked at the end of a file, and says whether there is more to read.
func (r *Reader) advance() (more bool, err error) {
	if len(r.files) > 1 {
		r.turn()
		return true, nil
	}
	if r.final {
		return r.succeed()
	}
	if is(r.path, r.files[0]) {
		return r.cut()
	}
	// Docker closes a file before it renames it. What it wrote last may have come after
	// the end was met, so the file is read once more.
	r.final = true
	return true, nil
}

// turn goes on to the next file.
func (r *Reader) turn() {
	_ = r.files[0].Close() // it was only read
	r.files = r.files[1:]
	r.rewind()
}

func (r *Reader) rewind() {
	r.lost = r.lost || len(r.begun) > 0 || r.long
	r.begun, r.long, r.offset, r.final = r.begun[:0], false, 0, false
	r.buffer.Reset(r.files[0])
}

// cut begins again where the file was made empty.
func (r *Reader) cut() (more bool, err error) {
	now, err := r.files[0].Stat()
	if err != nil {
		return false, fmt.Errorf("look at the log: %w", err)
	}
	if now.Size() >= r.offset {
		return false, nil
	}
	if _, err := r.files[0].Seek(0, io.SeekStart); err != nil {
		return false, fmt.Errorf("go back in the log: %w", err)
	}
	r.rewind()
	r.lost = true
	return true, nil
}

// succeed finds the files that came after the one that was read to its end. If that
// one is not among them, others may have come and gone between.
func (r *Reader) succeed() (more bool, err error) {
	files, err := list(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // in the middle of a rotation, or removed with the container
	}
	if err != nil {
		return false, err
	}
	own, err := r.files[0].Stat()
	if err != nil {
		closeAll(files)
		return false, fmt.Errorf("look at the log: %w", err)
	}
	for i, f := range files {
		if at, err := f.Stat(); err == nil && os.SameFile(at, own) {
			closeAll(files[:i+1])
			if i+1 == len(files) { // it was renamed back
				return false, nil
			}
			r.follow(files[i+1:])
			return true, nil
		}
	}
	r.lost = true
	r.follow(files)
	return true, nil
}

func (r *Reader) follow(files []*os.File) {
	r.files = append(r.files[:1], files...)
	r.turn()
}
