package notary_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/adapter/image/notary"
	"github.com/go-zun/zun/internal/domain"
)

// registry serves what was put into it to those who know the password, if there is one.
type registry struct {
	files    map[string][]byte // path below /v2/ to content
	kinds    map[string]string
	password string
}

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if _, password, _ := req.BasicAuth(); r.password != "" && password != r.password {
		w.Header().Set("Www-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path := strings.TrimPrefix(req.URL.Path, "/v2/")
	content, found := r.files[path]
	if !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", r.kinds[path])
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.Header().Set("Docker-Content-Digest", digest(content))
	if req.Method == http.MethodGet {
		_, _ = w.Write(content)
	}
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// signed is the digest of the image that signatures speak of.
var signed = digest([]byte("the manifest of an image"))

func payload(kind, of string) []byte {
	return fmt.Appendf(nil, `{"critical":{"identity":{"docker-reference":"x"},"image":{"docker-manifest-digest":%q},"type":%q},"optional":null}`, of, kind)
}

// layer is a signature to be put beside an image.
type layer struct {
	payload   []byte
	signature string
}

func (r *registry) put(repo string, layers ...layer) {
	const kind = "application/vnd.oci.image.manifest.v1+json"
	var list []map[string]any
	for _, l := range layers {
		path := repo + "/blobs/" + digest(l.payload)
		r.files[path], r.kinds[path] = l.payload, "application/octet-stream"
		list = append(list, map[string]any{
			"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "size": len(l.payload), "digest": digest(l.payload),
			"annotations": map[string]string{"dev.cosignproject.cosign/signature": l.signature},
		})
	}
	manifest, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": kind, "layers": list})
	path := repo + "/manifests/" + strings.Replace(signed, ":", "-", 1) + ".sig"
	r.files[path], r.kinds[path] = manifest, kind
}

func sign(t *testing.T, key crypto.Signer, message []byte) string {
	t.Helper()
	var signature []byte
	var err error
	if _, raw := key.(ed25519.PrivateKey); raw {
		signature, err = key.Sign(rand.Reader, message, crypto.Hash(0))
	} else {
		sum := sha256.Sum256(message)
		signature, err = key.Sign(rand.Reader, sum[:], crypto.SHA256)
	}
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

func public(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func keys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	ec, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, ed, err2 := ed25519.GenerateKey(rand.Reader)
	rs, err3 := rsa.GenerateKey(rand.Reader, 2048)
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	return map[string]crypto.Signer{"ecdsa": ec, "ed25519": ed, "rsa": rs}
}

func serve(t *testing.T, password string) (*registry, string) {
	t.Helper()
	r := &registry{files: map[string][]byte{}, kinds: map[string]string{}, password: password}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, strings.TrimPrefix(server.URL, "http://")
}

func open() *notary.Notary { return notary.New(notary.Options{Plain: []string{"127.0.0.0/8"}}) }

func code(err error) string {
	if err == nil {
		return ""
	}
	return domain.AsFault(err).Code
}

func TestSignaturesOfEveryKindOfKey(t *testing.T) {
	all := keys(t)
	for name, key := range all {
		r, at := serve(t, "")
		good := payload("cosign container image signature", signed)
		r.put("app", layer{good, sign(t, key, good)})
		for other, with := range all {
			err := open().Verify(t.Context(), at+"/app:1", signed, nil, []string{public(t, with)})
			if want := map[bool]string{true: "", false: "image-not-signed"}[name == other]; code(err) != want {
				t.Errorf("signed with %s, verified with %s: %v", name, other, err)
			}
		}
		if err := open().Verify(t.Context(), at+"/app:1", signed, nil, []string{public(t, all["rsa"]), public(t, all["ecdsa"]), public(t, all["ed25519"])}); err != nil {
			t.Errorf("one of several keys: %v", err)
		}
	}
}

func TestWhatIsNoSignature(t *testing.T) {
	key := keys(t)["ecdsa"]
	trusted := []string{public(t, key)}
	good := payload("cosign container image signature", signed)
	forged := payload("cosign container image signature", digest([]byte("another")))
	kind := payload("something else", signed)
	for name, layers := range map[string][]layer{
		"none":               nil,
		"of another image":   {{forged, sign(t, key, forged)}},
		"of another payload": {{good, sign(t, key, forged)}},
		"of another kind":    {{kind, sign(t, key, kind)}},
		"no base64":          {{good, "%%%"}},
		"empty":              {{good, ""}},
		"no JSON":            {{[]byte("x"), sign(t, key, []byte("x"))}},
	} {
		r, at := serve(t, "")
		r.put("app", layers...)
		if err := open().Verify(t.Context(), at+"/app:1", signed, nil, trusted); code(err) != "image-not-signed" {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, at := serve(t, "")
	if err := open().Verify(t.Context(), at+"/app:1", signed, nil, trusted); code(err) != "image-not-signed" {
		t.Errorf("no manifest: %v", err)
	}
	r.put("app", layer{forged, sign(t, key, forged)}, layer{good, sign(t, key, good)})
	if err := open().Verify(t.Context(), at+"/app:1", signed, nil, trusted); err != nil {
		t.Errorf("a good one behind a bad one: %v", err)
	}
	r.files["app/blobs/"+digest(good)] = []byte("tampered with, and longer than it said")
	if err := open().Verify(t.Context(), at+"/app:1", signed, nil, trusted); code(err) != "registry-unreachable" {
		t.Errorf("a payload that is not what the manifest says: %v", err)
	}
}

func TestCredentialsAndSilence(t *testing.T) {
	key := keys(t)["ecdsa"]
	trusted := []string{public(t, key)}
	good := payload("cosign container image signature", signed)
	r, at := serve(t, "pw")
	r.put("app", layer{good, sign(t, key, good)})
	for password, want := range map[string]string{"pw": "", "guess": "image-forbidden", "": "image-forbidden"} {
		var secret *domain.PullSecret
		if password != "" {
			secret = &domain.PullSecret{Domain: at, Username: "u", Password: password}
		}
		if err := open().Verify(t.Context(), at+"/app:1", signed, secret, trusted); code(err) != want {
			t.Errorf("password %q: %v", password, err)
		}
	}
	if err := open().Verify(t.Context(), "127.0.0.1:1/app", signed, nil, trusted); code(err) != "registry-unreachable" {
		t.Errorf("nobody there: %v", err)
	}
	if err := open().Verify(t.Context(), at+"/app:1", signed, nil, []string{"no key"}); err == nil {
		t.Error("no key is taken for one")
	}
}

func TestRegistriesSpeakTLSUnlessToldOtherwise(t *testing.T) {
	key := keys(t)["ed25519"]
	good := payload("cosign container image signature", signed)
	r := &registry{files: map[string][]byte{}, kinds: map[string]string{}}
	r.put("app", layer{good, sign(t, key, good)})
	server := httptest.NewTLSServer(r)
	t.Cleanup(server.Close)
	at := strings.TrimPrefix(server.URL, "https://")
	dir := t.TempDir()
	n := notary.New(notary.Options{CertificatesDir: dir})
	if err := n.Verify(t.Context(), at+"/app", signed, nil, []string{public(t, key)}); code(err) != "registry-unreachable" {
		t.Errorf("a certificate that nobody trusts: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, at), 0o750); err != nil {
		t.Fatal(err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(dir, at, "ca.crt"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := n.Verify(t.Context(), at+"/app", signed, nil, []string{public(t, key)}); err != nil {
		t.Errorf("with its CA: %v", err)
	}
}
