package api_test

import (
	"encoding/json"
	"testing"

	"github.com/go-zun/zun/api"
)

func TestVersionsParseAndCompare(t *testing.T) {
	good := map[string]api.Version{
		"1.1": {Major: 1, Minor: 1}, "1.40": {Major: 1, Minor: 40}, "01.007": {Major: 1, Minor: 7}, "0.0": {}, "2.0": {Major: 2},
	}
	for text, want := range good {
		got, err := api.ParseVersion(text)
		if err != nil || got != want {
			t.Errorf("ParseVersion(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1", "1.", ".1", "1.x", "1.2.3", "-1.2", "1.+2", " 1.2", "1.99999999999999999999", "latest"} {
		if got, err := api.ParseVersion(text); err == nil {
			t.Errorf("ParseVersion(%q) = %v, want an error", text, got)
		}
	}
	if !(api.Version{Major: 1, Minor: 9}).Before(api.Version{Major: 1, Minor: 10}) {
		t.Error("1.9 must be older than 1.10")
	}
	if (api.Version{Major: 2}).Before(api.Version{Major: 1, Minor: 40}) {
		t.Error("2.0 must not be older than 1.40")
	}
}

func TestHistoryIsWholeAndInOrder(t *testing.T) {
	history := api.History()
	for i, c := range history {
		want := api.Version{Major: 1, Minor: i + 1}
		if c.Version != want {
			t.Fatalf("entry %d is %s, want %s", i, c.Version, want)
		}
		if c.Brings == "" || c.Gate == "" {
			t.Errorf("%s says nothing", c.Version)
		}
	}
	if last := history[len(history)-1].Version; last != api.MaxVersion {
		t.Errorf("history ends at %s, the maximum is %s", last, api.MaxVersion)
	}
	for _, b := range []api.Behaviour{api.CommandList, api.TTYFollows, api.TTYSeparate, api.PortsOrGroups, api.ForceDelete,
		api.StopDelete, api.NetworkListByPort, api.ArchiveBase64, api.CapsuleView} {
		if b.Since().IsZero() {
			t.Errorf("no version brings %q", b)
		}
	}
	if !api.MaxVersion.Has(api.CommandList) || api.MinVersion.Has(api.CommandList) {
		t.Error("a command is a list from 1.20 on only")
	}
}

func TestOptionalMembersAreAbsentNullOrThere(t *testing.T) {
	name := "node-1"
	type view struct {
		Host api.Optional[string] `json:"host,omitzero"`
	}
	for want, in := range map[string]view{
		`{}`:                {},
		`{"host":null}`:     {Host: api.Shown[string](nil)},
		`{"host":"node-1"}`: {Host: api.Shown(&name)},
	} {
		text, err := json.Marshal(in)
		if err != nil || string(text) != want {
			t.Errorf("got %s, %v; want %s", text, err, want)
		}
		var back view
		if err := json.Unmarshal([]byte(want), &back); err != nil || back.Host.Present != in.Host.Present || back.Host.Or("") != in.Host.Or("") {
			t.Errorf("%s came back as %+v, %v", want, back, err)
		}
	}
}
