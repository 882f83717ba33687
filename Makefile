# Every target does its own set-up: on a fresh Debian 12 with any Node from 20 and npm, `sudo make test` is enough.
# `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
DESTDIR ?=
CLANG ?= clang-19
LLVM_STRIP ?= llvm-strip-19
NODE_VERSION := 24.21.0

# npm's own `node` package stands before the machine's, where it was needed and is there.
export PATH := $(CURDIR)/.runtime/node_modules/node/bin:$(PATH)
export npm_config_update_notifier := false
export npm_config_fund := false
export npm_config_audit := false

NODE_MODULES := node_modules/.package-lock.json
BUILT := dist/.built

.PHONY: help
help: ## This list
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- set-up

.PHONY: runtime
runtime: ## Node for this project: the machine's own from 22.12, else npm's pinned one under .runtime/
	@scripts/runtime.sh $(NODE_VERSION)

.PHONY: deps
deps: ## The Debian packages that running needs, installed only when missing
	@scripts/packages.sh run

.PHONY: deps-test
deps-test:
	@scripts/packages.sh run demo test engine compose bpf kernels etcd

$(NODE_MODULES): package-lock.json | runtime
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
	@node scripts/check-native.ts

# ---------------------------------------------------------------- build

.PHONY: build
build: $(BUILT) ## Compile the control plane to dist/, when a source is newer

$(BUILT): $(NODE_MODULES) tsconfig.json tsconfig.build.json $(shell find src -name '*.ts' ! -name '*.test.ts')
	npx tsc -p tsconfig.build.json
	@touch $@

# The objects are committed, so that nobody needs a compiler to use them. The path of the checkout
# does not enter them: everything is compiled by relative paths from the root.
BPF_SOURCES := $(wildcard bpf/*.bpf.c)
BPF_HEADERS := $(wildcard bpf/*.h bpf/abi/*.h bpf/lib/*.h)
BPF_BUILD ?= bpf/build
BPF_OBJECTS := $(BPF_SOURCES:bpf/%.c=$(BPF_BUILD)/%.o)
MULTIARCH := $(shell uname -m)-linux-gnu
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu17 -Wall -Wextra -Werror \
	-fdebug-compilation-dir=. -fdebug-prefix-map=$(CURDIR)=. -Ibpf -I/usr/include/$(MULTIARCH)

.PHONY: bpf
bpf: $(BPF_OBJECTS) ## Compile the BPF programs to bpf/build/ (clang-19; the objects are committed)

$(BPF_BUILD)/%.bpf.o: bpf/%.bpf.c $(BPF_HEADERS) Makefile
	@scripts/packages.sh bpf
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@.tmp
	$(LLVM_STRIP) -g $@.tmp
	@mv $@.tmp $@

.PHONY: generate
generate: $(NODE_MODULES) ## Write what is written from the ABI: the maps' TypeScript layouts, docs/drops.md
	node src/maps/generate.ts
	node scripts/drops-doc.ts

# ---------------------------------------------------------------- tests

.PHONY: test
test: deps-test build ## Every check and every test, with a summary (root)
	node scripts/test.ts

.PHONY: test-unit
test-unit: deps-test build ## Only the tests that need no root
	node scripts/test.ts units

.PHONY: test-cluster
test-cluster: deps-test build ## Only a cluster: its store on three members of etcd, 20 simulated hosts on one
	node scripts/test.ts cluster

.PHONY: test-kernel
test-kernel: deps-test build ## Only the tests against this machine's kernel (root)
	node scripts/test.ts kernel

.PHONY: test-lab
test-lab: deps-test build ## Only the labs: hosts in namespaces, each with a daemon (root)
	node scripts/test.ts lab

.PHONY: test-rates
test-rates: deps-test build ## Limits of a rate from 1 Mbit to 5 Gbit a second, as a table (root; 8 minutes)
	node test/lab/rates-grid.ts

.PHONY: test-policy
test-policy: deps-test build ## Every policy set against the model, cell by cell (root; `make test` tries every tenth)
	VETCH_POLICY_SETS=all node scripts/test.ts policy

.PHONY: test-docker
test-docker: deps-test build ## Only the scenarios on a real engine of Docker's, in a lab (root)
	node scripts/test.ts docker

.PHONY: test-engines
test-engines: deps-test build ## The same scenarios on Docker 26.1 and 28.5, fetched once into .cache/ (root)
	@scripts/packages.sh engines
	node scripts/test.ts engine-

.PHONY: test-runtimes
test-runtimes: deps-test build ## Units, API and loader tests under Node 22 and 26
	node scripts/test.ts node-

.PHONY: test-kernels
test-kernels: deps-test build ## Kernel tests and a small lab on other kernels, under QEMU
	node scripts/test.ts kernel-

.PHONY: lint
lint: $(NODE_MODULES) ## Biome: format and lint
	npx biome ci --error-on-warnings --diagnostic-level=warn .

.PHONY: format
format: $(NODE_MODULES) ## Let Biome format what it can
	npx biome check --write .

.PHONY: types
types: $(NODE_MODULES) ## TypeScript, without output
	npx tsc -p tsconfig.json

.PHONY: layers
layers: $(NODE_MODULES) ## Imports point one way
	node scripts/check-layers.ts

.PHONY: check-generated
check-generated: $(NODE_MODULES) ## What is written from the ABI is up to date
	node src/maps/generate.ts --check
	node scripts/drops-doc.ts --check

.PHONY: check-bpf
check-bpf: ## A rebuild gives the committed objects, byte for byte
	@scripts/packages.sh bpf
	@scripts/check-bpf.sh

.PHONY: instructions
KERNELS ?= 6.1 6.12
instructions: deps-test build ## Write bpf/instructions.json, how large programs are here and on KERNELS under QEMU (root)
	node scripts/instructions.ts $(KERNELS)

# ---------------------------------------------------------------- use

.PHONY: demo
demo: build ## The main job before your eyes: a network, a published port, a deny, the drops (root; cleans up)
	@scripts/packages.sh run demo
	node scripts/demo.ts

.PHONY: bench
bench: build ## The measurements under bench/ (root)
	@scripts/packages.sh run demo bench engine etcd
	node bench/main.ts

.PHONY: charts
charts: $(NODE_MODULES) ## Draw docs/charts anew from docs/benchmarks.json, without measuring
	node bench/main.ts --charts

.PHONY: sim
sim: $(NODE_MODULES) ## 200 simulated hosts and 50,000 endpoints on one etcd, into docs/simulation.md (10 to 30 minutes; root)
	@scripts/packages.sh run etcd
	unshare --mount node test/sim/main.ts $(WHOLE)

.PHONY: install
install: deps build ## Copy to PREFIX (/usr/local), put `vetch` on the PATH and its systemd unit in place
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" packaging/install.sh

.PHONY: uninstall
uninstall: ## Undo `make install`, and remove everything from the kernel
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" packaging/uninstall.sh

.PHONY: clean
clean: ## Remove what was built, and keep what was downloaded
	rm -rf dist .cache/results .cache/check-bpf
