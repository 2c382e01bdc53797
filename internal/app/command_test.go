package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/cli/usage"
)

// A unit or a script takes an exit without a failure for the chore done.
func TestAWordThatIsNoChoreIsAFailure(t *testing.T) {
	for line, want := range map[string]string{
		"nonsense":             `unknown command "nonsense" for "zun-api"; see zun-api --help`,
		"config chek":          `unknown command "chek" for "zun-api config"; did you mean check?`,
		"policy --set a.b=c x": `unknown command "x" for "zun-api policy"; see zun-api policy --help`,
		"user grant one":       `1 word is given; usage: zun-api user grant NAME PROJECT ROLE`,
		"config check this":    `1 word is given; usage: zun-api config check`,
	} {
		if err := run(t, t.TempDir(), strings.Fields(line)...); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("zun-api %s: %v, want %s", line, err, want)
		}
	}
}

func TestAShellIsAnsweredByTheServices(t *testing.T) {
	for _, line := range []string{"__complete conf", "__completeNoDesc config ch", "completion bash", "help config"} {
		if err := run(t, t.TempDir(), strings.Fields(line)...); err != nil {
			t.Errorf("zun-api %s: %v", line, err)
		}
	}
}

// A stamp without a version would say that a schema is there which nobody made.
func TestOnlyANamedVersionIsStamped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "zun.db")
	manage := func(words ...string) error {
		return usage.Execute(context.Background(), databaseCommands(),
			append([]string{"--config-file", os.DevNull, "--set", "database.connection=sqlite:///" + file}, words...))
	}
	for line, want := range map[string]string{
		"stamp":     "no word is given; usage: zun-db-manage stamp VERSION",
		"version 3": "1 word is given; usage: zun-db-manage version",
		"downgrade": `unknown command "downgrade" for "zun-db-manage"; see zun-db-manage --help`,
	} {
		if err := manage(strings.Fields(line)...); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("zun-db-manage %s: %v, want %s", line, err, want)
		}
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the database was touched: %v", err)
	}
	if err := manage("upgrade"); err != nil {
		t.Fatal(err)
	}
}
