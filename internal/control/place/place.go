// Package place is the scheduler: one pure function over a snapshot of the fleet.
// It reads no clock and no store; what it needs to know is in its arguments, and
// the only chance it takes is the source of tie-breaks that it is given.
package place

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// Snapshot is the fleet at one moment.
type Snapshot struct {
	Hosts     []domain.Host
	Now       time.Time // the database's clock, like the hosts' beats
	DownAfter time.Duration
	Ratios    Ratios
}

// Need is what one container asks of a host.
type Need struct {
	Claim     domain.Claim
	DiskBound bool   // the container's own layer is to be held to a size
	Volumes   bool   // volumes of a size are to be made
	Zone      string // empty: any
	Runtime   string // empty: the host's own
	Host      string // requested host by name, empty: any
	Dedicated bool   // the CPUs are to be its alone
	// Held is, by host, what others have for themselves, if it wants CPUs of its own.
	Held    map[string][]Holding
	Labels  map[string]string
	Bonds   []Bond
	Devices []DeviceRequest
	Refused []string // ids of hosts that refused this container already
}

// DeviceRequest asks for PCI devices to pass through. Requests come from ports of the
// network service that are bound to hardware.
type DeviceRequest struct {
	Count           int
	VendorID        string // empty: any, like the others
	ProductID       string
	PhysicalNetwork string
}

// NeedOf returns the need of a container of spec that the hosts in refused will not have.
func NeedOf(spec domain.Spec, refused []string) Need {
	n := Need{
		Claim: domain.ClaimOf(spec), DiskBound: spec.DiskGB > 0, Volumes: domain.VolumeGB(spec.Mounts) > 0, Zone: spec.Zone, Runtime: spec.Runtime,
		Host: spec.RequestedHost, Dedicated: spec.CPUPolicy == domain.CPUDedicated, Refused: refused,
	}
	// Hints that cannot be obeyed were refused when the container was accepted.
	if wishes, err := ReadHints(spec.Hints); err == nil {
		n.Labels, n.Bonds = wishes.Labels, wishes.Bonds
	}
	return n
}

// Reasons counts, by filter, the hosts that the filter turned away; a host is
// counted at the first filter it fails.
type Reasons map[string]int

// String lists the reasons in alphabetical order, for the log.
func (r Reasons) String() string {
	names := make([]string, 0, len(r))
	for name := range r {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = name + ": " + strconv.Itoa(r[name])
	}
	return strings.Join(names, ", ")
}

// Picker chooses a host. The zero Picker has no filter and no weigher; Default
// returns the one that the service uses.
type Picker struct {
	Filters  []Filter
	Weighers []Weigher
	// Enough bounds the search: once that many hosts fit, the best of them is taken.
	// 0 looks at all. A random start keeps the choice fair, and a bound keeps a
	// decision cheap in a fleet of thousands.
	Enough int
	// Rand returns a number in [0, n); it picks the start and breaks ties.
	Rand func(n int) int
}

// Default returns the picker with every filter and weigher of this package.
func Default(rand func(n int) int) Picker {
	p, _ := Options{}.Picker(rand) // the zero options name nothing that could be unknown
	return p
}

// Pick returns the best host of s for n, or false and why no host fits.
func (p Picker) Pick(s Snapshot, n Need) (domain.Host, Reasons, bool) {
	count := len(s.Hosts)
	if count == 0 {
		return domain.Host{}, Reasons{"no host": 0}, false
	}
	start := p.Rand(count)
	reasons := Reasons{}
	var fits []candidate
	for i := range count {
		h := &s.Hosts[(start+i)%count]
		if failed, out := p.firstFailure(&s, h, &n); out {
			reasons[failed]++
			continue
		}
		fits = append(fits, candidate{host: h, weight: p.weigh(&s, h, &n)})
		if p.Enough > 0 && len(fits) == p.Enough && !n.choosy() {
			break
		}
	}
	if len(fits) == 0 {
		return domain.Host{}, reasons, false
	}
	return *p.best(fits), reasons, true
}

// choosy says that only a look at every host finds the one that is wished for.
func (n *Need) choosy() bool {
	return slices.ContainsFunc(n.Bonds, func(b Bond) bool { return b.Soft })
}

type candidate struct {
	host   *domain.Host
	weight float64
}

func (p Picker) firstFailure(s *Snapshot, h *domain.Host, n *Need) (string, bool) {
	for _, f := range p.Filters {
		if !f.Passes(s, h, n) {
			return f.Name, true
		}
	}
	return "", false
}

func (p Picker) weigh(s *Snapshot, h *domain.Host, n *Need) float64 {
	sum := 0.0
	for _, w := range p.Weighers {
		sum += w.Factor * w.Weigh(s, h, n)
	}
	return sum
}

func (p Picker) best(fits []candidate) *domain.Host {
	sort.SliceStable(fits, func(i, j int) bool { return fits[i].weight > fits[j].weight })
	ties := 1
	for ties < len(fits) && fits[ties].weight == fits[0].weight {
		ties++
	}
	return fits[p.Rand(ties)].host
}
