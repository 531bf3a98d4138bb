CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/learning-analytics
VENV := $(CACHE)/venv-$(shell sha256sum config/requirements.txt | cut -c1-12)

.PHONY: setup test
setup: $(VENV)/.ready

$(VENV)/.ready: config/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --disable-pip-version-check -r config/requirements.txt
	touch $@

test: setup
	$(VENV)/bin/python -m pytest -q tests
