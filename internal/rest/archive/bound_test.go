package archive_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/archive"
)

// stalled is a client that takes so many pieces and then nothing more: the bound of the
// next write passes, as the kernel would tell.
type stalled struct {
	*httptest.ResponseRecorder
	takes  int
	bound  time.Time // in force
	writes int       // without a bound in force
}

// SetWriteDeadline is found by http.ResponseController.
func (s *stalled) SetWriteDeadline(t time.Time) error {
	s.bound = t
	return nil
}

func (s *stalled) Write(p []byte) (int, error) {
	if s.bound.Before(time.Now()) {
		s.writes++
	}
	if s.takes--; s.takes < 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return s.ResponseRecorder.Write(p)
}

// pieces gives pieces to the sink until it takes no more.
func pieces(told *error) archive.Get {
	return func(sink control.ByteSink) (domain.PathStat, error) {
		for range 1000 {
			if err := sink(make([]byte, 64<<10)); err != nil {
				*told = err
				return domain.PathStat{}, err
			}
		}
		return domain.PathStat{}, nil
	}
}

func TestAClientThatTakesNothingEndsItsArchive(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(w http.ResponseWriter, get archive.Get) error{
		"tar":  archive.Send,
		"JSON": func(w http.ResponseWriter, get archive.Get) error { return archive.SendJSON(w, http.StatusOK, get) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &stalled{ResponseRecorder: httptest.NewRecorder(), takes: 3}
			var told error
			func() {
				defer func() {
					if cut := recover(); cut != http.ErrAbortHandler { //nolint:errorlint // what is recovered is this very value
						t.Errorf("the connection is not cut: %v", cut)
					}
				}()
				if err := send(w, pieces(&told)); err != nil {
					t.Errorf("sent: %v", err)
				}
			}()
			if !errors.Is(told, os.ErrDeadlineExceeded) {
				t.Errorf("the host is told %v", told)
			}
			if w.writes > 0 {
				t.Errorf("%d writes without a bound", w.writes)
			}
			if !w.bound.IsZero() {
				t.Error("the bound outlives the answer")
			}
		})
	}
}
