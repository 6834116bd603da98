"""The model card: what a model is for, what it learnt from, how well it does, and when not to use it.

After M. Mitchell et al. (2019), Model cards for model reporting, doi:10.1145/3287560.3287596. All of it is
made from the description of the model and from its training; what nobody has written is said to be missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from irislib import insights
from irislib._common.formatting import format_value
from irislib._common.theme import css_properties
from irislib.errors import NotApplicableError
from irislib.insights._background import format_target
from irislib.insights._confidence_intervals import CONFIDENCE, bootstrap, proportion_interval

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["card", "card_html"]

NOTHING = "–"


@dataclass(frozen=True)
class Section:
    """One part of a card; a template has a form for each of what it may hold."""

    id: str
    title: str
    paragraphs: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    facts: dict[str, str] = field(default_factory=dict)


def card(model: Model) -> str:
    """The card of a model in Markdown, as GitHub and others show it.

    Parameters
    ----------
    model : Model
        What :func:`irislib.load` or :func:`irislib.train` returned.
    """
    return _rendered(model, "_model_card/card.md.j2")


def card_html(model: Model) -> str:
    """The card of a model as one HTML file, which needs nothing from anywhere else.

    Parameters
    ----------
    model : Model
        What :func:`irislib.load` or :func:`irislib.train` returned.
    """
    return _rendered(model, "_model_card/card.html.j2")


@lru_cache(maxsize=16)
def _rendered(model: Model, name: str) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from irislib import __version__

    is_html = name.endswith(".html.j2")
    environment = Environment(
        loader=PackageLoader("irislib", ""),
        autoescape=is_html,  # noqa: S701 - Markdown has an escape of its own below
        finalize=None if is_html else _plain,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template(name)
    return template.render(
        colours=css_properties(),
        title=model.spec.title,
        lead=_lead(model),
        sections=list(_sections(model)),
        version=__version__,
    )


def _plain(text: Any) -> str:
    """Text of which Markdown and the HTML in it leave everything as it is."""
    text = re.sub(r"([\\`*\[\]<>|~&#$])", r"\\\1", " ".join(str(text).split()))
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # within a word it means nothing
    # at the start of a line: a list, a rule, an underlined heading
    return re.sub(r"^(\d*)([-+.)](?=\s|$)|[-=](?=[-=\s]*$))", r"\1\\\2", text)


def _lead(model: Model) -> str:
    target, unit = model.spec.target, model.spec.target_unit
    if model.classes is None:
        return f"Predicts {target}, a number" + (f" in {unit}." if unit else ".")
    *most, last = map(str, model.classes)
    return f"Predicts {target}: {' or '.join(filter(None, [', '.join(most), last]))}."


def _sections(model: Model) -> Iterator[Section]:
    spec = model.spec
    purpose = _paragraphs(spec.purpose) or ["Its description does not say."]
    yield Section("purpose", "What it is for", purpose)
    yield Section("limits", "When not to use it", _limits(model))
    yield _data(model)
    yield _features(model)
    yield _evaluation(model)
    if model.classes is not None:
        yield _classes(model)
    yield Section("about", "Version and terms", facts=_about(model))


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def _limits(model: Model) -> list[str]:
    """What the author says, and what can be said of any model."""
    spec = model.spec
    said = _paragraphs(spec.limits) or ["Its description does not say when not to use it."]
    if model.classes is None:
        true = model.evaluation.y_true
        span = f"{format_value(true.min(), 4)} to {format_value(true.max(), 4)} {spec.target_unit}".rstrip()
        said.append(
            f"It was measured on rows whose {spec.target} is {span}. How well it does beyond that is not known."
        )
    else:
        said.append(f"It always answers one of its {len(model.classes)} classes, whatever it is asked about.")
    said += [
        f"The training data contain no row with {feature.label}: {', '.join(unseen)}."
        for feature in spec.features
        if (unseen := _unseen(model, feature))
    ]
    said.append(
        "A value beyond what the training data cover (the table of inputs says what that is) is answered with a "
        "warning, and the answer is a guess."
    )
    said.append(
        "How well it does was measured over all rows that it had not seen, taken together; for some kinds of rows it "
        "may do worse."
    )
    return said


def _unseen(model: Model, feature: Feature) -> list[str]:
    """The choices that are possible, but that it has learnt nothing about."""
    seen = model.coverage.get(feature.name, {}).get("values")
    if seen is None:
        return []
    return [feature.written(value) for value in feature.choices or (False, True) if value not in seen]


def _data(model: Model) -> Section:
    rows, trained = model.data["rows"], model.data["training_rows"]
    counts = (
        f"{rows} rows. It was trained on {trained} of them; the other {rows - trained}, drawn at random, were held "
        "out to measure how well it does."
    )
    source = _paragraphs(model.spec.source) or ["Its description does not say where the data come from."]
    return Section("data", "Data", [*source, counts])


def _features(model: Model) -> Section:
    head = ["Name", "What it is", "Unit", "What it must be", "Needed", "Training data cover"]
    rows = [
        [
            feature.name,
            f"{feature.label}. {feature.help}".strip() if feature.help else feature.label,
            feature.unit or NOTHING,
            feature.expected,
            "yes" if feature.required else "no",
            _covered(model, feature),
        ]
        for feature in model.spec.features
    ]
    words = "What is not what it must be is refused. Names are those of the columns, and of the fields of a request."
    return Section("inputs", "Inputs", [words], head, rows)


def _covered(model: Model, feature: Feature) -> str:
    covered = model.coverage.get(feature.name)
    if covered is None:
        return "not recorded"
    if "values" in covered:
        return ", ".join(map(feature.written, covered["values"]))
    low, high = (format_value(covered[end], 6) for end in ("low", "high"))
    return f"{low} to {high} {feature.unit}".rstrip()


def _evaluation(model: Model) -> Section:
    if model.classes is None:
        said, usual = [insights.predicted_against_true(model).text, insights.residuals(model).text], "median"
    else:
        said, usual = [insights.confusion_matrix(model).text], "commonest class"
        with suppress(NotApplicableError):
            said.append(insights.calibration(model).text)
    metrics = model.evaluation.metrics
    head = ["Measure", "This model", f"{CONFIDENCE:.0%} interval", f"Always answering the {usual}"]
    rows = [
        [
            name.replace("r2", "R²").replace("_", " "),
            _measured(model, name, value),
            _interval(model, name),
            _measured(model, name, metrics.get(f"baseline_{name}")),
        ]
        for name, value in metrics.items()
        if not name.startswith("baseline_")
    ]
    return Section("evaluation", "How well it does", said, head, rows)


def _measured(model: Model, name: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    return format_target(model, value) if _has_unit(name) else f"{value:.3f}"


def _has_unit(name: str) -> bool:
    return name.endswith("error")


def _interval(model: Model, name: str) -> str:
    """How far a measure of the held-out rows may be from the true one.

    There is none for balanced accuracy: where hardly any row was wrong, drawing rows anew would feign certainty.
    """
    held_out = model.evaluation
    true, predicted = held_out.y_true, held_out.y_pred
    if name == "accuracy":
        ends: tuple[float, float] | None = proportion_interval(int((true == predicted).sum()), len(true))
    elif name in _MEASURES:
        ends = bootstrap(_MEASURES[name], (true, predicted), model.spec.random_state)
    else:
        ends = None
    if ends is None:
        return NOTHING
    low = format_value(ends[0], 3) if _has_unit(name) else _measured(model, name, ends[0])
    return f"{low} to {_measured(model, name, ends[1])}"


def _r2(true: Any, predicted: Any, axis: int = -1) -> Any:
    spread = ((true - true.mean(axis=axis, keepdims=True)) ** 2).sum(axis=axis)
    return 1 - ((true - predicted) ** 2).sum(axis=axis) / spread


_MEASURES: dict[str, Callable[..., Any]] = {
    "r2": _r2,
    "mean_absolute_error": lambda true, predicted, axis=-1: abs(true - predicted).mean(axis=axis),
    "root_mean_squared_error": lambda true, predicted, axis=-1: ((true - predicted) ** 2).mean(axis=axis) ** 0.5,
}


def _classes(model: Model) -> Section:
    found = insights.class_metrics(model)
    head = ["Class", "Precision", "Recall", "Guessing", "Rows"]

    def told(row: dict[str, Any], what: str) -> str:
        if row[what] != row[what]:
            return NOTHING  # nothing was counted
        return f"{row[what]:.3f} ({row[f'{what} from']:.3f} to {row[f'{what} to']:.3f})"

    rows = [
        [
            str(row["class"]),
            told(row, "precision"),
            told(row, "recall"),
            f"{row['baseline']:.3f}",
            str(row["support"]),
        ]
        for row in found.frame.to_dict("records")
    ]
    words = (
        "Recall: of the rows that are of a class, the share that was found. Precision: of those that were called so, "
        f"the share that is. In parentheses their {CONFIDENCE:.0%} intervals; guessing by the classes' shares gets "
        "for both what is said under Guessing."
    )
    return Section("classes", "How well it finds each class", [words, found.text], head, rows)


def _about(model: Model) -> dict[str, str]:
    import sklearn

    from irislib import __version__

    spec = model.spec
    day = model.trained_at[:10]
    steps = [step for _, step in getattr(model.estimator, "steps", [("", model.estimator)])]
    return {
        "Version": model.version,
        "Trained": f"{model.trained_at[:16].replace('T', ' ')} UTC",
        "Estimator": ", then ".join(type(step).__name__ for step in steps),
        "Made with": f"scikit-learn {sklearn.__version__}, irislib {__version__}",
        "License": spec.license or "Its description does not say.",
        "Who answers for it": spec.contact or "Its description does not say.",
        "Cite it as": f"{spec.title}, version {model.version}, trained {day}.",
    }
