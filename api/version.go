package api

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a microversion such as 1.20. The zero Version is older than any.
type Version struct {
	Major, Minor int
}

// The range that a server of this release speaks.
var (
	MinVersion = Version{1, 1}  //nolint:gochecknoglobals // a constant; Go has no constant structs
	MaxVersion = Version{1, 40} //nolint:gochecknoglobals // a constant; Go has no constant structs
)

// The headers and the word of microversion negotiation. A header's value is
// "container 1.20" or "container latest".
const (
	HeaderVersion    = "OpenStack-API-Version"
	HeaderMinVersion = "OpenStack-API-Minimum-Version"
	HeaderMaxVersion = "OpenStack-API-Maximum-Version"
	HeaderRequestID  = "X-Openstack-Request-Id"
	HeaderToken      = "X-Auth-Token"
	ServiceType      = "container"
	Latest           = "latest"
)

// maxMinorDigits bounds how long a version's numbers may be written.
const maxMinorDigits = 9

// ParseVersion reads "1.20"; leading zeros are tolerated, signs and blanks are not.
func ParseVersion(s string) (Version, error) {
	major, minor, found := strings.Cut(s, ".")
	if !found {
		return Version{}, fmt.Errorf("version %q has no dot", s)
	}
	a, errMajor := parseNumber(major)
	b, errMinor := parseNumber(minor)
	if errMajor != nil || errMinor != nil {
		return Version{}, fmt.Errorf("version %q is not of the form number.number", s)
	}
	return Version{Major: a, Minor: b}, nil
}

func parseNumber(s string) (int, error) {
	trimmed := strings.TrimLeft(s, "0")
	if trimmed == "" && s != "" {
		return 0, nil
	}
	if len(trimmed) > maxMinorDigits {
		return 0, strconv.ErrRange
	}
	n, err := strconv.ParseUint(trimmed, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("read number: %w", err)
	}
	return int(n), nil
}

// String writes v as "1.20".
func (v Version) String() string {
	return strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor)
}

// Compare is negative, zero or positive as v is older than, equal to or newer than w.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor))
}

// Before says whether v is older than w.
func (v Version) Before(w Version) bool { return v.Compare(w) < 0 }

// Within says whether v lies in the closed range from low to high; a zero bound is open.
func (v Version) Within(low, high Version) bool {
	return (low == Version{} || !v.Before(low)) && (high == Version{} || !high.Before(v))
}

// Has says whether behaviour b is in force at v.
func (v Version) Has(b Behaviour) bool { return !v.Before(b.Since()) }

// IsZero says whether v is no version at all.
func (v Version) IsZero() bool { return v == Version{} }
