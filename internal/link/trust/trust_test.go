package trust_test

import (
	"crypto/ecdsa"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/link/trust"
)

func authority(t *testing.T) *trust.Authority {
	t.Helper()
	a, err := trust.NewAuthority("d1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func credential(t *testing.T, a *trust.Authority, id string) *trust.Credential {
	t.Helper()
	key := newKey(t)
	chain, err := a.Issue(key.Public(), trust.Identity{Role: trust.RoleNode, ID: id, Epoch: 2}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := trust.NewCredential(key, chain)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAuthoritySurvivesStorage(t *testing.T) {
	a := authority(t)
	key, err := a.KeyDER()
	if err != nil {
		t.Fatal(err)
	}
	b, err := trust.LoadAuthority("d1", a.CertPEM(), key)
	if err != nil || b.Hash() != a.Hash() {
		t.Fatalf("came back as another: %v", err)
	}
	credential(t, b, "h1")
	if _, err := trust.LoadAuthority("d1", authority(t).CertPEM(), key); err == nil {
		t.Error("a key was taken with a foreign certificate")
	}
	for _, bad := range [][]byte{nil, []byte("junk")} {
		if _, err := trust.LoadAuthority("d1", bad, key); err == nil {
			t.Errorf("certificate %q was taken", bad)
		}
		if _, err := trust.LoadAuthority("d1", a.CertPEM(), bad); err == nil {
			t.Errorf("key %q was taken", bad)
		}
	}
}

func TestVaultKeepsTheNewest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	v := trust.NewVault(dir)
	if c, err := v.Load(); c != nil || err != nil {
		t.Fatalf("an empty vault holds %v, %v", c, err)
	}
	a := authority(t)
	for _, id := range []string{"h1", "h2"} {
		if err := v.Save(credential(t, a, id)); err != nil {
			t.Fatal(err)
		}
		c, err := v.Load()
		if err != nil || c.Identity != (trust.Identity{Deployment: "d1", Role: trust.RoleNode, ID: id, Epoch: 2}) {
			t.Fatalf("kept %+v, %v", c, err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the vault's directory holds %v (%v)", files, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "identity.pem"), []byte("cut"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Load(); err == nil {
		t.Error("a damaged identity was taken")
	}
}

func TestCredentialBelongsTogether(t *testing.T) {
	a := authority(t)
	mine, other := newKey(t), newKey(t)
	chain, err := a.Issue(mine.Public(), trust.Identity{Role: trust.RoleNode, ID: "h1", Epoch: 2}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.NewCredential(other, chain); err == nil {
		t.Error("a certificate for another key was taken")
	}
	foreign, err := authority(t).Issue(mine.Public(), trust.Identity{Role: trust.RoleNode, ID: "h1", Epoch: 2}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.NewCredential(mine, [][]byte{chain[0], foreign[1]}); err == nil {
		t.Error("a certificate was taken with an authority that did not sign it")
	}
}

func TestTokensAndRequests(t *testing.T) {
	token, err := trust.NewToken(authority(t).Hash())
	if err != nil {
		t.Fatal(err)
	}
	back, err := trust.ParseToken(" " + token.String() + "\n")
	if err != nil || string(back.Secret) != string(token.Secret) || back.Authority != token.Authority {
		t.Fatalf("came back as %v, %v", back, err)
	}
	for _, bad := range []string{"", "zun-join-", token.String()[1:], token.String() + "AA", "zun-join-!!!"} {
		if _, err := trust.ParseToken(bad); !domain.IsKind(err, domain.Invalid) {
			t.Errorf("token %q: %v", bad, err)
		}
	}
	for _, bad := range [][]byte{nil, []byte("junk")} {
		if _, err := trust.ReadRequest(bad); !domain.IsKind(err, domain.Invalid) {
			t.Errorf("request %q: %v", bad, err)
		}
	}
}
