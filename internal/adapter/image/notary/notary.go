// Package notary verifies signatures of images as cosign makes them: beside an image of
// digest sha256:X its repository holds a manifest tagged sha256-X.sig, whose layers are
// payloads in the simple signing format, each with a signature in an annotation.
package notary

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/go-zun/zun/internal/domain"
)

const (
	annotation  = "dev.cosignproject.cosign/signature"
	payloadKind = "cosign container image signature"

	maxManifest = 4 << 20 // bytes, as registries bound it
	maxPayload  = 64 << 10
	maxLayers   = 64 // signatures looked at
)

// Options say how registries are reached.
type Options struct {
	// Plain are registries that are spoken to without TLS: hosts with or without a
	// port, or networks.
	Plain []string
	// CertificatesDir holds CA certificates as HOST:PORT/*.crt; it may be missing.
	CertificatesDir string
}

// Notary verifies signatures. It is safe for concurrent use.
type Notary struct{ options Options }

// New returns a notary.
func New(o Options) *Notary { return &Notary{o} }

// Verify returns nil if the manifest digest in the repository of reference bears a
// signature by one of keys (PEM). Faults: Forbidden for an image without one, or whose
// registry does not show it; Unavailable if the registry does not answer.
func (n *Notary) Verify(ctx context.Context, reference, digest string, secret *domain.PullSecret, keys []string) error {
	verifiers, err := read(keys)
	if err != nil {
		return err
	}
	repo, err := n.repository(reference, secret)
	if err != nil {
		return err
	}
	signatures, err := signatures(ctx, repo, digest)
	if err != nil {
		return fault(err, reference)
	}
	for _, s := range signatures {
		if s.holds(digest) && verified(s, verifiers) {
			return nil
		}
	}
	return unsigned(reference)
}

func unsigned(reference string) error {
	return domain.NewFault(domain.Forbidden, "image-not-signed", "Image %s bears no signature by a key that is trusted here.", reference)
}

// repository is the client of the registry that reference names.
func (n *Notary) repository(reference string, secret *domain.PullSecret) (*remote.Repository, error) {
	name, _, ok := domain.SplitReference(reference)
	if !ok {
		return nil, unsigned(reference)
	}
	name = domain.FullRepository(name)
	repo, err := remote.NewRepository(name)
	if err != nil {
		return nil, domain.WrapFault(err, domain.Forbidden, "image-not-signed", "The signature of image %s cannot be looked for: %s is no repository.", reference, name)
	}
	host := repo.Reference.Host()
	repo.PlainHTTP = n.plain(host)
	transport, err := n.transport(repo.Reference.Registry)
	if err != nil {
		return nil, err
	}
	client := &auth.Client{Client: &http.Client{Transport: transport}, Cache: auth.NewCache()}
	client.SetUserAgent("zun-compute")
	if secret != nil {
		client.Credential = auth.StaticCredential(host, auth.Credential{Username: secret.Username, Password: secret.Password})
	}
	repo.Client = client
	return repo, nil
}

// signature is one layer of the manifest of signatures.
type signature struct {
	payload []byte
	bytes   []byte
}

// signatures reads what the repository holds for digest; none is an empty list.
func signatures(ctx context.Context, repo *remote.Repository, digest string) ([]signature, error) {
	tag := strings.Replace(digest, ":", "-", 1) + ".sig"
	descriptor, body, err := repo.FetchReference(ctx, tag)
	if errors.Is(err, errdef.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	raw, err := take(body, descriptor, maxManifest)
	if err != nil {
		return nil, err
	}
	var manifest ocispec.Manifest
	if json.Unmarshal(raw, &manifest) != nil {
		return nil, nil //nolint:nilerr // what is no manifest holds no signature
	}
	var all []signature
	for _, layer := range manifest.Layers[:min(len(manifest.Layers), maxLayers)] {
		bytes, err := base64.StdEncoding.DecodeString(layer.Annotations[annotation])
		if err != nil || len(bytes) == 0 || layer.Size > maxPayload {
			continue
		}
		body, err := repo.Blobs().Fetch(ctx, layer)
		if errors.Is(err, errdef.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		payload, err := take(body, layer, maxPayload)
		if err != nil {
			return nil, err
		}
		all = append(all, signature{payload, bytes})
	}
	return all, nil
}

// take reads a body to its end, holds it to its descriptor and to most bytes.
func take(body io.ReadCloser, d ocispec.Descriptor, most int64) ([]byte, error) {
	defer func() { _ = body.Close() }() // read to its end, or of no use
	if d.Size > most {
		return nil, fmt.Errorf("%d bytes are more than a signature has", d.Size)
	}
	return content.ReadAll(body, d)
}

// holds says whether the payload speaks of the image digest.
func (s signature) holds(digest string) bool {
	var said struct {
		Critical struct {
			Type  string `json:"type"`
			Image struct {
				Digest string `json:"docker-manifest-digest"`
			} `json:"image"`
		} `json:"critical"`
	}
	return json.Unmarshal(s.payload, &said) == nil && said.Critical.Type == payloadKind && said.Critical.Image.Digest == digest
}

// read parses public keys. One that cannot be parsed is an Internal fault: control
// checked them when it read the policy.
func read(keys []string) ([]crypto.PublicKey, error) {
	var all []crypto.PublicKey
	for _, text := range keys {
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, errors.New("read a public key: it is not in PEM form")
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read a public key: %w", err)
		}
		all = append(all, key)
	}
	return all, nil
}

func verified(s signature, keys []crypto.PublicKey) bool {
	sum := sha256.Sum256(s.payload)
	for _, key := range keys {
		var good bool
		switch k := key.(type) {
		case *ecdsa.PublicKey:
			good = ecdsa.VerifyASN1(k, sum[:], s.bytes)
		case ed25519.PublicKey:
			good = ed25519.Verify(k, s.payload, s.bytes)
		case *rsa.PublicKey:
			good = rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], s.bytes) == nil
		}
		if good {
			return true
		}
	}
	return false
}

// fault words what a registry said.
func fault(err error, reference string) error {
	var answer *errcode.ErrorResponse
	if errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) {
		return domain.WrapFault(err, domain.Forbidden, "image-forbidden", "The registry did not let the signature of image %s be read: it wants other credentials.", reference)
	}
	if errors.Is(err, auth.ErrBasicCredentialNotFound) {
		return domain.WrapFault(err, domain.Forbidden, "image-forbidden", "The registry did not let the signature of image %s be read: it wants credentials.", reference)
	}
	return domain.WrapFault(err, domain.Unavailable, "registry-unreachable", "The registry of image %s cannot be asked for its signature from the host.", reference)
}
