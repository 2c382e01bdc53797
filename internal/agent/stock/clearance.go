package stock

import (
	"slices"
	"time"

	"github.com/go-zun/zun/internal/domain"
)

// verdict is what follows from what is known of an image and a project.
type verdict uint8

const (
	cleared verdict = iota
	ask             // the registry, with the project's credential
	denied
)

// claimant is a project that wants an image that is on the host.
type claimant struct {
	project string
	print   string // of the credential that it comes with
	policy  domain.PullPolicy
	now     time.Time
	public  time.Duration // how long a registry's answer for anybody is believed
}

// judge says whether the claimant may use the image. Without a registry that may be
// asked, as the policy never wants it, any earlier authorisation of the project holds,
// and one for everybody however old.
func (c clearance) judge(who claimant) verdict {
	switch {
	case !c.Public.IsZero() && who.now.Sub(c.Public) < who.public:
		return cleared
	case who.policy == domain.PullNever && (len(c.Grants[who.project]) > 0 || !c.Public.IsZero()):
		return cleared
	case who.policy == domain.PullNever:
		return denied
	case slices.Contains(c.Grants[who.project], who.print):
		return cleared
	}
	return ask
}
