package app

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
)

// atNewest asks for the newest version.
func atNewest() map[string]string {
	return map[string]string{"OpenStack-API-Version": "container latest"}
}

func (s *served) want(status int, method, path, body string, into any) {
	s.t.Helper()
	answer := s.do(method, path, body, atNewest())
	if answer.StatusCode != status {
		var text map[string]any
		_ = json.NewDecoder(answer.Body).Decode(&text)
		s.t.Fatalf("%s %s: %s, want %d: %v", method, path, answer.Status, status, text)
	}
	if into == nil {
		return
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
}

func TestNetworksFromEndToEndOfTheFront(t *testing.T) {
	s := serve(t, &http.Client{}, "api.extensions=true")
	var made, shown api.Network
	s.want(200, "POST", "/v1/networks", `{"name":"back"}`, &made)
	if made.UUID == "" || made.Name != "back" || made.NeutronNetID != made.UUID || made.NetworkID != made.UUID || made.UserID == "" {
		t.Errorf("made %+v", made)
	}
	s.want(200, "POST", "/v1/networks", `{"name":"any","neutron_net_id":"`+made.UUID+`"}`, &shown)
	if shown.UUID != made.UUID || shown.Name != "back" {
		t.Errorf("the same is %+v", shown)
	}
	s.want(409, "POST", "/v1/networks", `{"name":"back"}`, nil)
	s.want(404, "POST", "/v1/networks", `{"name":"any","neutron_net_id":"nosuch"}`, nil)
	s.want(400, "POST", "/v1/networks", `{"neutron_net_id":"x"}`, nil)
	var list api.NetworkList
	s.want(200, "GET", "/v1/networks?all_projects=true", "", &list)
	if len(list.Networks) != 1 || list.Networks[0].Name != "back" {
		t.Errorf("listed %+v", list)
	}
	s.want(200, "GET", "/v1/networks/"+made.UUID, "", &shown)
	s.want(204, "DELETE", "/v1/networks/"+made.UUID, "", nil)
	s.want(404, "DELETE", "/v1/networks/"+made.UUID, "", nil)
}

func TestExtensionsAreOffUntilTheyAreAskedFor(t *testing.T) {
	s := serve(t, &http.Client{})
	s.want(405, "GET", "/v1/networks", "", nil)
	s.want(404, "GET", "/v1/events", "", nil)
	s.want(400, "GET", "/v1/containers?labels=app%3Dweb", "", nil)
}

// events opens the stream behind the event last ("" for from now on).
func (s *served) events(last string) *bufio.Scanner {
	s.t.Helper()
	header := map[string]string{"Accept": "text/event-stream"}
	if last != "" {
		header["Last-Event-ID"] = last
	}
	answer := s.do("GET", "/v1/events", "", header)
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("events: %s %v", answer.Status, answer.Header)
	}
	lines := bufio.NewScanner(answer.Body)
	s.line(lines, ": following")
	return lines
}

// line reads up to the line that begins with prefix and returns the rest of it.
func (s *served) line(lines *bufio.Scanner, prefix string) string {
	s.t.Helper()
	for lines.Scan() {
		if rest, found := strings.CutPrefix(lines.Text(), prefix); found {
			return rest
		}
	}
	s.t.Fatalf("the stream ended before %q: %v", prefix, lines.Err())
	return ""
}

func TestEventsAreFollowedAndResumed(t *testing.T) {
	s := serve(t, &http.Client{}, "api.extensions=true")
	live := s.events("")
	body := `{"template":{"kind":"capsule","metadata":{"name":"web"},"spec":{"containers":[{"image":"nginx"}]}}}`
	s.want(202, "POST", "/v1/capsules", body, nil)
	first := s.line(live, "id: ")
	if name := s.line(live, "event: "); name != "create.failed" {
		t.Errorf("first came %s", name)
	}
	var event api.FeedEvent
	if err := json.Unmarshal([]byte(s.line(live, "data: ")), &event); err != nil {
		t.Fatal(err)
	}
	if event.Resource != "capsule" || event.Status != "Error" || event.StatusReason == nil || event.RequestID == nil || event.UUID == "" {
		t.Errorf("told %+v", event)
	}
	s.want(202, "POST", "/v1/containers", `{"image":"nginx","name":"web","labels":{"app":"web"}}`, nil)
	s.line(live, "event: create.failed") // there is no host
	s.want(204, "DELETE", "/v1/containers/web", "", nil)
	s.line(live, "event: delete.accepted")

	again := s.events(first)
	if id := s.line(again, "id: "); id == first {
		t.Error("what was seen is told again")
	}
	s.line(again, "event: delete.accepted")
	s.line(s.events("999999"), "event: gap")
	if answer := s.do("GET", "/v1/events", "", map[string]string{"Last-Event-ID": "x"}); answer.StatusCode != 400 {
		t.Errorf("a word as id: %s", answer.Status)
	}
}

func TestListsAreFilteredByLabels(t *testing.T) {
	s := serve(t, &http.Client{}, "api.extensions=true")
	for name, app := range map[string]string{"one": "web", "two": "db"} {
		s.want(202, "POST", "/v1/containers", `{"image":"nginx","name":"`+name+`","labels":{"app":"`+app+`","tier":"x"}}`, nil)
	}
	for query, want := range map[string]int{"app%3Dweb": 1, "tier%3Dx": 2, "app%3Dweb,tier%3Dx": 1, "app%3Dweb,tier%3Dy": 0} {
		var list api.ContainerList
		s.want(200, "GET", "/v1/containers?labels="+query, "", &list)
		if len(list.Containers) != want {
			t.Errorf("%s: %d containers, want %d", query, len(list.Containers), want)
		}
	}
	s.want(400, "GET", "/v1/containers?labels=app", "", nil)
}

func TestARepeatedCreateMeetsItsContainer(t *testing.T) {
	s := serve(t, &http.Client{})
	var ids []string
	for range 2 {
		header := atNewest()
		header["Idempotency-Key"] = "once"
		answer := s.do("POST", "/v1/containers", `{"image":"nginx"}`, header)
		var made api.Container
		if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != 202 {
			t.Fatalf("%s, %v", answer.Status, err)
		}
		ids = append(ids, made.UUID)
	}
	if ids[0] != ids[1] {
		t.Errorf("made twice: %v", ids)
	}
}
