package term

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// FuzzTicket holds that whatever a URL shows is either refused without being
// repeated or made of harmless characters only.
func FuzzTicket(f *testing.F) {
	for _, seed := range []string{"", "token=a", "token=%zz", "token=" + strings.Repeat("a", 64) + "&uuid=3f2b8a52-7e7c-4d4c-9f0e-0d3d1b8f5a11",
		"token=" + strings.Repeat("a", 64) + "&uuid={3f2b8a52-7e7c-4d4c-9f0e-0d3d1b8f5}&exec_id=..", "uuid=a;token=b", "&&&=", "token=a&token=b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		claim, err := readClaim(query)
		if err != nil {
			if values, _ := url.ParseQuery(query); len(values.Get("token")) > 8 && strings.Contains(err.Error(), values.Get("token")) {
				t.Errorf("the error repeats the ticket: %v", err)
			}
			if claim.Secret != "" {
				t.Error("a refused claim holds a ticket")
			}
			return
		}
		if len(claim.Secret) != ticketLength || len(claim.Container) != 36 || len(claim.ExecID) > longestExec {
			t.Errorf("taken: %+v", claim)
		}
		for _, s := range []string{claim.Secret, string(claim.Container), claim.ExecID} {
			if strings.ContainsAny(s, "/\\ \n\r\x00%\"'<>") {
				t.Errorf("taken: %q", s)
			}
		}
	})
}

// FuzzOrigin holds that no origin passes but those of the configuration.
func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{"", "null", "http://console.example", "http://console.example:1", "https://console.example", "http://console.example@evil",
		"http://evil#console.example", "HTTP://dashboard.EXAMPLE", "http:console.example", "http://console.example/", "http://[::1]:80", "http://console.example\x00evil"} {
		f.Add(seed)
	}
	o, _, err := readBase("ws://console.example:6784/", []string{"dashboard.example"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		if !o.allow([]string{origin}) {
			return
		}
		rest, ok := strings.CutPrefix(strings.ToLower(origin), "http://")
		if !ok {
			if rest, ok = strings.CutPrefix(strings.ToLower(origin), "ws://"); !ok {
				t.Fatalf("allowed: %q", origin)
			}
		}
		host, port, _ := strings.Cut(rest, ":")
		if host != "console.example" && host != "dashboard.example" || strings.Trim(port, "0123456789") != "" {
			t.Errorf("allowed: %q", origin)
		}
	})
}

// FuzzSignal holds that only the one signal a user may send is taken.
func FuzzSignal(f *testing.F) {
	for _, seed := range []string{`{"type":"eof"}`, `{}`, `[]`, `{"type":"exit","code":0}`, "", `{"type":"eof"}x`, strings.Repeat("[", 5000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if readEOF(strings.NewReader(text)) == nil && (!strings.Contains(text, "eof") && !strings.Contains(text, `\u`) || len(text) > maxSignal) {
			t.Errorf("taken: %q", text)
		}
	})
}

// FuzzForwarded holds that an address from a header is an address, and only a
// trusted peer's header is read.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"", "203.0.113.9", "a, b", "::1, [::1]", "10.0.0.1,10.0.0.2", ",,,", "fe80::1%eth0"} {
		f.Add(seed)
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, header string) {
		r := &http.Request{RemoteAddr: "10.0.0.1:5", Header: http.Header{"X-Forwarded-For": {header}}}
		if _, err := netip.ParseAddr(clientOf(r, trusted)); err != nil {
			t.Errorf("from %q: %v", clientOf(r, trusted), err)
		}
		r.RemoteAddr = "192.0.2.1:5"
		if got := clientOf(r, trusted); got != "192.0.2.1" {
			t.Errorf("a stranger's header was believed: %q", got)
		}
	})
}
