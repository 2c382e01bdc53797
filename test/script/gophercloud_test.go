//go:build integration

package script_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	sdk "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/container/v1/capsules"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"github.com/go-zun/zun/test/allinone"
)

const pod = `{"kind": "capsule", "capsuleVersion": "beta", "metadata": {"name": "%s", "labels": {"app": "web"}},
	"spec": {"containers": [{"image": "busybox:1.36", "command": ["sleep", "600"], "env": {"K": "v"},
		"resources": {"requests": {"cpu": 0.1, "memory": 64}}}]}}`

// containerService logs in as the SDK of Go does, and finds the service by its catalog.
func containerService(t *testing.T, service allinone.Service, version string) *gophercloud.ServiceClient {
	t.Helper()
	provider, err := sdk.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: service.URL + "/identity/v3", Username: "demo", Password: allinone.Password, DomainID: "default", TenantName: "demo",
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := sdk.NewContainerV1(provider, gophercloud.EndpointOpts{Region: "RegionOne"})
	if err != nil {
		t.Fatal(err)
	}
	found.Microversion = version
	found.Type = "container" // how the SDK names the service in the header of the version
	return found
}

// TestGophercloud makes, reads, lists and deletes capsules with the SDK of Go, in the
// form of before and since 1.32.
func TestGophercloud(t *testing.T) {
	service := allinone.Start(t, allinone.Options{Pool: "10.182.0.0/16"})
	for _, version := range []string{"", "1.20", "1.31", "1.32", "1.40"} {
		// One after the other: a page whose marker another deletes meanwhile is a 404.
		t.Run("capsules at "+version, func(t *testing.T) {
			capsulesOf(t, containerService(t, service, version), strings.ReplaceAll("sdk-"+version, ".", "-"))
		})
	}
	t.Run("containers", func(t *testing.T) {
		containersOf(t, containerService(t, service, "1.40"))
	})
}

// decoded is what both forms of a capsule say.
type decoded struct {
	uuid, name, status string
	labels             map[string]string
	members            []capsules.Container
}

func decode(t *testing.T, version string, got any, err error) decoded {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	since := minor(version) >= 32 && version != ""
	switch c := got.(type) {
	case *capsules.Capsule:
		if since || c.CreatedAt.IsZero() || c.RestartPolicy != "always" {
			t.Errorf("the form of before 1.32 at %q: %+v", version, c)
		}
		return decoded{c.UUID, c.MetaName, c.Status, c.MetaLabels, c.Containers}
	case *capsules.CapsuleV132:
		if !since || c.CreatedAt.IsZero() || c.RestartPolicy["Name"] != "always" {
			t.Errorf("the form of since 1.32 at %q: %+v", version, c)
		}
		return decoded{c.UUID, c.MetaName, c.Status, c.MetaLabels, c.Containers}
	default:
		t.Fatalf("decoded as %T", got)
		return decoded{}
	}
}

func capsulesOf(t *testing.T, client *gophercloud.ServiceClient, name string) {
	t.Helper()
	version := client.Microversion
	template := &capsules.Template{Bin: fmt.Appendf(nil, pod, name)}
	made := capsules.Create(t.Context(), client, capsules.CreateOpts{TemplateOpts: template})
	got, err := made.Extract()
	capsule := decode(t, version, got, err)
	if capsule.name != name || capsule.labels["app"] != "web" || len(capsule.members) != 1 || capsule.members[0].Environment["K"] != "v" ||
		strings.Join(capsule.members[0].Command, " ") != "sleep 600" || capsule.members[0].Memory != "64" {
		t.Errorf("made: %+v", capsule)
	}
	got, err = capsules.Get(t.Context(), client, capsule.uuid).Extract()
	if read := decode(t, version, got, err); read.uuid != capsule.uuid || read.name != name {
		t.Errorf("read: %+v", read)
	}
	if !listed(t, client, capsule.uuid) {
		t.Error("it is not listed")
	}
	if err := capsules.Delete(t.Context(), client, capsule.uuid).ExtractErr(); err != nil {
		t.Error(err)
	}
	gone := func() error {
		_, err := capsules.Get(context.Background(), client, capsule.uuid).Extract()
		if !gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
			return fmt.Errorf("after its delete: %w", err)
		}
		return nil
	}
	if err := allinone.Poll(t.Context(), changeWithin, gone); err != nil {
		t.Error(err)
	}
	_, err = capsules.Create(t.Context(), client, capsules.CreateOpts{TemplateOpts: &capsules.Template{Bin: []byte(`{"kind": "pod"}`)}}).Extract()
	if !gophercloud.ResponseCodeIs(err, http.StatusBadRequest) {
		t.Errorf("a template that is none: %v", err)
	}
}

// listed walks all pages, one capsule each.
func listed(t *testing.T, client *gophercloud.ServiceClient, uuid string) bool {
	t.Helper()
	found := false
	err := capsules.List(client, capsules.ListOpts{Limit: 1, SortKey: "created_at"}).EachPage(t.Context(), func(_ context.Context, page pagination.Page) (bool, error) {
		all, err := capsules.ExtractCapsules(page)
		if err != nil {
			return false, err
		}
		switch rows := all.(type) {
		case []capsules.Capsule:
			for _, row := range rows {
				found = found || row.UUID == uuid
			}
		case []capsules.CapsuleV132:
			for _, row := range rows {
				found = found || row.UUID == uuid
			}
		}
		return !found, nil
	})
	if err != nil {
		t.Error(err)
	}
	return found
}

// containersOf uses the SDK's client of the service where the SDK has no package.
func containersOf(t *testing.T, client *gophercloud.ServiceClient) {
	t.Helper()
	var made, read struct {
		UUID, Status string
	}
	ok := func(codes ...int) *gophercloud.RequestOpts { return &gophercloud.RequestOpts{OkCodes: codes} }
	_, err := client.Post(t.Context(), client.ServiceURL("containers"), map[string]any{"image": "busybox:1.36", "command": []string{"sleep", "600"}}, &made, ok(202))
	if err != nil || made.UUID == "" {
		t.Fatalf("%+v, %v", made, err)
	}
	created := func() error {
		_, err := client.Get(t.Context(), client.ServiceURL("containers", made.UUID), &read, ok(200))
		if err == nil && read.Status != "Created" {
			err = fmt.Errorf("it is %s", read.Status)
		}
		return err
	}
	if err := allinone.Poll(t.Context(), changeWithin, created); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Delete(t.Context(), client.ServiceURL("containers", made.UUID), ok(204)); err != nil {
		t.Error(err)
	}
}
