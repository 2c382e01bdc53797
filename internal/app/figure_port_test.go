package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/config"
)

func TestFigurePort(t *testing.T) {
	f, err := newFigurePort(t.Context(), "127.0.0.1:0", "[agent] metrics_address")
	if err != nil {
		t.Fatal(err)
	}
	newImageFigures(f.registry).Stocked(3, 1024)
	address := f.listener.Addr().String()
	if _, err := newFigurePort(t.Context(), address, "[agent] metrics_address"); err == nil || !strings.Contains(err.Error(), "[agent] metrics_address") {
		t.Errorf("a port in use is told as %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- f.run(ctx, config.Config{API: config.API{StopTimeout: time.Second}}, slog.New(slog.DiscardHandler))
	}()
	for path, want := range map[string]string{"/metrics": "zun_images 3\n", "/": "404 page not found\n"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if closeErr := answer.Body.Close(); err != nil || closeErr != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s answers %q, %v", path, body, err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestNobodyAsksForFigures(t *testing.T) {
	f, err := newFigurePort(t.Context(), "", "[agent] metrics_address")
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if err := f.run(t.Context(), config.Config{}, slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
}
