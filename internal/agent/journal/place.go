package journal

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"

	"github.com/go-zun/zun/internal/domain"
)

// place is a place between two entries of a log, told by what lies before it, so that
// it is found again wherever the engine has moved its files meanwhile. The anchor is
// the entry that raised the newest time so far; clocks are coarse, step back and are
// read by two writers at once, so other entries than the next may be as new or older,
// and those are counted.
type place struct {
	log    uint64 // of which engine object
	anchor int64  // time of the anchor in nanoseconds since 1970
	sum    uint32 // of the anchor's content
	count  uint64 // entries from the anchor on, itself included; 0: the place before all
}

func logSum(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64()
}

func entrySum(e Entry) uint32 {
	return crc32.Update(uint32(e.Stream), crc32.IEEETable, e.Data)
}

// pass moves p behind e.
func (p *place) pass(e Entry) {
	at := e.At.UnixNano()
	if p.count > 0 && at <= p.anchor {
		p.count++
		return
	}
	p.anchor, p.sum, p.count = at, entrySum(e), 1
}

const (
	placeForm = 1
	placeSize = 1 + 8 + 8 + 4 + 8
)

// cursor is p as followers carry it.
func (p *place) cursor() string {
	b := make([]byte, 0, placeSize)
	b = append(b, placeForm)
	b = binary.BigEndian.AppendUint64(b, p.log)
	b = binary.BigEndian.AppendUint64(b, uint64(p.anchor))
	b = binary.BigEndian.AppendUint32(b, p.sum)
	b = binary.BigEndian.AppendUint64(b, p.count)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parsePlace reads a cursor; one that is none of ours is an Invalid fault.
func parsePlace(cursor string) (place, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) != placeSize || b[0] != placeForm {
		return place{}, domain.NewFault(domain.Invalid, "invalid-cursor", "The cursor is not one that this service gave.")
	}
	return place{
		log: binary.BigEndian.Uint64(b[1:]), anchor: int64(binary.BigEndian.Uint64(b[9:])),
		sum: binary.BigEndian.Uint32(b[17:]), count: binary.BigEndian.Uint64(b[21:]),
	}, nil
}

// search finds a place in a log that is read from its oldest kept entry on.
type search struct {
	want   place
	passed uint64 // entries from the anchor on that were met
}

// verdict is what a search says of an entry.
type verdict int

const (
	before verdict = iota // the entry lies before the place
	last                  // the entry is the last before the place
	beyond                // the place is not in the log, and the entry comes after it
)

func (s *search) meet(e Entry) verdict {
	at := e.At.UnixNano()
	switch {
	case s.passed > 0:
		s.passed++
		if e.Lost || at > s.want.anchor {
			return beyond
		}
	case at < s.want.anchor:
		return before
	case at > s.want.anchor || entrySum(e) != s.want.sum:
		return beyond
	default:
		s.passed = 1
	}
	if s.passed == s.want.count {
		return last
	}
	return before
}
