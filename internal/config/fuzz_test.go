package config_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/config"
)

// FuzzOption gives any option any value: it is refused by a fault that names an option
// and keeps secrets to itself, or it can be loaded and shown.
func FuzzOption(f *testing.F) {
	for i, o := range config.Options() {
		f.Add(uint16(i), o.Default)
	}
	for i, value := range []string{"-1", "1e309", "$host", "${api.port}", "$$", "\\$x", "NaN", "a,,b", "'", "k:v,w", "[::1]:80", ":99999", "::/129", "10k", "http://%zz", "\x00", "0x10", "١"} {
		f.Add(uint16(i*13), value)
	}
	all := config.Options()
	f.Fuzz(func(t *testing.T, index uint16, value string) {
		o := all[int(index)%len(all)]
		from := config.Source{Files: []string{os.DevNull}, Set: []string{o.Key() + "=" + value}, Hostname: "h", Address: "192.0.2.1"}
		_, _, err := config.Load(from)
		if err == nil {
			if err := config.Show(io.Discard, from); err != nil {
				t.Errorf("%s = %q is loaded and cannot be shown: %v", o.Key(), value, err)
			}
			return
		}
		var fault *config.Error
		if !errors.As(err, &fault) || fault.Option == "" || fault.Reason == "" {
			t.Errorf("%s = %q: %v", o.Key(), value, err)
		}
		const guessable = 8 // shorter values stand in every text by chance
		if o.Secret && len(value) > guessable && !strings.HasPrefix(o.Default, value) && strings.Contains(err.Error(), value) {
			t.Errorf("%s is told: %v", o.Key(), err)
		}
	})
}
