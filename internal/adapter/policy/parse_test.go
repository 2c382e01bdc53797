package policy

import (
	"testing"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
)

// FuzzParse holds that no text makes the reader or the evaluator fail, and that putting
// a rule in parentheses, or in two negations, does not change it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "@", "!", "role:a and (not role:b or 'x':%(user_id)s)", "project_id:%(project_id)s)", "((", "not", "%(:)s", "'a':b", "-1:%(project_id)s"} {
		f.Add(text)
	}
	q := question{rules: &ruleset{checks: map[string]check{}}, actor: domain.Actor{UserID: "u", ProjectID: "p", Roles: []string{"a"}},
		target: rest.Target{ProjectID: "p", UserID: "u"}}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(text)
		if err != nil || len(tokenize(text)) == 0 {
			return
		}
		for _, same := range []string{"( " + text + " )", "not ( not ( " + text + " ) )"} {
			again, err := parse(same)
			if err != nil {
				continue // nested too deep now
			}
			if again.holds(q) != c.holds(q) {
				t.Errorf("%q and %q differ", text, same)
			}
		}
	})
}

func TestCompileIsLinear(t *testing.T) {
	sources := []source{{name: "r0", rule: "@"}}
	for i := 1; i < 60; i++ {
		before := sources[i-1].name
		sources = append(sources, source{name: before + "x", rule: "rule:" + before + " and rule:" + before})
	}
	if _, err := compile(sources); err != nil {
		t.Error(err)
	}
}
