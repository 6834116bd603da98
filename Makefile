# make serve   set everything up and start the apps          make test   set everything up and run every test
# make benchmark   measure everything, beside other tools (ARGS="--peers PYTHON --write" renews docs/performance.md, --quick tries it)
# make docs    the documentation as a site, in site/: open site/index.html, which needs no server
# make release   dist/: source archive, wheel, list of what it needs (SBOM) and checksums; docs/releasing.md
# make soak    fifteen minutes of visitors to a server, and what they leave behind (ARGS="--visits 1000")
PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start hundreds of processes: they share what is compiled, also where an image switches that off.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: serve test test-container test-lowest constraints benchmark soak docs release format estimators insights settings screenshots clean

serve: $(VENV)/ready-serve
	$(VENV)/bin/irislib serve $(ARGS)

test: $(VENV)/ready-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

# what versions can break, without a browser and boosted trees, at the lowest versions that pyproject.toml allows
test-lowest: $(LOWEST)/ready
	CI= $(LOWEST)/bin/pytest -m "not browser and not not_lowest" --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

# builds the images and runs them, as root; .ci/run installs what that needs
test-container: $(VENV)/ready-test
	$(VENV)/bin/pytest -m container tests/test_container.py $(ARGS)

# the newest versions that pyproject.toml allows, to be committed when the tests pass with them; with the oldest Python
constraints:
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --editable '.[boosters,dask,docs,jupyterhub,limits,notebook,sql,stores,tables,test,tracing]'
	(head -1 constraints.txt; $(VENV)/bin/pip freeze --exclude-editable) > constraints.new && mv constraints.new constraints.txt
	touch $(VENV)/ready-serve $(VENV)/ready-test

docs: $(VENV)/ready-test
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

# Of what is committed, with its time; the SBOM is of an environment that has nothing but the wheel and what it needs.
release: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
release: VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' irislib/__init__.py)
release: $(VENV)/ready-test
	test -z "$$(git status --porcelain)"
	rm -rf build dist
	$(VENV)/bin/python -m build
	$(VENV)/bin/twine check --strict dist/*
	$(PYTHON) -m venv --without-pip build/wheel
	$(VENV)/bin/pip --python build/wheel/bin/python install --quiet --constraint constraints.txt dist/*.whl
	$(VENV)/bin/pip --python build/wheel/bin/python check
	test "$$(build/wheel/bin/irislib --version)" = "irislib $(VERSION)"
	$(PYTHON) -m venv build/sbom
	build/sbom/bin/pip install --quiet cyclonedx-bom==7.5.0
	sed 's/^dynamic = .*/version = "$(VERSION)"/' pyproject.toml > build/pyproject.toml
	build/sbom/bin/cyclonedx-py environment --output-reproducible --validate --pyproject build/pyproject.toml \
		--output-file dist/irislib-$(VERSION).cdx.json build/wheel/bin/python
	cd dist && sha256sum irislib-* > SHA256SUMS && sha256sum --check --quiet SHA256SUMS

format: $(VENV)/ready-test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

benchmark: $(VENV)/ready-test
	$(VENV)/bin/python benchmarks $(ARGS)

soak: $(VENV)/ready-test
	$(VENV)/bin/python benchmarks/soak.py $(ARGS)

estimators: $(VENV)/ready-test
	$(VENV)/bin/python docs/estimators.py

insights: $(VENV)/ready-test
	$(VENV)/bin/python docs/insights.py

settings: $(VENV)/ready-serve
	$(VENV)/bin/python docs/settings.py

screenshots: $(VENV)/ready-test
	$(VENV)/bin/python docs/screenshots.py

clean:
	rm -rf $(VENV) $(LOWEST) build dist site *.egg-info

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready-serve: pyproject.toml setup.py constraints.txt | $(VENV)/bin/pip
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/ready-test: pyproject.toml setup.py constraints.txt | $(VENV)/bin/pip
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[boosters,dask,docs,jupyterhub,limits,notebook,sql,stores,tables,test,tracing]'
	touch $@ $(VENV)/ready-serve

$(LOWEST)/ready: pyproject.toml setup.py tests/lowest_versions.py
	$(PYTHON) -m venv --clear $(LOWEST)
	$(PYTHON) tests/lowest_versions.py > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/pip install --quiet --constraint $(LOWEST)/constraints.txt --editable '.[limits,notebook,test]'
	touch $@
