package config

import (
	"os"
	"strings"
	"testing"
)

// TestTableTellsTheTruth holds the column "Here" against the code: what is honoured
// or mapped fills a typed field, what is without effect fills none.
func TestTableTellsTheTruth(t *testing.T) {
	s := newSettings(nil, map[string]string{"DEFAULT.host": "h", "DEFAULT.my_ip": "192.0.2.1"})
	b := binder{s}
	b.config("/etc/zun")
	for _, o := range Options() {
		if read := s.used[o.Key()]; read != (o.Use != Inert) {
			t.Errorf("%s is listed as %q, and a typed field reads it: %v", o.Key(), o.Use, read)
		}
	}
	for key := range s.used {
		if _, known := s.rows[key]; !known {
			t.Errorf("a typed field reads %s, which the table does not hold", key)
		}
	}
}

func TestRowsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	s := newSettings(nil, map[string]string{"DEFAULT.host": "h", "DEFAULT.my_ip": "192.0.2.1"})
	for _, o := range Options() {
		if seen[o.Key()] {
			t.Errorf("%s is listed twice", o.Key())
		}
		seen[o.Key()] = true
		if o.Help == "" || o.Section == "" {
			t.Errorf("%s has no help or section", o.Key())
		}
		if (o.Use != Honoured) != (o.Note != "") {
			t.Errorf("%s is %q with the note %q", o.Key(), o.Use, o.Note)
		}
		if err := s.verdict(o); err != nil && o.Default != "" {
			t.Errorf("the default of %s is not usable: %v", o.Key(), err)
		}
	}
}

// TestEveryOptionOfTheOriginalIsListed reads the names that the original registers,
// kept in testdata as "section.option" lines.
func TestEveryOptionOfTheOriginalIsListed(t *testing.T) {
	text, err := os.ReadFile("testdata/original-options.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows := newSettings(nil, nil).rows
	names := strings.Fields(string(text))
	if len(names) < 176 {
		t.Fatalf("only %d names in testdata", len(names))
	}
	for _, key := range names {
		if row, known := rows[key]; !known || row.Ours {
			t.Errorf("%s of the original is not listed (or as ours)", key)
		}
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"port", "host_ip", "max_limit", "workers"}
	for name, want := range map[string]string{"prot": "port", "hostip": "host_ip", "maxlimit": "max_limit", "zzz": "", "": "", "porst": "port"} {
		if got := nearest(name, candidates); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
