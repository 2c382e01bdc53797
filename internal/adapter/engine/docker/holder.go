package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/domain"
)

// holderImage is the image of a sandbox: one program that waits for ever. It is made
// here, so that no registry is needed for a network namespace.
const holderImage = "zun-sandbox:1"

// holderCode is the program: it asks the kernel to wait, and again. Holding a
// namespace takes nothing more: members have processes of their own to look after.
func holderCode(arch string) (machine uint16, code []byte, err error) {
	switch arch {
	case "amd64": // mov eax, 34 (pause); syscall; jmp to the start
		return 62, []byte{0xb8, 0x22, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7}, nil
	case "arm64": // x0 to x4 = 0; x8 = 73 (ppoll); svc 0; branch to the start
		var b []byte
		for _, word := range []uint32{0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800004, 0xd2800928, 0xd4000001, 0x17fffff9} {
			b = binary.LittleEndian.AppendUint32(b, word)
		}
		return 183, b, nil
	default:
		return 0, nil, domain.NewFault(domain.Unsupported, "unknown-architecture", "This host's architecture, %s, has no sandbox program.", arch)
	}
}

// The layout of a 64-bit ELF file with one loaded segment and nothing else.
const (
	elfHeaderSize  = 64
	elfSegmentSize = 56
	elfBase        = 0x400000
)

// holderProgram returns the program as an executable file.
func holderProgram(arch string) ([]byte, error) {
	machine, code, err := holderCode(arch)
	if err != nil {
		return nil, err
	}
	size := uint64(elfHeaderSize + elfSegmentSize + len(code))
	var b bytes.Buffer
	b.Write([]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}) // 64-bit, little-endian, version 1, System V
	le := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v) // a Buffer takes everything
		}
	}
	const executable, version = uint16(2), uint32(1)
	le(executable, machine, version, uint64(elfBase+elfHeaderSize+elfSegmentSize), uint64(elfHeaderSize), uint64(0), uint32(0))
	le(uint16(elfHeaderSize), uint16(elfSegmentSize), uint16(1), uint16(0), uint16(0), uint16(0))
	const load, readable = uint32(1), uint32(5) // read and execute
	le(load, readable, uint64(0), uint64(elfBase), uint64(elfBase), size, size, uint64(0x1000))
	b.Write(code)
	return b.Bytes(), nil
}

// holderTree is the image's content.
func holderTree(arch string) (io.Reader, error) {
	program, err := holderProgram(arch)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "hold", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}); err != nil {
		return nil, fmt.Errorf("pack the sandbox image: %w", err)
	}
	if _, err := w.Write(program); err != nil {
		return nil, fmt.Errorf("pack the sandbox image: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack the sandbox image: %w", err)
	}
	return &b, nil
}

// haveHolder makes the holder's image unless the engine has it. An operator may
// remove it at any time, so the memory of having made it is dropped by loseHolder.
func (e *Engine) haveHolder(ctx context.Context) error {
	e.holderOnce.Lock()
	defer e.holderOnce.Unlock()
	if e.holderMade {
		return nil
	}
	if _, err := e.api.ImageInspect(ctx, holderImage); err == nil {
		e.holderMade = true
		return nil
	} else if f := fault(err); f.Kind != domain.NotFound {
		return f
	}
	tree, err := holderTree(architecture())
	if err != nil {
		return err
	}
	imported, err := e.api.ImageImport(ctx, client.ImageImportSource{Source: tree, SourceName: "-"}, holderImage,
		client.ImageImportOptions{Changes: []string{`ENTRYPOINT ["/hold"]`}})
	if err != nil {
		return fault(err)
	}
	_, err = io.Copy(io.Discard, imported)
	if cerr := imported.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fault(err)
	}
	e.holderMade = true
	return nil
}

func (e *Engine) loseHolder() {
	e.holderOnce.Lock()
	defer e.holderOnce.Unlock()
	e.holderMade = false
}
