package app

import (
	"encoding/json"
	"net/http"
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
