package grammar_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/cli/grammar"
)

func TestArgumentsThatAreWrong(t *testing.T) {
	wrong := map[string]func(string) error{
		"network=a,port=b":                   func(s string) error { _, err := grammar.Nets([]string{s}); return err },
		"v4-fixed-ip=10.0.0.1":               func(s string) error { _, err := grammar.Nets([]string{s}); return err },
		"network=a,v4-fixed-ip=fe80::1":      func(s string) error { _, err := grammar.Nets([]string{s}); return err },
		"network=a,colour=red":               func(s string) error { _, err := grammar.Nets([]string{s}); return err },
		"source=a":                           func(s string) error { _, err := grammar.Mounts([]string{s}); return err },
		"source=a,size=1,destination=/x":     func(s string) error { _, err := grammar.Mounts([]string{s}); return err },
		"type=bind,source=/no,destination=/": func(s string) error { _, err := grammar.Mounts([]string{s}); return err },
		"sometimes":                          func(s string) error { _, err := grammar.Restart(s); return err },
		"always:3":                           func(s string) error { _, err := grammar.Restart(s); return err },
		"on-failure:x":                       func(s string) error { _, err := grammar.Restart(s); return err },
		"cmd=a,retries=3s":                   func(s string) error { _, err := grammar.Healthcheck(s); return err },
		"novalue":                            func(s string) error { _, err := grammar.Pairs("--label", []string{s}); return err },
	}
	for arg, read := range wrong {
		if err := read(arg); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q gave %v, want one line that says what is wrong", arg, err)
		}
	}
}

func TestArgumentsThatAreRight(t *testing.T) {
	policy, err := grammar.Restart("on-failure:3")
	if err != nil || *policy != (api.RestartPolicy{Name: "on-failure", MaximumRetryCount: "3"}) {
		t.Errorf("restart: %+v, %v", policy, err)
	}
	health, err := grammar.Healthcheck("cmd=true,interval=2m,retries=3,timeout=5s")
	if err != nil || *health != (api.HealthRequest{Cmd: "true", Interval: 120, Retries: 3, Timeout: 5}) {
		t.Errorf("healthcheck: %+v, %v", health, err)
	}
	labels, err := grammar.Pairs("--label", []string{"a=1,b=2;c=x=y"})
	if err != nil || !reflect.DeepEqual(labels, map[string]string{"a": "1", "b": "2", "c": "x=y"}) {
		t.Errorf("pairs: %v, %v", labels, err)
	}
	whole, err := grammar.Pairs("--label", []string{"a=1,2", "b=3"})
	if err != nil || !reflect.DeepEqual(whole, map[string]string{"a": "1,2", "b": "3"}) {
		t.Errorf("pairs given twice are taken whole: %v, %v", whole, err)
	}
}
