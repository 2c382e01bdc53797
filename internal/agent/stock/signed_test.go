package stock_test

import (
	"context"
	"slices"
	"testing"

	"github.com/go-zun/zun/internal/agent/stock"
	"github.com/go-zun/zun/internal/domain"
)

// signs are a notary that knows which digests are signed by which key.
type signs struct {
	by    map[string]string
	asked int
}

func (s *signs) Verify(_ context.Context, reference, digest string, _ *domain.PullSecret, keys []string) error {
	s.asked++
	if !slices.Contains(keys, s.by[digest]) {
		return domain.NewFault(domain.Forbidden, "image-not-signed", "%s is not signed", reference)
	}
	return nil
}

func (s *shop) notary() stock.Notary {
	if s.signs == nil {
		return nil
	}
	return s.signs
}

// readySigned asks for an image that one of keys must have signed.
func (s *shop) readySigned(ref string, policy domain.PullPolicy, keys ...string) string {
	s.t.Helper()
	_, err := s.stock.Ready(s.t.Context(), domain.Assignment{ProjectID: "p1", ImageKeys: keys, Spec: domain.Spec{Image: ref, PullPolicy: policy}}, nil)
	if err == nil {
		return ""
	}
	return domain.AsFault(err).Code
}

func TestWhatMustBeSignedIs(t *testing.T) {
	s := open(t)
	s.sell(public, "a", "")
	s.want("nobody verifies", s.readySigned(public, always, "key"), "operation-not-supported")
	s.signs = &signs{by: map[string]string{digest("a"): "key"}}
	s.restart()
	for _, policy := range []domain.PullPolicy{always, missing, never} {
		s.want("signed, "+string(policy), s.readySigned(public, policy, "other", "key"), "")
		s.want("by another key, "+string(policy), s.readySigned(public, policy, "other"), "image-not-signed")
	}
	if s.signs.asked != 4 {
		t.Errorf("asked %d times; what was verified once is known", s.signs.asked)
	}
	s.want("none demanded", s.readySigned(public, missing), "")
	s.sell("reg.example/new:1", "b", "")
	s.want("another image", s.readySigned("reg.example/new:1", always, "key"), "image-not-signed")
	order := domain.ImageOrder{Reference: public, ProjectID: "admins", Keys: []string{"other"}}
	if _, err := s.stock.Pull(t.Context(), order, nil); !domain.IsKind(err, domain.Forbidden) {
		t.Errorf("pulled for an administrator: %v", err)
	}
}
