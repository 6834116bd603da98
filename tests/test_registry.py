"""A name leads to a model, or a sentence says what to type."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from irislib import train
from irislib._modeling import registry, store
from irislib._modeling.references import list_references
from irislib._serving.app_entries import list_apps
from irislib.errors import SpecError, StoreError, UnknownModelError, UserCodeError


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("irislib.iris:spek", "The module 'irislib.iris' has no 'spek'. Did you mean 'spec'?"),
        ("irislib.iriss:spec", "There is no module 'irislib.iriss' here."),
        ("nowhere.at.all:spec", "There is no module 'nowhere' here."),
        ("models/iris.py", "'models/iris.py' is a file; give its module instead: --model models.iris:spec"),
        ("irislib.iris:SOURCE", "irislib.iris:SOURCE is a str, not a ModelSpec or a Model. Known: spec."),
        ("irislib.errors:spec", "The module 'irislib.errors' has no 'spec'. It holds no ModelSpec and no Model."),
    ],
)
def test_an_invalid_reference_gives_a_message(reference: str, sentence: str) -> None:
    with pytest.raises(UnknownModelError, match=re.escape(sentence)):
        registry.resolve(reference)


def test_an_error_inside_the_module_names_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "faulty_module.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserCodeError, match="a_package_that_is_not_there") as caught:
        registry.resolve("faulty_module:spec")
    assert caught.value.location == (str(tmp_path / "faulty_module.py"), 1)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_name_is_looked_up_among_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownModelError, match=r"There is no model 'iris-wizzard'\. Did you mean 'iris-wizard'\?"):
        registry.load("iris-wizzard")
    monkeypatch.setenv("IRISLIB_MODEL", "rent:spec, irislib.iris")
    assert registry.load("flat-rent") is registry.load("rent:spec")
    monkeypatch.setenv("IRISLIB_MODEL", "irislib.iris:spec irislib.iris")
    with pytest.raises(SpecError, match=r"two .* called 'iris-wizard': irislib\.iris:spec and irislib\.iris\."):
        registry.load_specs()


def test_load_takes_the_servers_model_then_the_stored_one_then_trains(
    iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("IRISLIB_STARTED_WITH", str(tmp_path / "session"))

    def fresh() -> object:
        monkeypatch.setattr(registry, "_loaded", {})
        return registry.load("iris-wizard")

    trained = fresh()
    assert trained.version == iris.version
    assert registry.load("iris-wizard") is trained
    store.save(replace(iris, trained_at="in the store"), tmp_path / "store")
    assert fresh().trained_at == "in the store"
    store.save(replace(iris, trained_at="started with"), tmp_path / "session")
    assert fresh().trained_at == "started with"
    changed = replace(iris.spec, random_state=9)
    assert registry.load(changed).version == train(changed).version != iris.version


def test_a_page_does_not_train_a_model_that_its_server_could_not_store(
    iris, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("IRISLIB_STARTED_WITH", str(tmp_path / "session"))
    monkeypatch.setattr(registry, "_loaded", {})
    monkeypatch.setattr(registry, "train", lambda spec: pytest.fail("a page's kernel trains"))
    store.note_refusal("iris-wizard", tmp_path / "session", "It holds a lambda.")
    with pytest.raises(StoreError, match=r"is in its server's memory alone, .* It holds a lambda"):
        registry.load("iris-wizard")
    monkeypatch.setattr(registry, "train", lambda spec: iris)
    registry.load_served()  # in the process from which pages are forked: once for all of them
    assert registry.load("iris-wizard") is iris


def test_the_pages_are_the_models_and_the_other_notebooks(iris, rent, tmp_path: Path) -> None:
    models = {model.spec.name: model.spec for model in (iris, rent)}
    for name in ("iris-wizard", "my_own", "healthz"):
        (tmp_path / f"{name}.ipynb").touch()
    pages = {app.name: app for app in list_apps(models, tmp_path)}
    assert list(pages) == ["iris-wizard", "flat-rent", "healthz-2", "my_own"]  # no notebook takes a route of ours
    assert pages["iris-wizard"].notebook == tmp_path / "iris-wizard.ipynb"
    assert pages["flat-rent"].notebook is None
    assert pages["my_own"].title == "My own"
    assert list({app.name for app in list_apps({}, tmp_path / "my_own.ipynb")}) == ["my_own"]
    assert [app.name for app in list_apps(models, tmp_path, every=False)] == list(models)


def test_references_are_those_listed_else_of_the_environment_else_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list_references() == ["irislib.iris:spec"]
    monkeypatch.setenv("IRISLIB_MODEL", "a:spec, b:spec")
    assert list_references() == ["a:spec", "b:spec"]
    assert list_references(["c:spec,d:spec", "e:spec"]) == ["c:spec", "d:spec", "e:spec"]
