# One word per chore. Everything a chore needs is installed by the chore.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BINARIES := zun-allinone zun-api zun-compute zun-wsproxy zun-db-manage zun-status zun
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/go-zun/zun/internal/app.version=$(VERSION)
export CGO_ENABLED := 0
SUITE ?=
PART ?=

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

build: ## all binaries into bin/
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ $(addprefix ./cmd/,$(BINARIES))

demo: ## install what is missing, start the all-in-one, run a container, leave the service up
	@scripts/demo.sh

stop: ## stop what demo started and remove what it left on this machine
	@scripts/stop.sh

test: ## lint and every suite; SUITE=name runs one
	@test/run $(SUITE)

matrix: ## the slower matrices: every crash window on every engine and database
	@test/run --matrix $(SUITE)

bench: ## what it costs and bears, against the bare engine; PART="load place" runs some
	@scripts/bench.sh $(PART)

lint: ## the linter alone
	@test/run lint

gen: ## write again everything that is generated
	@scripts/generate.sh

install: build ## binaries, units and directories of a deployment (PREFIX, DESTDIR)
	@scripts/install.sh

clean: ## remove what was built here
	rm -rf bin

.PHONY: help build demo stop test matrix bench lint gen install clean
