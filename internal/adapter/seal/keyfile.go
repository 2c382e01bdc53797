package seal

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	secretBytes = 32 // AES-256
	idBytes     = 4  // of a made id, which is shown as hexadecimal digits
	maxID       = 64 // bytes
)

// readKeys reads the file; empty lines and lines that begin with # are left out.
func readKeys(path string) ([]key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("find key file: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("key file %s may be read by every user of this host (mode %04o): chmod 0600 it", path, info.Mode().Perm())
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	var keys []key
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k, err := readKey(line)
		if err != nil { // the error never shows the line, which is a secret
			return nil, fmt.Errorf("key file %s, line %d: %w", path, number, err)
		}
		if slices.ContainsFunc(keys, func(other key) bool { return other.id == k.id }) {
			return nil, fmt.Errorf("key file %s, line %d: the id %s stands there already", path, number, k.id)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("key file %s holds no key", path)
	}
	return keys, nil
}

func readKey(line string) (key, error) {
	fields := strings.Fields(line)
	if len(fields) != 2 || len(fields[0]) > maxID {
		return key{}, errors.New("expected \"id key\"")
	}
	secret, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil || len(secret) != secretBytes {
		return key{}, fmt.Errorf("expected a key of %d bytes in base64", secretBytes)
	}
	return newKey(fields[0], secret)
}

// freshLine makes a random key with a random id.
func freshLine() string {
	random := make([]byte, idBytes+secretBytes)
	_, _ = rand.Read(random) // never fails: the Go runtime ends the process if the system has no randomness
	return hex.EncodeToString(random[:idBytes]) + " " + base64.StdEncoding.EncodeToString(random[idBytes:]) + "\n"
}

// ensure makes the key file if it is missing. Of several replicas starting at once one
// makes it: linking a draft fails where a file stands, so nobody reads half a file and
// nobody's key is overwritten.
func ensure(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return nil // an error other than absence is reported by the reading that follows
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make directory of the key file: %w", err)
	}
	draft, err := writeDraft(path, freshLine())
	if err != nil {
		return err
	}
	err = os.Link(draft, path)
	if errors.Is(err, os.ErrExist) {
		err = nil
	}
	if err := errors.Join(err, os.Remove(draft)); err != nil {
		return fmt.Errorf("make key file: %w", err)
	}
	return nil
}

// Rotate puts a new key before those of the file. Running processes open with it as soon
// as they meet it and seal with it after a restart; older keys stay for what they sealed.
func Rotate(path string) error {
	if _, err := readKeys(path); err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read key file: %w", err)
	}
	draft, err := writeDraft(path, freshLine()+string(content))
	if err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return errors.Join(fmt.Errorf("replace key file: %w", err), os.Remove(draft))
	}
	return nil
}

// writeDraft writes content to a new file beside path, mode 0600, and returns its name.
func writeDraft(path, content string) (string, error) {
	draft, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return "", fmt.Errorf("create draft of the key file: %w", err)
	}
	_, err = draft.WriteString(content)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write key file: %w", err), os.Remove(draft.Name()))
	}
	return draft.Name(), nil
}
