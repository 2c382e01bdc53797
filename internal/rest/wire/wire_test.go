package wire_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"testing/quick"

	oldrand "math/rand"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/rest/wire"
)

// standard is what encoding/json makes of v, as the front door sends everything else.
func standard(t *testing.T, v any) string {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func written(t *testing.T, v wire.Value) string {
	t.Helper()
	var out bytes.Buffer
	if err := v.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// anyContainers are the zero value, one of empty lists, and many with members drawn at
// random, so that a member added to the API and forgotten here is found.
func anyContainers(t *testing.T) []api.Container {
	t.Helper()
	empty := ""
	all := []api.Container{{}, {
		Command: []string{}, Entrypoint: []string{}, Ports: []int{}, SecurityGroups: []string{}, Links: []api.Link{},
		Environment: map[string]string{}, Labels: map[string]string{}, Addresses: map[string][]api.Address{"net": nil, "other": {}},
		RestartPolicy: &api.RestartPolicy{}, Healthcheck: &api.Healthcheck{}, Host: api.Shown[string](nil), Runtime: api.Shown(&empty),
	}}
	source := oldrand.New(oldrand.NewSource(1)) // the same values in each run
	for range 500 {
		value, ok := quick.Value(reflect.TypeFor[api.Container](), source)
		if !ok {
			t.Fatal("no value can be drawn")
		}
		all = append(all, value.Interface().(api.Container)) //nolint:forcetypeassert // drawn of this type
	}
	return all
}

func TestAContainerIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	for _, c := range anyContainers(t) {
		if got, want := written(t, wire.Container{Shown: c}), standard(t, c); got != want {
			t.Fatalf("written:\n%s\nwant:\n%s", got, want)
		}
	}
}

func TestAPageIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	next := "http://localhost/v1/containers?limit=1&marker=x"
	all := anyContainers(t)
	for _, page := range []api.ContainerList{{Containers: []api.Container{}}, {Containers: all[:1], Next: &next}, {Containers: all, Next: &next}} {
		got := written(t, wire.ContainerPage{Rows: slices.Values(page.Containers), Next: page.Next})
		if want := standard(t, page); got != want {
			t.Fatalf("a page of %d differs:\n%.200s\nwant:\n%.200s", len(page.Containers), got, want)
		}
	}
}

func TestTextAndNumbersAreWrittenAsEncodingJSONWritesThem(t *testing.T) {
	texts := []string{
		"", "plain", `"quoted" \ back`, "line\nfeed\r\ttab\b\f\x00\x1f\x7f", "<a href='x'>&", "grüße 世界 🙂", "\u2028\u2029", "broken \xff\xc3", "\xed\xa0\x80", "�",
	}
	for _, text := range texts {
		c := api.Container{Name: text, Labels: map[string]string{text: text, "b": "c", "a": text},
			RestartPolicy: &api.RestartPolicy{Name: text}, Healthcheck: &api.Healthcheck{Test: text}}
		if got, want := written(t, wire.Container{Shown: c}), standard(t, c); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
	}
	numbers := []float64{0, 1, -1, 0.1, 1e-6, 9.99e-7, 1e-9, 1.5e-10, 1e-100, 1e20, 1e21, -1e21, 1.7976931348623157e308, 5e-324}
	for range 1000 {
		numbers = append(numbers, rand.NormFloat64()*1000)
	}
	for _, n := range numbers {
		c := api.Container{CPU: n}
		if got, want := written(t, wire.Container{Shown: c}), standard(t, c); got != want {
			t.Errorf("%g is written %s, want %s", n, got, want)
		}
	}
}

func BenchmarkContainer(b *testing.B) {
	text := "registry.example/team/service:1.4.2"
	c := wire.Container{Shown: api.Container{
		UUID: "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", Name: "sample", Image: text, Command: []string{"serve", "--port", "8080"},
		Environment: map[string]string{"MODE": "production", "LOG_LEVEL": "info"}, Labels: map[string]string{"app": "sample"},
		RestartPolicy: &api.RestartPolicy{}, Healthcheck: &api.Healthcheck{}, StatusDetail: &text,
	}}
	b.ReportAllocs()
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		if err := c.WriteJSON(&out); err != nil {
			b.Fatal(err)
		}
	}
}
