package docker

import (
	"errors"
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

// TestWhyAnImageDidNotCome holds what engines and registries say against the reasons
// that users are told.
func TestWhyAnImageDidNotCome(t *testing.T) {
	for said, code := range map[string]string{
		`Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused`:                 "registry-unreachable",
		`Get "http://r/v2/": net/http: request canceled (Client.Timeout exceeded while awaiting headers)`: "registry-unreachable",
		`Get "http://r/v2/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`:  "registry-unreachable",
		`Get "https://r/v2/": net/http: TLS handshake timeout`:                                            "registry-unreachable",
		`Get "https://r/v2/": dial tcp: lookup r: no such host`:                                           "registry-unreachable",
		`Head "https://r/v2/app/manifests/1": unauthorized: authentication required`:                      "image-forbidden",
		`manifest for r/app:1 not found: manifest unknown: manifest unknown`:                              "image-not-found",
	} {
		var fault *domain.Fault
		if err := error(pullFault(errors.New(said), "r/app:1")); !errors.As(err, &fault) || fault.Code != code {
			t.Errorf("%q is told as %v, want %s", said, fault, code)
		}
	}
}
