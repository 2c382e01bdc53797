//go:build integration

package images_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
)

// The administrator's pull policies belong to administrators: operator is one in the
// project demo, admin in the project admin.
const (
	ours   = "operator"
	theirs = "admin"
)

func TestACachedPrivateImageIsForThoseWhoMayPullIt(t *testing.T) {
	w := open(t, "10.170.0.0/16", "")
	private, public := w.registry(true), w.registry(false)
	image, free := private+"/app:1", public+"/free:1"
	w.push(image, true)
	w.push(free, false)
	code, answer := w.ask(ours, http.MethodPost, "/v1/registries",
		fmt.Sprintf(`{"registry":{"name":"reg","domain":%q,"username":%q,"password":%q}}`, private, user, password))
	if code != http.StatusCreated {
		t.Fatalf("registry: %d %v", code, answer)
	}
	with := func(policy, reference string, registry any) map[string]any {
		m := map[string]any{"image": reference, "image_pull_policy": policy}
		if registry != nil {
			m["registry"] = registry
		}
		return m
	}
	w.want("who may", ours, with("ifnotpresent", image, "reg"), "Running", "")
	w.want("who may, never", ours, with("never", image, "reg"), "Running", "")
	w.want("who may not", theirs, with("ifnotpresent", image, nil), "Error", "does not let this project use it")
	w.want("who may not, never", theirs, with("never", image, nil), "Error", "was never authorised to use it")
	w.want("who may not, always", theirs, with("always", image, nil), "Error", "it wants other credentials")
	pinned := w.docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", image)
	w.want("by digest, who may not", theirs, with("never", pinned, nil), "Error", "was never authorised to use it")
	w.want("by digest, who may", ours, with("ifnotpresent", pinned, "reg"), "Running", "")
	id := strings.TrimPrefix(w.docker("image", "inspect", "--format", "{{.Id}}", image), "sha256:")[:12]
	w.want("by id", theirs, with("never", id, nil), "Error", "is not on the host")
	w.want("public", ours, with("ifnotpresent", free, nil), "Running", "")
	w.want("public, another project", theirs, with("ifnotpresent", free, nil), "Running", "")
	w.want("what the operator brought", theirs, with("never", local, nil), "Running", "")
}

func TestUnusedImagesGoAndOthersStay(t *testing.T) {
	w := open(t, "10.171.0.0/16", "[image_cache]\nmanager_interval = 1\nremove_unused_minimum_age_seconds = 1\ngrace_seconds = 1")
	at := w.registry(false)
	unused, used, foreign := at+"/unused:1", at+"/used:1", at+"/foreign:1"
	for _, image := range []string{unused, used, foreign} {
		w.push(image, false)
	}
	w.docker("pull", foreign)
	gone := w.want("unused", ours, map[string]any{"image": unused}, "Running", "")
	w.want("used", ours, map[string]any{"image": used}, "Running", "")
	also := w.want("foreign", ours, map[string]any{"image": foreign}, "Running", "")
	w.delete(gone, also)
	w.eventually("the unused image went", func() bool { return !w.has(unused) })
	for _, image := range []string{used, foreign, local} {
		if !w.has(image) {
			t.Errorf("%s went", image)
		}
	}
	w.eventually("the figures tell", func() bool {
		figures := w.figures()
		return strings.Contains(figures, `zun_images_removed_total{reason="age"} 1`) && strings.Contains(figures, "\nzun_images 1\n")
	})
}

// figures are what the service tells Prometheus.
func (w *world) figures() string {
	w.t.Helper()
	reply, err := http.Get(w.URL + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func TestImagesOfTheAPI(t *testing.T) {
	w := open(t, "10.172.0.0/16", "")
	at := w.registry(false)
	image := at + "/app:1"
	w.push(image, false)
	code, answer := w.ask(theirs, http.MethodPost, "/v1/images", fmt.Sprintf(`{"repo":%q,"host":"vm"}`, image))
	uuid, _ := answer["uuid"].(string)
	if code != http.StatusAccepted || uuid == "" {
		t.Fatalf("pull: %d %v", code, answer)
	}
	w.eventually("it is pulled", func() bool {
		_, answer = w.ask(theirs, http.MethodGet, "/v1/images/"+uuid, "")
		return answer["image_id"] != nil
	})
	container := w.want("of it", ours, map[string]any{"image": image}, "Running", "")
	if code, answer := w.ask(theirs, http.MethodDelete, "/v1/images/"+uuid, ""); code != http.StatusConflict {
		t.Errorf("deleted in use: %d %v", code, answer)
	}
	if code, _ := w.ask(theirs, http.MethodGet, "/v1/images/"+uuid, ""); code != http.StatusOK || !w.has(image) {
		t.Errorf("after the refusal: %d", code)
	}
	w.delete(container)
	if code, answer := w.ask(theirs, http.MethodDelete, "/v1/images/"+uuid, ""); code != http.StatusOK || w.has(image) {
		t.Errorf("deleted: %d %v, on the host: %v", code, answer, w.has(image))
	}
	if code, _ := w.ask(theirs, http.MethodGet, "/v1/images/"+uuid, ""); code != http.StatusBadRequest {
		t.Errorf("after the deletion: %d", code)
	}
}

func TestThePolicyOnImagesHolds(t *testing.T) {
	w := open(t, "10.173.0.0/16", "")
	at, other := w.registry(false), w.registry(false)
	for _, name := range []string{"signed", "unsigned", "pinned"} {
		w.push(at+"/"+name+":1", false)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(w.Dir, "release.pub"), string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	sign(t, key, at+"/signed")
	write(t, filepath.Join(w.Dir, "image-policy.yaml"), fmt.Sprintf(`
registries: [%q]
rules:
- {images: ["*/pinned"], digest: true}
- {images: ["*signed"], signed_by: [release.pub]}
`, at))
	w.want("signed", ours, map[string]any{"image": at + "/signed:1"}, "Running", "")
	w.want("unsigned", ours, map[string]any{"image": at + "/unsigned:1"}, "Error", "bears no signature by a key that is trusted here")
	w.want("unsigned, from the cache", ours, map[string]any{"image": at + "/unsigned:1", "image_pull_policy": "never"}, "Error", "bears no signature")
	for image, want := range map[string]string{
		at + "/pinned:1": "must be named by its digest", other + "/x:1": "which is not allowed here", "cirros": "which is not allowed here",
	} {
		code, answer := w.ask(ours, http.MethodPost, "/v1/containers?run=true", fmt.Sprintf(`{"image":%q}`, image))
		if code != http.StatusForbidden || !strings.Contains(fmt.Sprint(answer), want) {
			t.Errorf("%s: %d %v", image, code, answer)
		}
	}
	reference := at + "/pinned@" + resolve(t, at+"/pinned").Digest.String()
	uuid := w.want("pinned", ours, map[string]any{"image": reference}, "Running", "")
	_, answer := w.ask(ours, http.MethodGet, "/v1/containers/"+uuid, "")
	if answer["image"] != reference {
		t.Errorf("shown as %v", answer["image"])
	}
	if code, list := w.ask(ours, http.MethodGet, "/v1/containers?image="+reference, ""); code != http.StatusOK || !strings.Contains(fmt.Sprint(list), uuid) {
		t.Errorf("listed by its digest: %d", code)
	}
}

func repository(t *testing.T, name string) *remote.Repository {
	t.Helper()
	repo, err := remote.NewRepository(name)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	return repo
}

func resolve(t *testing.T, name string) ocispec.Descriptor {
	t.Helper()
	d, err := repository(t, name).Resolve(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sign pushes a signature of the image name:1 as cosign does.
func sign(t *testing.T, key *ecdsa.PrivateKey, name string) {
	t.Helper()
	repo, image := repository(t, name), resolve(t, name)
	payload := fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":%q},"image":{"docker-manifest-digest":%q},"type":"cosign container image signature"},"optional":{}}`, name, image.Digest)
	sum := sha256.Sum256(payload)
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	layer := content.NewDescriptorFromBytes("application/vnd.dev.cosign.simplesigning.v1+json", payload)
	push := func(d ocispec.Descriptor, body []byte) {
		t.Helper()
		if err := repo.Blobs().Push(t.Context(), d, bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
	}
	push(layer, payload)
	config := content.NewDescriptorFromBytes(ocispec.MediaTypeImageConfig, []byte("{}"))
	push(config, []byte("{}"))
	layer.Annotations = map[string]string{"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(signature)}
	manifest := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: []ocispec.Descriptor{layer}}
	manifest.SchemaVersion = 2
	body, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	d := content.NewDescriptorFromBytes(ocispec.MediaTypeImageManifest, body)
	tag := strings.Replace(image.Digest.String(), ":", "-", 1) + ".sig"
	if err := repo.PushReference(t.Context(), d, bytes.NewReader(body), tag); err != nil {
		t.Fatal(err)
	}
}
