package domain_test

import (
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

func TestNumber(t *testing.T) {
	nics := func(ports ...string) (all []domain.Nic) {
		for _, p := range ports {
			all = append(all, domain.Nic{PortID: p})
		}
		return all
	}
	numbers := func(all []domain.Nic) string {
		text := ""
		for _, n := range all {
			text += n.PortID + string(rune('0'+n.Index)) + " "
		}
		return text
	}
	first := domain.Number(nil, nics("a", "b", "c"))
	if got := numbers(first); got != "a0 b1 c2 " {
		t.Errorf("new ones are %s", got)
	}
	if got := numbers(domain.Number(first, nics("b", "c"))); got != "b1 c2 " {
		t.Errorf("what stays is renamed: %s", got)
	}
	if got := numbers(domain.Number(first[1:], nics("d", "b", "c", "e"))); got != "d0 b1 c2 e3 " {
		t.Errorf("with new ones: %s", got)
	}
}
