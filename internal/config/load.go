package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The places that are read when no file and no directory is named.
const (
	DefaultFile = "/etc/zun/zun.conf"
	DefaultDir  = "/etc/zun/zun.conf.d"
)

// Source says where the configuration of a process comes from.
type Source struct {
	Files []string // --config-file, in order; none means DefaultFile if it exists
	Dirs  []string // --config-dir, read after the files; none means DefaultDir if it exists and no file is named
	Set   []string // "section.option=value" from the command line; beats every file
	// Hostname and Address are the defaults of host and my_ip; empty asks the
	// operating system.
	Hostname string
	Address  string
}

// Load reads, merges and checks all of source. The error joins one Error for each
// line or value that cannot be used; warnings name what has no effect. Both are in
// the order of the files.
func Load(source Source) (Config, []Warning, error) {
	s, warnings, err := read(source)
	if err != nil {
		return Config{}, warnings, err
	}
	c := binder{s}.config(base(source))
	if wrong := s.contradictions(c); len(wrong) > 0 {
		return Config{}, warnings, errors.Join(wrong...)
	}
	return c, warnings, nil
}

// base is the directory that relative policy files stand in: that of the first file.
func base(source Source) string {
	if len(source.Files) > 0 {
		return filepath.Dir(source.Files[0])
	}
	return filepath.Dir(DefaultFile)
}

func read(source Source) (*settings, []Warning, error) {
	files, err := places(source)
	if err != nil {
		return nil, nil, err
	}
	var entries []entry
	var faults []error
	for _, file := range files {
		got, wrong := readFile(file)
		entries, faults = append(entries, got...), append(faults, wrong...)
	}
	set, wrong := overrides(source.Set)
	entries, faults = append(entries, set...), append(faults, wrong...)
	s := newSettings(entries, detected(source))
	warnings, wrong := s.judge()
	faults = append(faults, wrong...)
	order := func(name string, line int) (int, int) { return slices.Index(files, name), line }
	slices.SortStableFunc(warnings, func(a, b Warning) int {
		af, al := order(a.File, a.Line)
		bf, bl := order(b.File, b.Line)
		return cmp.Or(cmp.Compare(af, bf), cmp.Compare(al, bl), cmp.Compare(a.Message, b.Message))
	})
	slices.SortStableFunc(faults, func(a, b error) int { return cmp.Compare(faultOrder(files, a), faultOrder(files, b)) })
	return s, warnings, errors.Join(faults...)
}

// faultOrder sorts faults by file, then line, then text.
func faultOrder(files []string, err error) string {
	var e *Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%04d %08d %s", slices.Index(files, e.File)+1, e.Line, e.Option)
	}
	return "9 " + err.Error()
}

// places lists the files to read, in order. What was named must exist; the default
// places need not.
func places(source Source) ([]string, error) {
	files, dirs := source.Files, source.Dirs
	if len(files) == 0 {
		if _, err := os.Stat(DefaultFile); err == nil {
			files = []string{DefaultFile}
		}
		if info, err := os.Stat(DefaultDir); err == nil && info.IsDir() && len(dirs) == 0 {
			dirs = []string{DefaultDir}
		}
	}
	all := slices.Clone(files)
	for _, dir := range dirs {
		names, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("read configuration directory: %w", err)
		}
		for _, name := range names { // ReadDir sorts by name, as oslo.config does
			if !name.IsDir() && strings.HasSuffix(name.Name(), ".conf") {
				all = append(all, filepath.Join(dir, name.Name()))
			}
		}
	}
	return all, nil
}

func readFile(file string) (entries []entry, faults []error) {
	source, err := os.Open(file)
	if err != nil {
		return nil, []error{fmt.Errorf("open configuration file: %w", err)}
	}
	entries, faults = readINI(file, source)
	if err := source.Close(); err != nil {
		faults = append(faults, fmt.Errorf("close %s: %w", file, err))
	}
	return entries, faults
}

// commandLine stands for the file of a value that was set on the command line.
const commandLine = "command line"

func overrides(set []string) (entries []entry, faults []error) {
	for _, text := range set {
		key, value, found := strings.Cut(text, "=")
		section, name, dotted := strings.Cut(key, ".")
		if !found || !dotted || name == "" {
			faults = append(faults, &Error{File: commandLine, Reason: fmt.Sprintf("%q: expected section.option=value", key)})
			continue
		}
		entries = append(entries, entry{section: sectionName(section), name: name, value: value, file: commandLine})
	}
	return entries, faults
}

// detected finds the defaults that depend on the host.
func detected(source Source) map[string]string {
	host, address := source.Hostname, source.Address
	if host == "" {
		host = systemName()
	}
	if address == "" {
		address = systemAddress()
	}
	return map[string]string{"DEFAULT.host": host, "DEFAULT.my_ip": address}
}

func systemName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}

// systemAddress returns the first global IPv4 address of an interface that is up,
// loopback on a machine without one. Nothing is sent.
func systemAddress() string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	for _, address := range addresses {
		prefix, ok := address.(*net.IPNet)
		if ok && prefix.IP.To4() != nil && prefix.IP.IsGlobalUnicast() {
			return prefix.IP.String()
		}
	}
	return "127.0.0.1"
}
