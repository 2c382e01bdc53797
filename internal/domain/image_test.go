package domain_test

import (
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

func TestSplitReference(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a1", 32)
	for reference, want := range map[string][2]string{
		"cirros":                               {"cirros", "latest"},
		"cirros:0.6":                           {"cirros", "0.6"},
		"library/cirros":                       {"library/cirros", "latest"},
		"registry.example:5000/a/b__c/d-e:v1":  {"registry.example:5000/a/b__c/d-e", "v1"},
		"Registry.Example/cirros":              {"Registry.Example/cirros", "latest"},
		"[fd00::1]:5000/cirros":                {"[fd00::1]:5000/cirros", "latest"},
		"localhost/cirros@" + digest:           {"localhost/cirros", digest},
		"cirros:0.6@" + digest:                 {"cirros", digest},
		domain.OwnReference("0aa6c4dc-8ce0-4"): {"own.zun.internal/0aa6c4dc-8ce0-4", "latest"},
	} {
		if repo, tag, ok := domain.SplitReference(reference); !ok || [2]string{repo, tag} != want {
			t.Errorf("%q: %q %q %v", reference, repo, tag, ok)
		}
	}
	for _, reference := range []string{
		"", ":", "@", "UPPER", "cirros\n", " cirros", "cirros:", "cirros: ", "cirros:x:y", "cirros:" + strings.Repeat("x", 129), "cirros@sha256:zz",
		"cirros@", "../../etc", "a//b", "/a", "a/", "a@b@c", "-a", "a-", "a..b", "a___b", strings.Repeat("a", 256), "répertoire", "a b/c", "a\x00b",
		"https://registry.example/cirros", "registry.example:port/cirros", "cirros:0.6@" + digest + "\n",
	} {
		if repo, tag, ok := domain.SplitReference(reference); ok {
			t.Errorf("%q is taken as %q %q", reference, repo, tag)
		}
	}
}
