package schema_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/schema"
)

func refusal(tb testing.TB, operation schema.Operation, body string, inQuery ...string) string {
	tb.Helper()
	set, err := schema.NewSet(schema.DefaultLimits())
	if err != nil {
		tb.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var args schema.Object
	if err := decoder.Decode(&args); err != nil {
		tb.Fatal(err)
	}
	from := schema.Origin{Body: []byte(body), InQuery: map[string]bool{}}
	for _, name := range inQuery {
		from.InQuery[name] = true
	}
	err = set.For(operation, api.MaxVersion).Check(args, from)
	if err == nil {
		return ""
	}
	return domain.AsFault(err).Message
}

func TestARefusalRepeatsTheRuleAndTheValue(t *testing.T) {
	for _, c := range []struct {
		operation         schema.Operation
		body, query, want string
	}{
		{schema.CreateContainer, `{"image": "busybox", "restart_policy": {"Name": "foo"}}`, "", `Invalid input for field 'Name'.Value: 'foo'. 'foo' is not one of ['no', 'always', 'on-failure', 'unless-stopped']

Failed validating 'enum' in schema['properties']['restart_policy']['properties']['Name']:
    {'enum': ['no', 'always', 'on-failure', 'unless-stopped'],
     'type': ['string']}

On instance['restart_policy']:
    'foo'`},
		{schema.Resize, `{"h": "a", "w": "1"}`, "h", `Invalid input for query parameters 'h'. Value: 'a'. 'a' does not match '^[0-9]*$'

Failed validating 'pattern' in schema['properties']['h']:
    {'minimum': 1, 'pattern': '^[0-9]*$', 'type': ['integer', 'string']}

On instance:
    'a'`},
		{schema.UpdateQuota, `{"containers": "-2"}`, "", `Invalid input for field 'containers'.Value: '-2'. -2 is less than the minimum of -1

Failed validating 'minimum' in schema['properties']['containers']:
    {'minimum': -1, 'pattern': '^-?[0-9]+$', 'type': ['integer', 'string']}

On instance:
    '-2'`},
	} {
		if got := refusal(t, c.operation, c.body, c.query); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.body, got, c.want)
		}
	}
}

func TestARuleThatIsStricterThanItWasIsShownWhenItIsBroken(t *testing.T) {
	got := refusal(t, schema.Stop, `{"timeout": 99999999999}`)
	if !strings.Contains(got, "99999999999 is greater than the maximum of 2147483647\n\nFailed validating 'maximum'") ||
		!strings.Contains(got, "{'maximum': 2147483647,") {
		t.Error(got)
	}
	if got := refusal(t, schema.Stop, `{"timeout": "x"}`); strings.Contains(got, "2147483647") {
		t.Error(got)
	}
}

func TestMembersAreToldAsTheyWereSent(t *testing.T) {
	got := refusal(t, schema.CreateContainer, `{"image": "busybox", "security_groups": ["default"], "exposed_ports": {"80": {}}}`)
	if want := "{'image': 'busybox', 'security_groups': ['default'], 'exposed_ports': {'80': {}}} should not be valid under " +
		"{'required': ['security_groups', 'exposed_ports']}"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	got = refusal(t, schema.CreateContainer, `{"image": "busybox", "nets": [{"port": "a", "network": "b"}]}`)
	if !strings.HasPrefix(got, "Invalid input for field '0'.Value: '{'port': 'a', 'network': 'b'}'. ") {
		t.Error(got)
	}
}

func TestALongTextIsBrokenBetweenItsWords(t *testing.T) {
	got := refusal(t, schema.CreateContainer, fmt.Sprintf(`{"image": "busybox", "cpu_policy": %q}`, strings.Repeat("word ", 20)))
	if !strings.HasSuffix(got, "On instance:\n    ("+strings.Repeat("'word word word word word word word word word word word word word '\n     ", 1)+
		"'word word word word word word word ')") {
		t.Error(got)
	}
}

// TestARefusalIsShortAndQuick holds that neither a large nor a deep value makes the
// answer large or slow.
func TestARefusalIsShortAndQuick(t *testing.T) {
	const longest, most = 8 << 10, time.Minute
	wide := "{" + strings.TrimSuffix(strings.Repeat(`"k": [1, 2, 3], `, 200_000), ", ") + "}"
	unlike := make([]string, 100_000)
	for i := range unlike {
		unlike[i] = fmt.Sprintf(`"k%d": {"a": 1}`, i)
	}
	deep := strings.Repeat(`{"a": [`, 500) + strings.Repeat(`]}`, 500)
	for name, value := range map[string]string{"wide": wide, "unlike": "{" + strings.Join(unlike, ", ") + "}", "deep": deep, "text": `"` + strings.Repeat("x y ", 1<<20) + `"`} {
		began := time.Now()
		got := refusal(t, schema.CreateContainer, `{"image": "busybox", "mounts": `+value+`}`)
		if took := time.Since(began); len(got) == 0 || len(got) > longest || took > most {
			t.Errorf("%s: %d bytes after %s", name, len(got), took)
		}
	}
}
