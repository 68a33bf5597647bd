# `make` builds build/, the whole app for any static host; `make help` lists the rest.
# FAST=1 is for quick rounds of work: it leaves out the slow compression of the wasm, and goes on with
# the last one while the server does not compile.

GO ?= go
PORT ?= 8000
STATICCHECK := .cache/bin/staticcheck-v0.8.2
MODULES := node_modules/.package-lock.json

# The browser of the tests: one that is there, or Debian's. Looked up anew in every recipe, because
# one of them may install it.
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
export CHROMIUM

# $(call install,PACKAGE) installs Debian's package where that can be done, or says what is missing.
define install
as=; [ "$$(id -u)" = 0 ] || as=sudo; \
if command -v apt-get >/dev/null && { [ -z "$$as" ] || command -v sudo >/dev/null; }; then \
	$$as apt-get update -qq && \
	$$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1); \
else \
	echo "$(1) is needed: install it and run make again" >&2; exit 1; \
fi
endef

.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: pip ## make build/ from the pinned Kolibri wheel and this repository; APPS_ORIGIN=:8001 gives apps an origin of their own
	@$(GO) run ./cmd/bundle $(if $(FAST),-fast) $(if $(APPS_ORIGIN),-apps-origin $(APPS_ORIGIN))

.PHONY: kolibri
kolibri: ## make bin/kolibri, the native command: one static program
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/kolibri ./cmd/kolibri

.PHONY: test
test: ## everything that must pass before a change goes in
	@$(MAKE) --no-print-directory FAST=1 lint test-go test-js test-wasm e2e-fast check-size

.PHONY: test-go
test-go: build postgres ## Go tests, with a PostgreSQL server of their own
	$(GO) test -timeout 30m ./...

.PHONY: test-js
test-js: $(MODULES) ## JavaScript tests that need no browser
	node --test $$(find web worker shim relay -name '*.test.js')

# Packages with tests that only a browser can run.
IN_BROWSER = $(sort $(dir $(shell find . -name '*_js_test.go' -not -path './node_modules/*')))

.PHONY: test-wasm
test-wasm: $(MODULES) chromium ## Go tests that run as wasm in the browser
	@for package in $(IN_BROWSER); do \
		echo "$$package in the browser"; node e2e/storage/run.mjs "$$package" || exit 1; \
	done

.PHONY: e2e-fast
e2e-fast: build $(MODULES) chromium ## the app in a real browser, the quick part
	node --test e2e/*.test.mjs

.PHONY: e2e
e2e: build kolibri $(MODULES) chromium reference ## the app in a real browser, also beside a real Kolibri, with 200 kills in the middle of writes
	node --test $$(find e2e -name '*.test.mjs')
	$(GO) test ./deploy -count 1
	@$(MAKE) --no-print-directory interop kill-test

# A judge that starts servers by a command and compares their answers with a real Kolibri's; ONLY picks
# cases, CASES another folder of them, such as the project's own in e2e/parity/testdata.
JUDGE = python3 $(or $(PARITY),$(error name the judge: PARITY=.../parity.py)) $(if $(KOLIBRI_REFERENCE),run --reference-cmd $(KOLIBRI_REFERENCE),check) $(if $(ONLY),--only $(ONLY)) $(if $(CASES),--cases $(CASES))

.PHONY: parity
parity: build kolibri ## the answers of the native command beside a real Kolibri's, by the judge PARITY
	$(JUDGE) --candidate-cmd $(CURDIR)/bin/kolibri

.PHONY: parity-own
parity-own: build kolibri ## the same for the cases of e2e/parity/testdata, beside the answers of a real Kolibri in e2e/parity/goldens
	goldens=$$(mktemp -d) && cp e2e/parity/goldens/* $(dir $(PARITY))goldens/content.tar.gz $$goldens && \
		python3 $(or $(PARITY),$(error name the judge: PARITY=.../parity.py)) check --goldens $$goldens --cases e2e/parity/testdata --candidate-cmd $(CURDIR)/bin/kolibri

.PHONY: parity-tab
parity-tab: build kolibri $(MODULES) chromium ## the same, answered by a tab
	$(JUDGE) --jobs 1 --candidate-cmd "node $(CURDIR)/e2e/parity/tab.mjs"

.PHONY: parity-random
parity-random: build kolibri ## 200 sequences of 50 random calls (SEEDS=1-200) by the judge PARITY beside KOLIBRI_REFERENCE
	folder=$$(mktemp -d) && node e2e/parity/sequences.mjs --out $$folder --seeds $(or $(SEEDS),1-200) && $(JUDGE) --cases $$folder --candidate-cmd $(CURDIR)/bin/kolibri

.PHONY: bad-input
bad-input: postgres ## some 90,000 bad calls of every route, on SQLite and PostgreSQL; the tests make one in two hundred
	KOLIBRI_BAD_INPUT=all $(GO) test ./server -run BadInput -count 1 -timeout 60m

.PHONY: kill-test
kill-test: $(MODULES) chromium ## kill workers and browsers amid writes, 250 times and more; SHORT=1 for a dozen
	node e2e/storage/kill.mjs $(if $(SHORT),--short)

# Packages of the wasm, and those that nothing else builds. Most tests are native ones.
IN_WASM = $$(GOOS=js GOARCH=wasm $(GO) list -deps ./wasm | grep '^kolibri/')
ONLY_WASM = $$({ $(GO) list ./...; $(GO) list ./...; GOOS=js GOARCH=wasm $(GO) list -e ./...; } | sort | uniq -u)

.PHONY: replica-test
replica-test: postgres ## kill three servers on one database for ten minutes, then update them; MINUTES=10 FROM=bin/kolibri of another build
	$(if $(FROM),KOLIBRI_REPLICA_FROM=$(abspath $(FROM))) KOLIBRI_REPLICA_MINUTES=$(or $(MINUTES),10) $(GO) test ./cmd/kolibri -run Replicas -count 1 -timeout 30m -v

.PHONY: sync-test
sync-test: build kolibri $(MODULES) ## kill what synchronizes 200 times, 50 rings, every model beside a real Kolibri (KOLIBRI_REFERENCE); KILLS=200 SEEDS=50
	KOLIBRI_SYNC_KILLS=$(or $(KILLS),200) $(GO) test ./cmd/kolibri -run KilledWhileTheySynchronize -count 1 -timeout 120m -v
	KOLIBRI_SYNC_SEEDS=$(or $(SEEDS),50) $(GO) test ./core/auth/syncing -run Ring -count 1 -timeout 60m
	@$(MAKE) --no-print-directory interop

.PHONY: interop
interop: build postgres ## run a real Kolibri (KOLIBRI_REFERENCE) and ours on one home and one database, and let them synchronize; KOLIBRI_HOMES=folder of homes to compare
	KOLIBRI_INTEROP=all $(GO) test ./e2e/native/interop -count 1 -timeout 90m -v

.PHONY: lint
lint: $(MODULES) $(STATICCHECK) ## formatting, vet, staticcheck, biome, types
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -s -l); \
	if [ -n "$$unformatted" ]; then echo "run gofmt -s -w on:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	GOOS=js GOARCH=wasm $(GO) vet ./wasm/... ./store/opfs ./store/idb ./store/tab
	$(STATICCHECK) ./...
	GOOS=js GOARCH=wasm $(STATICCHECK) -tests=false $$(GOOS=js GOARCH=wasm $(GO) list -deps ./wasm | grep '^kolibri/')
	node_modules/.bin/biome check --error-on-warnings
	node_modules/.bin/tsc --project . && node_modules/.bin/tsc --project tsconfig.tests.json

.PHONY: bench
bench: build kolibri $(MODULES) chromium postgres reference ## beside a real Kolibri (KOLIBRI_REFERENCE) and Pyodide (PYODIDE_DIR), into docs/benchmarks.md
	PATIENCE=300000 e2e/native/postgres/with-server node bench/cloud.mjs
	PATIENCE=300000 node bench/run.mjs
	PATIENCE=300000 node bench/relay/run.mjs
	$(GO) run ./bench/provider -kolibri bin/kolibri
	$(GO) test ./provider/search -run '^$$' -bench Search -benchtime 4s
	$(GO) test ./provider/people -run '^$$' -bench Match -benchtime 1x
	python3 bench/provider/pictures.py --original $(or $(KOLIBRI_REFERENCE),$(REFERENCE)/bin/kolibri) --kolibri bin/kolibri

.PHONY: bench-sync
bench-sync: $(MODULES) chromium reference ## the stages of synchronization beside a real Kolibri (KOLIBRI_REFERENCE) and in a browser, into docs/benchmarks-sync.md
	node bench/sync.mjs

.PHONY: bench-facility
bench-facility: build kolibri $(MODULES) chromium ## a school of 5,000 learners, natively and in a tab, beside a real Kolibri (KOLIBRI_REFERENCE), into docs/benchmarks-facility.md
	@[ -f .cache/bigschool/school.json ] || { rm -rf .cache/bigschool && mkdir -p .cache/bigschool && \
		$(GO) run ./bench/bigschool/generate -home .cache/bigschool > .cache/school.json && mv .cache/school.json .cache/bigschool/; }
	PATIENCE=300000 node bench/facility.mjs

.PHONY: bench-content
bench-content: build kolibri $(MODULES) chromium reference ## a channel of 20,000 nodes beside a real Kolibri (KOLIBRI_REFERENCE), into docs/benchmarks-content.md; NODES=20000
	PATIENCE=300000 node bench/content.mjs

.PHONY: check-size
check-size: build ## hold the wasm to its budget and its imports to the list
	@$(GO) run ./cmd/bundle -check-size

.PHONY: serve
serve: build ## serve build/ on this machine, PORT=8000
	cd build && python3 -m http.server --bind 127.0.0.1 $(PORT)

.PHONY: clean
clean: ## delete what was built, but not what was downloaded
	find build -mindepth 1 -maxdepth 1 -not -name .gitignore -exec rm -rf {} +
	rm -rf bin .cache/build.json .cache/server.wasm

# pip fetches the wheel, once.
.PHONY: pip
pip:
	@ls .cache/wheel/*.whl >/dev/null 2>&1 || python3 -m pip --version >/dev/null 2>&1 || { $(call install,python3-pip); }

.PHONY: postgres
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { $(call install,postgresql); }

# A real Kolibri with what it needs for PostgreSQL, unless KOLIBRI_REFERENCE names one.
REFERENCE := .cache/kolibri-0.19.5
.PHONY: reference
reference: build
	@[ -n "$$KOLIBRI_REFERENCE" ] || [ -x $(REFERENCE)/bin/kolibri ] || { python3 -m venv --clear $(REFERENCE) && \
		$(REFERENCE)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-index \
			--find-links .cache/wheel -r cmd/bundle/wheel.txt || { rm -rf $(REFERENCE); exit 1; }; }
	@[ -n "$$KOLIBRI_REFERENCE" ] || $(REFERENCE)/bin/python -c 'import psycopg2' 2>/dev/null || \
		$(REFERENCE)/bin/pip install --quiet --disable-pip-version-check psycopg2-binary==2.9.13

.PHONY: chromium
chromium:
	@[ -n "$(CHROMIUM)" ] || { $(call install,chromium); }

# Not "npm ci": it refuses a lock file without the optional packages of platforms that a registry may
# not carry; this installs what the lock file says and leaves it as it is.
$(MODULES): package-lock.json
	npm install --no-save
	@touch $@

$(STATICCHECK):
	GOBIN=$(CURDIR)/.cache/bin $(GO) install honnef.co/go/tools/cmd/staticcheck@v0.8.2
	@mv .cache/bin/staticcheck $@
