package schema_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/schema"
)

// operations are those whose arguments are judged.
func operations() []schema.Operation {
	return []schema.Operation{
		schema.CreateContainer, schema.UpdateContainer, schema.DeleteContainer, schema.NoArguments, schema.Stop, schema.Kill, schema.Rebuild,
		schema.Logs, schema.Execute, schema.ExecuteResize, schema.Resize, schema.Top, schema.GetArchive, schema.PutArchive, schema.Commit,
		schema.Rename, schema.SecurityGroup, schema.NetworkDetach, schema.NetworkAttach, schema.CreateCapsule, schema.SwitchService,
		schema.ForceDown, schema.DeleteService, schema.UpdateQuota, schema.CreateRegistry, schema.UpdateRegistry, schema.PullImage,
		schema.SearchImages, schema.CreateNetwork,
	}
}

// FuzzCheck judges any JSON object by the schema of any operation at any version: a
// verdict is a fault of the caller, bounded in length, or leaves no null behind.
func FuzzCheck(f *testing.F) {
	for i, seed := range []string{
		`{"image":"cirros","cpu":"00.50","memory":null,"nets":[{"network":"a","v4-fixed-ip":"::1"}]}`,
		`{"image":"cirros","mounts":[{"size":"99999999999","destination":""}],"healthcheck":{"cmd":1,"x":null}}`,
		`{"template":{"kind":"capsule","metadata":{"labels":{"a":[]}},"spec":{"containers":[{"image":"a1","env":{"b":null}}],"volumes":[{"name":"vv","cinder":{"size":1.5}}]}}}`,
		`{"host":"a b","binary":"'\"\\\n","disabled_reason":""}`,
		`{"containers":-1e1,"cpu":"-0","memory":"9223372036854775808"}`,
		`{"registry":{"domain":"` + strings.Repeat("long words ", 200) + `","name":"x","a":{}}}`,
	} {
		f.Add(uint8(i*7), uint8(40), seed)
	}
	set, err := schema.NewSet(schema.DefaultLimits())
	if err != nil {
		f.Fatal(err)
	}
	all := operations()
	f.Fuzz(func(t *testing.T, operation, version uint8, body string) {
		decoder := json.NewDecoder(strings.NewReader(body))
		decoder.UseNumber()
		var args schema.Object
		if decoder.Decode(&args) != nil || args == nil {
			t.Skip("no JSON object")
		}
		at := api.Version{Major: 1, Minor: 1 + int(version)%api.MaxVersion.Minor}
		rules := set.For(all[int(operation)%len(all)], at)
		err := rules.Check(args, schema.Origin{Body: []byte(body)})
		if err == nil {
			if nulls(args) {
				t.Errorf("%s: null is left in %v", body, args)
			}
			return
		}
		fault := domain.AsFault(err)
		if fault.Kind != domain.Invalid || fault.Message == "" || len(fault.Message) > 64<<10 {
			t.Errorf("%s: %v of %d bytes", body, fault.Kind, len(fault.Message))
		}
	})
}

// nulls says whether a member at any depth is null. Of the ports only the names count,
// and items of lists may be anything.
func nulls(value any) bool {
	object, isObject := value.(schema.Object)
	if !isObject {
		list, _ := value.([]any)
		return slices.ContainsFunc(list, func(item any) bool { return item != nil && nulls(item) })
	}
	for name, inner := range object {
		if inner == nil || name != "exposed_ports" && nulls(inner) {
			return true
		}
	}
	return false
}
