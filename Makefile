# Kogge: everything a newcomer and CI need. `make help` says what there is.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TOOLS  := hostapd iproute2 wpasupplicant freeradius freeradius-postgresql freeradius-utils snmpd snmp prometheus prometheus-alertmanager postgresql chromium fonts-dejavu-core poppler-utils strace curl nginx-light caddy dnsmasq-base udhcpc kea-dhcp4-server kea-dhcp6-server isc-dhcp-server opennds iptables ethtool php-cli procps util-linux openssl gcc libc6-dev
RIVALS := freeradius freeradius-postgresql postgresql prometheus-snmp-exporter snmp gcc libc6-dev
SUDO   := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help setup run test quick check simulate fuzz fuzz-snmp bench bench-radius bench-radius-growth bench-radius-memory bench-portal bench-monitor \
  bench-rivals dashboards i18n test-tools lock clean

help: ## this list
	@echo "Kogge: free public Wi-Fi for allied cities. Targets:"
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
	@echo "The command line itself: $(BIN)/kogge --help"

setup: $(READY) ## make .venv with the pinned dependencies

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Kogge needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python cannot make virtual environments. On Debian: $(SUDO) apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# --no-deps: the file is complete, and pip's resolver trips over an extra (coverage[toml]) once a newer release is out
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

run: setup ## the demo: four cities with life in them (ARGS=--fresh starts anew)
	@$(BIN)/kogge demo $(ARGS)

test: setup ## all tests on SQLite and PostgreSQL; coverage of hotspot/
	@# three workers a core: most of these tests wait for a process, a database or a second
	$(BIN)/pytest -q -n $$((3 * $$(nproc))) --dist loadgroup -m "not system and not pages" --cov --cov-fail-under=95 $(ARGS)
	$(BIN)/pytest -q -n auto -m pages $(ARGS)
	$(BIN)/pytest -q -m system $(ARGS)

quick: setup ## the inner loop: no system tests, SQLite only, under two minutes
	@# three workers a core, as above
	KOGGE_DATABASES=sqlite $(BIN)/pytest -q -n $$((3 * $$(nproc))) --dist loadgroup -x -m "not system and not slow and not pages" $(ARGS)

check: setup ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

dashboards: ## write Grafana's dashboards anew from deploy/grafana/dashboards.toml
	$(PYTHON) deploy/grafana/generate.py

i18n: setup ## texts that a language lacks or has too many (ARGS=--write puts the missing ones in, empty)
	@$(BIN)/python -m tests.i18n $(ARGS)

simulate: setup ## a thousand simulated evenings and ten large ones, 15 minutes (ARGS='--seeds 17' repeats one)
	$(BIN)/python -m tests.trials $(ARGS)

fuzz: setup ## a running RADIUS server under fuzzed packets for ten minutes (ARGS='--seconds 60 --seed 17')
	$(BIN)/python -m tests.fuzz $(ARGS)

fuzz-snmp: setup ## the monitor's SNMP under mutated answers for ten minutes (ARGS='--seconds 60 --seed 17')
	$(BIN)/python -m tests.fuzz.snmp $(ARGS)

bench: setup bench-rivals ## all benchmarks, about half an hour (ARGS=portal for one); each ends with `result` lines
	$(BIN)/python -m bench $(ARGS)

bench-radius: setup bench-rivals ## RADIUS beside FreeRADIUS, on SQLite and PostgreSQL
	$(BIN)/python -m bench.radius $(ARGS)

bench-radius-growth: setup ## RADIUS with ten thousand to ten million closed sessions in the database
	$(BIN)/python -m bench.growth $(ARGS)

bench-radius-memory: setup ## the RADIUS server's memory over a million packets
	$(BIN)/python -m bench.memory $(ARGS)

bench-portal: setup ## the portal beside openwisp-radius, and with ten million sessions (ARGS=--no-growth is quicker)
	$(BIN)/python -m bench.portal $(ARGS)

bench-monitor: setup bench-rivals ## polling beside snmp_exporter, and 10,000 access points in the real monitor (ARGS=--no-fleets is quicker)
	$(BIN)/python -m bench.monitor $(ARGS)

bench-rivals: # what we are compared with and on: installed if we are root, named as missing by the benchmark otherwise
	@if [ "$$(id -u)" = 0 ] && command -v dpkg >/dev/null && ! dpkg -s $(RIVALS) >/dev/null 2>&1; then \
	  apt-get update --quiet && \
	  env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends $(RIVALS) || \
	  echo "not installed: the benchmark says what is missing"; fi

test-tools: ## install the Debian packages that the tests talk to (asks for root)
	@# opennds would start and take this machine's network for its own
	$(SUDO) systemctl mask --quiet opennds.service 2>/dev/null || true
	$(SUDO) apt-get update
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $(TOOLS)

lock: setup ## pin the newest dependencies into requirements.txt, with hashes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --python-version 3.11 --extra dev pyproject.toml --output-file requirements.txt --upgrade

clean: ## remove .venv, caches and the demo's state
	rm -rf $(VENV) var build artefacts .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
