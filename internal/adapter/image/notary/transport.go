package notary

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// answerWithin bounds the wait for a registry's headers.
const answerWithin = 20 * time.Second

// plain says whether the registry at host, with or without a port, speaks no TLS.
func (n *Notary) plain(host string) bool {
	name := host
	if split, _, err := net.SplitHostPort(host); err == nil {
		name = split
	}
	if slices.Contains(n.options.Plain, host) || slices.Contains(n.options.Plain, name) {
		return true
	}
	if name == "localhost" {
		name = "127.0.0.1"
	}
	address, err := netip.ParseAddr(name)
	return err == nil && slices.ContainsFunc(n.options.Plain, func(text string) bool {
		network, err := netip.ParsePrefix(text)
		return err == nil && network.Contains(address)
	})
}

// transport trusts, beside what the host trusts, the certificates laid out for registry.
func (n *Notary) transport(registry string) (*http.Transport, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("read the certificates that the host trusts: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(n.options.CertificatesDir, registry, "*.crt"))
	if err != nil {
		return nil, fmt.Errorf("look for the certificates of registry %s: %w", registry, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read a certificate of registry %s: %w", registry, err)
		}
		roots.AppendCertsFromPEM(text)
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: answerWithin, ResponseHeaderTimeout: answerWithin, DisableKeepAlives: true,
	}, nil
}
