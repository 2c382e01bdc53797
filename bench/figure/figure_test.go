package figure_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/bench/figure"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	var hundred figure.Series
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 50, 0.9: 90, 0.99: 99, 1: 100} {
		if got := hundred.Quantile(q); got != want {
			t.Errorf("Quantile(%v) = %d, want %d", q, got, want)
		}
	}
	if hundred[0] != 100 {
		t.Error("the series was put into another order")
	}
	if got := (figure.Series{}).Quantile(0.5); got != 0 {
		t.Errorf("an empty series has the median %d", got)
	}
}

func TestOver(t *testing.T) {
	t.Parallel()
	over := figure.Series{5, 7, 9}.Over(figure.Series{1, 10})
	if len(over) != 2 || over[0] != 4 || over[1] != -3 {
		t.Errorf("Over = %v, want [4 -3]", over)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := figure.Table{Title: "Times", Head: []string{"what", "p50"}}
	table.Add("create", figure.Millis(1500*time.Microsecond))
	var out strings.Builder
	table.Print(&out)
	want := "\n### Times\n\n| what | p50 |\n| --- | ---: |\n| create | 1.5 ms |\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}
