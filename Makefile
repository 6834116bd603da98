# make serve   set everything up and start the apps          make test   set everything up and run every test
# make soak    fifteen minutes of visitors to a server, and what they leave behind (ARGS="--visits 1000")
PYTHON ?= python3
VENV := .venv
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: serve test soak format insights settings screenshots clean

serve: $(VENV)/ready-serve
	$(VENV)/bin/irislib serve $(ARGS)

test: $(VENV)/ready-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/pytest --numprocesses 3 --dist loadgroup --no-loadscope-reorder $(ARGS)

format: $(VENV)/ready-test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

soak: $(VENV)/ready-test
	$(VENV)/bin/python benchmarks/soak.py $(ARGS)

insights: $(VENV)/ready-test
	$(VENV)/bin/python docs/insights.py

settings: $(VENV)/ready-serve
	$(VENV)/bin/python docs/settings.py

screenshots: $(VENV)/ready-test
	$(VENV)/bin/python docs/screenshots.py

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready-serve: pyproject.toml setup.py | $(VENV)/bin/pip
	$(VENV)/bin/pip install --quiet --editable .
	touch $@

$(VENV)/ready-test: pyproject.toml setup.py | $(VENV)/bin/pip
	$(VENV)/bin/pip install --quiet --editable '.[limits,notebook,test]'
	touch $@ $(VENV)/ready-serve
