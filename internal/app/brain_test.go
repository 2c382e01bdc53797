package app

import (
	"os"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/domain"
)

func TestWhatAHostKeepsForItselfIsNotHandedOut(t *testing.T) {
	c, _, err := config.Load(config.Source{Files: []string{os.DevNull}, Set: []string{
		"compute.reserved_host_cpus=2", "compute.reserved_host_memory_mb=1024", "compute.reserved_host_disk_mb=2049",
		"compute.cpu_allocation_ratio=1", "compute.ram_allocation_ratio=1", "compute.disk_allocation_ratio=1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	host := domain.Host{Inventory: domain.Inventory{CPUs: 8, MemoryMB: 4096, DiskGB: 10}}
	options, err := controlOptions(c)
	if err != nil {
		t.Fatal(err)
	}
	got := options.Ratios.Capacity(&host)
	if got.CPU != 6 || got.MemoryMB != 3072 || got.DiskGB != 7 {
		t.Errorf("handed out: %+v", got)
	}
}

func TestFiltersOfTheConfigurationAreReadAndUnknownOnesRefused(t *testing.T) {
	for _, given := range []struct{ filters, fault string }{
		{"ComputeFilter, RamFilter", ""}, {"", ""}, {"ComputeFilter,MagicFilter", `[scheduler] enabled_filters: filter "MagicFilter" is unknown`},
	} {
		c, _, err := config.Load(config.Source{Files: []string{os.DevNull}, Set: []string{"scheduler.enabled_filters=" + given.filters, "scheduler.driver=chance_scheduler"}})
		if err != nil {
			t.Fatal(err)
		}
		options, err := controlOptions(c)
		switch {
		case given.fault == "" && (err != nil || !options.Placing.Random):
			t.Errorf("%q: %v, %+v", given.filters, err, options.Placing)
		case given.fault != "" && (err == nil || !strings.HasPrefix(err.Error(), given.fault)):
			t.Errorf("%q: %v", given.filters, err)
		}
	}
}
