package domain_test

import (
	"reflect"
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

func TestListsOfCPUs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ list, want string }{
		{"", ""}, {"0", "0"}, {"0-3", "0-3"}, {"3,1,2", "1-3"}, {" 0 , 2-3 ,3,7", "0,2-3,7"}, {"4-4", "4"}, {"0,1,,2\n", "0-2"},
	} {
		cpus, err := domain.ParseCPUs(c.list)
		if got := domain.FormatCPUs(cpus); err != nil || got != c.want {
			t.Errorf("%q is read as %q, %v, want %q", c.list, got, err, c.want)
		}
	}
	for _, junk := range []string{"a", "-1", "1-", "3-2", "0-99999999", "8192", "1.5", "0x1"} {
		if cpus, err := domain.ParseCPUs(junk); err == nil {
			t.Errorf("%q is read as %d CPUs", junk, len(cpus))
		}
	}
	if left := domain.WithoutCPUs([]int{0, 1, 2, 5}, []int{1, 5, 9}); !reflect.DeepEqual(left, []int{0, 2}) {
		t.Errorf("left are %v", left)
	}
}
