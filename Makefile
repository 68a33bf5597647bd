# `make` builds build/, the whole app for any static host; `make help` lists the rest.
# FAST=1 is for quick rounds of work: it leaves out the slow compression of the wasm, and goes on with
# the last one while the server does not compile.

GO ?= go
PORT ?= 8000
STATICCHECK := .cache/bin/staticcheck-v0.8.2
# The browser of the tests: an installed Chromium, or Debian's.
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
export CHROMIUM

.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9\/-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## make build/ from the pinned Kolibri wheel and this repository
	@$(GO) run ./cmd/bundle $(if $(FAST),-fast)

.PHONY: kolibri
kolibri: ## make bin/kolibri, the native command
	$(GO) build -trimpath -ldflags "-s -w" -o bin/kolibri ./cmd/kolibri

.PHONY: test
test: build lint test-go test-js test-wasm e2e-fast ## everything that must pass before a change goes in

.PHONY: test-go
test-go: build ## Go tests
	$(GO) test ./...

.PHONY: test-js
test-js: node_modules/.package-lock.json ## JavaScript tests that need no browser
	node --test $(shell find web worker shim -name '*.test.js' 2>/dev/null)

.PHONY: lint
lint: node_modules/.package-lock.json $(STATICCHECK) ## formatting, vet, staticcheck, biome, types
	@unformatted=$$(gofmt -s -l $$(find . -name '*.go' -not -path './node_modules/*' -not -path './.cache/*')); \
	if [ -n "$$unformatted" ]; then echo "run gofmt -s -w on:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	GOOS=js GOARCH=wasm $(GO) vet ./...
	$(STATICCHECK) ./...
	GOOS=js GOARCH=wasm $(STATICCHECK) ./...
	node_modules/.bin/biome check --error-on-warnings
	node_modules/.bin/tsc --project .

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

node_modules/.package-lock.json: package-lock.json
	npm ci
	@touch $@

$(STATICCHECK):
	GOBIN=$(CURDIR)/.cache/bin $(GO) install honnef.co/go/tools/cmd/staticcheck@v0.8.2
	@mv .cache/bin/staticcheck $@
