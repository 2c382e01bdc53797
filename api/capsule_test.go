package api_test

import (
	"encoding/json"
	"testing"

	"github.com/go-zun/zun/api"
)

func TestBothFormsOfACapsuleAreRead(t *testing.T) {
	for name, text := range map[string]string{
		"since 1.32": `{"uuid": "u", "name": "web", "labels": {"a": "b"}, "restart_policy": {"Name": "always", "MaximumRetryCount": "0"}, "host": "h"}`,
		"up to 1.31": `{"uuid": "u", "meta_name": "web", "meta_labels": {"a": "b"}, "restart_policy": "always", "capsule_version": "", "host": "h"}`,
	} {
		var c api.Capsule
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Name != "web" || c.Labels["a"] != "b" || c.RestartPolicy == nil || c.RestartPolicy.Name != "always" || c.UUID != "u" {
			t.Errorf("%s: %+v", name, c)
		}
	}
	var c api.Capsule
	if err := json.Unmarshal([]byte(`{"uuid": 1}`), &c); err == nil {
		t.Error("a capsule without a text for its uuid is read")
	}
}
