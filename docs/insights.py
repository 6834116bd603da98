"""Renew docs/insights.md and its pictures, which explain each insight, by ``make insights``."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import irislib
from irislib import insights

DOCS = Path(__file__).parent
PICTURES = DOCS / "insights"
ENOUGH_SECONDS = 3600  # so that a busy machine makes the same page
FLOWER = {"petal_length_cm": 5.1, "petal_width_cm": 1.9, "sepal_length_cm": 5.8, "sepal_width_cm": 2.7}
OTHER_FLOWER = FLOWER | {"petal_width_cm": 1.4, "petal_length_cm": 4.6}
MODELS = {
    "predicted_against_true": "flats",
    "residuals": "flats",
    "decision_threshold": "tumours",
    "gains": "tumours",
}

# Two sentences for a reader who is no statistician.
HOW = {
    "Why this answer?": {
        "contributions": "Each bar is what one value has added to the answer (aubergine) or taken from "
        "it (orange); all bars together lead from the average answer to this one. It "
        "tells how the model came to its answer, not what causes what in the world.",
        "smallest_changes": "Each bar is a change that would make the model answer differently, the "
        "smallest on top. A short bar means that the answer hangs on little. What you cannot change can "
        "be left as it is (`fixed=…`; on the page, tick it).",
    },
    "What if?": {
        "what_if": "Each curve is the answer to this one case as one value changes and all others stay; the point "
        "is the value that was entered. On the page a slider moves along each curve.",
    },
    "How do two cases differ?": {
        "comparison": "The longer of two bars says which of the two cases is likelier of that class. The table lists "
        "the inputs in which they differ first. On the page, *Keep this answer to compare* shows the next answer "
        "beside it.",
    },
    "How sure is it?": {
        "class_probabilities": "The longer a bar, the surer the model is of that class; together they make 100 "
        "%. Two bars of nearly the same length mean that it cannot tell.",
        "prediction_set": "What is in the list may be true; the list is made so that it contains the truth as often "
        "as it says, on average over cases like those in the data. The longer it is, the less the model knows about "
        "this case.",
    },
    "What has it learnt?": {
        "feature_importances": "The longer a bar, the more the forest's trees have used that value to tell "
        "cases apart. The orange line shows how much the trees differ: a long one means "
        "that they do not agree.",
        "permutation_importance": "The bar is how much worse the model gets when that value is shuffled among the test "
        "rows. A bar near zero means that it could do without, perhaps because another value says the same.",
        "partial_dependence": "The thick line is the answer on average when only that value changes; each thin line "
        "is one case. Where the lines are flat the value makes no difference, and where thin ones part it depends on "
        "the other values. A category has a point instead, with a line to where eight of ten cases are.",
    },
    "How well does it do?": {
        "confusion_matrix": "Each row is what cases truly were, each column what the model said; the dark "
        "diagonal is where it was right. A number off the diagonal shows what it takes "
        "for what.",
        "class_metrics": "Recall: of all cases of this class, how many were found; precision: of all "
        "that were called so, how many were. The lines show how far chance may have "
        "helped or harmed, the small strokes what guessing gets.",
        "decision_threshold": "Further to the left more cases of the class are found, and more of the others raise a "
        "false alarm. Which is worse, only you can say: give the costs of both, and see where they add up to the "
        "least. On the page a slider moves all of it. To keep a threshold: `ModelSpec(positive_class=…, "
        "threshold=…)`.",
        "gains": "The cases are sorted, the likeliest first. The steeper the curve rises, the fewer of them you have "
        "to look at to find most of the class.",
        "calibration": "A point on the dotted line means that the model is as often right as it says. "
        "Below the line it is too sure of itself, above it too modest.",
        "roc_curve": "The more a curve keeps to the upper left, the better that class is told from "
        "the rest. On the dotted line the model would do no better than a coin.",
        "precision_recall_curve": "To the right more cases of the class are found; how far the curve falls there "
        "is the price in false alarms. The dotted line is what guessing gets.",
        "predicted_against_true": "Each point is a test row; on the orange line the answer would be exactly "
        "right. The further a point from the line, the larger the error.",
        "residuals": "Each point is the error of one case; nine of ten are within the grey band. "
        "Where the points fan out or bend, the model does worse there than its average "
        "tells.",
        "cross_validation": "Each point is the model trained once more, on another part of the data. The wider they "
        "lie apart, the more a single measurement is a matter of luck.",
        "learning_curve": "The aubergine line is how well the model does on cases that it was not trained on, with "
        "more training cases to the right. Where it still rises at its end, more cases would help.",
    },
}


def models() -> dict[str, Any]:
    """Return the model of the flowers, and two of the tests: of flats for regression, of tumours for two classes."""
    sys.path.insert(0, str(DOCS.parent / "tests"))
    import rent
    import tumours

    specs = {"flowers": irislib.load("iris-wizard").spec, "flats": rent.spec, "tumours": tumours.spec}
    return {name: irislib.train(spec) for name, spec in specs.items()}


def section(name: str, how: str, trained: dict[str, Any], pictures: Path | None) -> list[str]:
    """Return the section of one insight: picture, explanation and source."""
    function = getattr(insights, name)
    model, row = trained[MODELS.get(name, "flowers")], FLOWER
    parameters = inspect.signature(function).parameters
    options: dict[str, Any] = {"seconds": ENOUGH_SECONDS} if "seconds" in parameters else {}
    if "other" in parameters:
        options["other"] = OTHER_FLOWER
    insight = function(model, row, **options) if "row" in parameters else function(model, **options)
    if pictures:
        insight.plot().savefig(pictures / f"{name}.png", dpi=110)
    sources = re.search(
        r"Sources?:\s+(.+?)(?:\n\n|\n\s+(?:Raises|Parameters)\n|$)", inspect.getdoc(function) or "", re.S
    )
    if not sources:
        raise SystemExit(f"{name} names no source")
    lines = [
        f"### {insight.title}",
        "",
        f"`irislib.insights.{name}`",
        "",
        f"![{insight.text}](insights/{name}.png)",
        "",
    ]
    return [
        *lines,
        f"> {insight.text}",
        "",
        how,
        "",
        f"Source: {' '.join(sources[1].replace(':func:', '').split())}",
        "",
    ]


def page(pictures: Path | None = None) -> str:
    """Return the page; save its pictures in a folder if one is given."""
    trained = models()
    lines = [
        "# Insights, and how to read them",
        "",
        "Each is a function of a model, or of a model and a row, and gives its numbers (`.frame`), a picture "
        "(`.plot()`) and a sentence (`.text`). The app shows them in tabs, which `ModelSpec(tabs=…)` "
        "changes; the endpoint answers them at `/<model>/insights/<name>`. The pictures are of the "
        "Iris Wizard, of a model of rents where a number is predicted, and of one of tumours for two classes. "
        "This page is made by `make insights`.",
        "",
    ]
    for question, explanations in HOW.items():
        lines += [f"## {question}", ""]
        for name, how in explanations.items():
            lines += section(name, how, trained, pictures)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir()
    (DOCS / "insights.md").write_text(page(PICTURES), encoding="utf-8")
