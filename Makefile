# The commands of this project. A fresh machine needs Node.js >= 20, npm and make; everything else,
# the Node.js that runs the broker included, comes from package-lock.json.

SHELL := /bin/sh
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# Runs a program of this repository, or says that it is not there yet.
program = @if [ -f $(1) ]; then node $(1) $(2); else \
	echo "$@: $(1) does not exist yet (see docs/roadmap.md)" >&2; exit 1; fi

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install dependencies when package-lock.json changed
	@scripts/setup

.PHONY: build
build: setup ## Compile all packages
	@tsc -b

.PHONY: run
run: build ## Start a durable broker on 127.0.0.1:1883, in the foreground
	@exec scripts/robustctl standalone start $(ARGS)

.PHONY: test
test: build ## Check the rules and run every test; the last line counts them
	@node scripts/run-tests.ts

.PHONY: unit
unit: build ## Run the tests that need no process and no socket
	@node scripts/run-tests.ts unit

.PHONY: e2e
e2e: build ## Run the tests with real processes, sockets and third-party clients
	@node scripts/run-tests.ts e2e script

.PHONY: cluster-up
cluster-up: build ## Start a cluster of nine processes on this machine, in the background
	@node scripts/cluster.ts up

.PHONY: cluster-down
cluster-down: build ## Stop that cluster; its data stays
	@node scripts/cluster.ts down

# The reliability campaigns: each prints its figures and fails when one is missed.
campaign = @node --conditions=source services/mqtt-broker/test/campaign/main.ts

.PHONY: crash
crash: build ## Kill the broker under load, and check that nothing acknowledged is lost
	$(campaign) crash $(ARGS)

.PHONY: powercut
powercut: build ## Take the power away under load, with torn writes; flip bits in each kind of file
	$(campaign) powercut bitflip $(ARGS)

.PHONY: fulldisk
fulldisk: build ## Fill the broker's disk, a tmpfs of 64 MB; needs root
	$(campaign) fulldisk $(ARGS)

.PHONY: overload
overload: build ## Stall readers, publish at twice the capacity, connect 10,000 clients at once
	$(campaign) overload $(ARGS)

# The same for the placement center: three processes each.
placement-campaign = @node --conditions=source services/placement-center/test/campaign/main.ts

.PHONY: linearizability
linearizability: build ## Ten minutes of faults against the placement center; its history is checked
	$(placement-campaign) linearizability $(ARGS)

.PHONY: storm
storm: build ## Two minutes of each kind of fault against the placement center
	$(placement-campaign) storm $(ARGS)

.PHONY: leader-kills
leader-kills: build ## Kill the placement center's leader under load: when do writes resume?
	$(placement-campaign) leader $(ARGS)

.PHONY: powercut-placement
powercut-placement: build ## Take the power from all members at once; flip bits in each kind of file
	$(placement-campaign) powercut bitflip $(ARGS)

.PHONY: clocks
clocks: build ## Let the clocks of the placement center's machines jump; needs libfaketime
	$(placement-campaign) clocks $(ARGS)

.PHONY: placement-load
placement-load: build ## A million keys; ten thousand watches and leases: restart, memory, pace
	$(placement-campaign) size crowd $(ARGS)

# And for the whole cluster: nine processes, clients over all brokers, a delivery ledger.
cluster-campaign = @node --conditions=source services/robustctl/test/cluster/main.ts

.PHONY: delivery
delivery: build ## Two minutes of each kind of fault against a whole cluster; needs root for cuts
	$(cluster-campaign) delivery $(ARGS)

.PHONY: rotation
rotation: build ## Ten minutes of all faults in turn against nine hosts of one process each
	$(cluster-campaign) rotation $(ARGS)

.PHONY: journal-storm
journal-storm: build ## Two minutes of each kind of fault, and of all in turn, beside appends to the journal
	$(cluster-campaign) journal-storm $(ARGS)

.PHONY: journal-powercut
journal-powercut: build ## Take the power from all journal servers at once, with torn writes
	$(cluster-campaign) journal-powercut $(ARGS)

.PHONY: journal-fulldisk
journal-fulldisk: build ## Fill the disk of one journal server, then of all
	$(cluster-campaign) journal-fulldisk $(ARGS)

.PHONY: cluster-powercut
cluster-powercut: build ## Take the power from all nine processes at once; flip bits of one host
	$(cluster-campaign) powercut bitflip $(ARGS)

.PHONY: cluster-clocks
cluster-clocks: build ## Hosts an hour ahead and back, jumps, kills; needs libfaketime
	$(cluster-campaign) clocks $(ARGS)

.PHONY: cluster-overload
cluster-overload: build ## Give the three brokers of a cluster more than they can do
	$(cluster-campaign) overload $(ARGS)

.PHONY: cluster-upgrade
cluster-upgrade: build ## Roll from an earlier release to this one and back (ARGS='--before COMMIT')
	$(cluster-campaign) upgrade $(ARGS)

.PHONY: cluster-conformance
cluster-conformance: build ## Run the suites of Eclipse Paho on a cluster (ARGS='--suites FOLDER')
	$(cluster-campaign) conformance $(ARGS)

.PHONY: fuzz-sockets
fuzz-sockets: build ## Send 200,000 damaged packets over real connections
	$(campaign) fuzz-sockets $(ARGS)

.PHONY: fuzz
fuzz: build ## Feed random and mutated bytes to the codecs, for a long time
	@ROBUSTMQ_FUZZ=1 vitest run --project fuzz --passWithNoTests

.PHONY: lint
lint: build ## Check layers, purity, sizes, names, citations, types and format
	@node scripts/lint.ts

.PHONY: fmt
fmt: setup ## Format all sources
	@biome format --write

.PHONY: check
check: test ## Exactly what the continuous integration runs

.PHONY: coverage
coverage: build ## Run the unit tests and write coverage/
	@vitest run --project unit --coverage

# Simulations run in as many processes as there are processors, or PROCESSES=n.
simulate = @node --conditions=source libs/simulator/src/main.ts --processes $(or $(PROCESSES),$(shell nproc))

.PHONY: sim
sim: setup ## Simulate placement groups: 2,000 seeds, or SEEDS=n; SEED=n replays one; ARGS=--help
	$(simulate) $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000)) $(ARGS)

simulate-cluster = @node --conditions=source services/mqtt-broker/src/testing/simulation/main.ts

.PHONY: sim-cluster
sim-cluster: setup ## Simulate whole clusters of brokers: 500 seeds, or SEEDS=n; SEED=n replays one
	$(simulate-cluster) $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),500)) $(ARGS)

.PHONY: sim-cluster-mutants
sim-cluster-mutants: setup ## Plant every known bug of a cluster, and count the seeds until it is noticed
	$(simulate-cluster) --mutants --seeds $(or $(SEEDS),200) $(ARGS)

.PHONY: sim-long
sim-long: setup ## Simulate 50 000 seeds: a night's work
	$(simulate) --from $(or $(FROM),1) --seeds $(or $(SEEDS),50000) $(ARGS)

.PHONY: sim-mutants
sim-mutants: setup ## Plant every known bug, and count the seeds until the simulator notices
	$(simulate) --mutants $(ARGS)

.PHONY: check-history
check-history: setup ## Judge whether a recorded history is linearizable (FILE=history.jsonl)
	@node --conditions=source libs/simulator/src/main.ts check-history $(FILE)

.PHONY: golden
golden: build ## Rewrite the expected output of the text scenarios; review the diff
	@GOLDEN=1 vitest run --project unit scenarios

.PHONY: spec-coverage
spec-coverage: build ## List which statements of the MQTT standards are cited and tested
	$(call program,scripts/spec-coverage.ts)

.PHONY: bench
bench: build ## Measure beside Mosquitto, write docs/benchmarks.md (ARGS=--quick: a look)
	$(call program,scripts/bench.ts,$(ARGS))

.PHONY: bench-shard
bench-shard: build ## Measure a replica of a shard beside plain writes, its restart, a rare topic
	$(call program,scripts/bench-shard.ts,$(ARGS))

.PHONY: bench-journal
bench-journal: build ## Measure appends to journal servers beside NATS JetStream
	$(call program,scripts/bench-journal.ts,$(ARGS))

.PHONY: bench-cluster
bench-cluster: build ## Measure clusters of brokers beside NATS and RabbitMQ, into the same page
	$(call program,scripts/bench-cluster.ts,$(ARGS))

.PHONY: bench-placement
bench-placement: build ## Measure the placement center beside etcd, into the same page
	$(call program,scripts/bench-placement.ts,$(ARGS))

.PHONY: release
release: build ## Make release/robustmq-<version>-linux-x64.tar.gz, which runs without npm
	@node scripts/release.ts

.PHONY: clean
clean: ## Remove everything that can be made again; data/ stays
	rm -rf build release coverage .cache
	rm -rf libs/*/dist services/*/dist libs/*/*.tsbuildinfo services/*/*.tsbuildinfo
