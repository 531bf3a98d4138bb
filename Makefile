VENV := .venv
PYTHON := $(VENV)/bin/python

.PHONY: setup venv up status down demo test bench lock docs lint oozie-up oozie-down test-oozie test-faults images compose-up compose-down test-compose test-monitoring
.PHONY: k8s-up k8s-down test-k8s test-replays test-browser .environment
# Whether it is ready, deployment/environment.py tells by content, not by time.
.environment:
	@python3 -m deployment.environment > /dev/null

setup: .environment
	@$(PYTHON) -m deployment.installation
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
	$(PYTHON) -m pytest -q tests

test-replays: .environment
	$(PYTHON) -m tests.ingestion_layer.replay_damage --seed $(or $(SEED),1) --rows $(or $(ROWS),20000)

test-faults: setup
	$(PYTHON) -m tests.stack.faults --seed $(or $(SEED),1) --steps $(or $(STEPS),30)

lock: .environment
	$(VENV)/bin/pip install --disable-pip-version-check -q pip-tools
	for name in requirements requirements-dev; do \
		$(VENV)/bin/pip-compile -q --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras \
			--no-header --no-annotate config/$$name.in -o config/$$name.txt || exit 1; \
	done

docs: .environment
	$(PYTHON) -m catalogue.documents
	$(PYTHON) -m ingestion_layer.replay.documents
	$(PYTHON) -m deployment.kubernetes.alert_rules
	$(PYTHON) -m deployment.monitoring.dashboards
	$(PYTHON) -m deployment.command.reference

lint: .environment
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PYTHON) -m tests.structure.sql_style
	$(VENV)/bin/mypy

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
	$(PYTHON) -m pytest -q tests/browser

test-monitoring: setup
	$(PYTHON) -m pytest -q tests/monitoring

k8s-up: setup
	$(PYTHON) -m deployment.kubernetes.cluster up

k8s-down: .environment
	$(PYTHON) -m deployment.kubernetes.cluster down

test-k8s: setup
	$(PYTHON) -m pytest -q -s tests/cluster
