VENV := .venv
PYTHON := $(VENV)/bin/python
# How many tests run beside each other; a file's stay together, for what it starts once, and the long ones begin.
WORKERS := 2
PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: .environment setup venv up status down demo test test-quick test-faults bench lock docs check images
.PHONY: .style .types .test-types .sql .derived .scripts .subjects test-monitoring oozie-up oozie-down test-oozie
.PHONY: compose-up compose-down test-compose k8s-up k8s-down test-k8s test-erasure test-stores test-replays test-collector test-superset test-browser pictures test-cluster test-sight sbom audit
# Whether it is ready, deployment/environment.py tells by content, not by time.
.environment:
	@python3 -m deployment.environment > /dev/null

setup: .environment
	@$(PYTHON) -m deployment.installation
	@$(PYTHON) -m deployment.spark_classes
	@$(PYTHON) -m deployment.dashboard

venv:
	@python3 -m deployment.environment

up: setup
	$(PYTHON) -m deployment.local_stack up

status: .environment
	$(PYTHON) -m deployment.local_stack status

down: .environment
	$(PYTHON) -m deployment.local_stack down

test: setup
	$(PYTHON) -m pytest -q $(PARALLEL) tests

test-quick: .environment
	$(PYTHON) -m pytest -q $(PARALLEL) -m 'not servers and not long' tests

test-replays: setup
	$(PYTHON) -m pytest -q --thorough tests/batch_layer/test_real_data.py
	$(PYTHON) -m tests.ingestion_layer.replay_damage --seed $(or $(SEED),1) --rows $(or $(ROWS),20000)

test-collector: setup
	$(PYTHON) -m pytest -q tests/collector
	$(PYTHON) -m tests.ingestion_layer.collecting.fuzz --seed $(or $(SEED),1) --bodies $(or $(BODIES),20000)

test-superset: .environment
	$(PYTHON) -m pytest -q tests/superset

test-sight: .environment
	$(PYTHON) -m tests.serving_layer.identity.triples --seed $(or $(SEED),1) --triples $(or $(TRIPLES),100000)

test-faults: setup
	$(PYTHON) -m tests.stack.faults --seed $(or $(SEED),1) --steps $(or $(STEPS),30)

test-erasure: setup
	$(PYTHON) -m tests.stack.erasing --seed $(or $(SEED),1) --people $(or $(PEOPLE),3)

test-stores: .environment
	$(PYTHON) -m tests.stack.second_stores $(STORES)

lock: .environment
	for name in requirements requirements-dev; do \
		$(PYTHON) -m piptools compile -q --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links \
			--no-emit-trusted-host --strip-extras --no-header --no-annotate config/$$name.in -o config/$$name.txt || exit 1; \
	done

sbom: .environment
	$(PYTHON) -m deployment.gate.supply_chain sbom

audit: .environment
	$(PYTHON) -m deployment.gate.supply_chain audit

docs: .environment
	$(PYTHON) -m deployment.gate.derived_files

# Lines of one check stay together, all are run, and any that fails fails the gate.
check: .environment
	@$(MAKE) -s -k -j2 -O .style .types .test-types .sql .derived .scripts .subjects

.style:
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

.types:
	$(VENV)/bin/mypy

.test-types:
	$(VENV)/bin/mypy --config-file tests/mypy.ini tests

.sql:
	$(PYTHON) -m tests.structure.sql_style

.derived:
	$(PYTHON) -m deployment.gate.derived_files --check

.scripts:
	$(PYTHON) -m deployment.gate.shell_scripts

.subjects:
	$(PYTHON) -m deployment.gate.commit_subjects

demo: setup
	@$(PYTHON) -m deployment.demo

bench: setup
	$(PYTHON) -m tests.benchmarks

oozie-up: setup
	$(PYTHON) -m deployment.oozie.server up
	batch_layer/deploy_oozie.sh upload

oozie-down: .environment
	$(PYTHON) -m deployment.oozie.server down

test-oozie: setup
	$(PYTHON) -m pytest -q tests/oozie

images: setup
	$(PYTHON) -m deployment.images build

compose-up: .environment
	$(PYTHON) -m deployment.compose up -d

compose-down: .environment
	$(PYTHON) -m deployment.compose down

test-compose: setup
	$(PYTHON) -m deployment.images build
	$(PYTHON) -m pytest -q -s tests/compose

test-browser: setup
	$(PYTHON) -m pytest -q --thorough tests/browser

pictures: setup
	PICTURES=docs/pictures $(PYTHON) -m pytest -q --thorough tests/browser/test_pictures.py

test-monitoring: setup
	$(PYTHON) -m pytest -q tests/monitoring

k8s-up: setup
	$(PYTHON) -m deployment.kubernetes.cluster up

k8s-down: .environment
	$(PYTHON) -m deployment.kubernetes.cluster down

test-k8s: setup
	TIMES=$(TIMES) $(PYTHON) -m pytest -q -s tests/cluster

test-cluster: setup
	SEED=$(SEED) $(PYTHON) -m pytest -q -s tests/standalone
