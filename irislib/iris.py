"""The Iris Wizard: which iris is it? Copy this file to bring your own model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.ensemble import RandomForestClassifier

from irislib import Feature, ModelSpec

if TYPE_CHECKING:
    import pandas as pd

SOURCE = (
    "R. A. Fisher (1936), The use of multiple measurements in taxonomic problems, "
    "Annals of Eugenics 7, 179-188, doi:10.1111/j.1469-1809.1936.tb02137.x; "
    "measured by Edgar Anderson on the Gaspé Peninsula and elsewhere"
)
PURPOSE = (
    "To tell three species of iris apart by the size of their petals and sepals, and to show what irislib makes of "
    "a model. It is for teaching and for trying things out."
)
LIMITS = (
    "Do not use it to identify plants in earnest. There are about 300 species of iris; it knows three, and takes any "
    "other plant for one of them. Its data are 50 flowers of each. The flowers of setosa and versicolor grew "
    "together in one colony (Fisher 1936), so that it knows little of how these species differ from place to place."
)
LICENSE = (
    "Data: CC BY 4.0, as the UCI Machine Learning Repository states for its copy (doi:10.24432/C56C76). "
    "Program: BSD-3-Clause."
)


def load_data() -> pd.DataFrame:
    """150 flowers, 50 of each species: four measurements in cm and the species."""
    from sklearn.datasets import load_iris

    iris = load_iris(as_frame=True)
    data = iris.data.rename(columns=lambda name: name.replace(" (cm)", "_cm").replace(" ", "_"))
    return data.assign(species=iris.target_names[iris.target])


def measurement(name: str, default: float, help: str) -> Feature:
    """A length on a flower: above 0, and no iris has a part of more than 30 cm."""
    return Feature(name, unit="cm", low=0, high=30, closed="right", step=0.1, default=default, help=help)


spec = ModelSpec(
    name="iris-wizard",
    title="Iris Wizard",
    features=[
        measurement("petal_length_cm", 4.3, "From the base to the tip of a petal."),
        measurement("petal_width_cm", 1.3, "Across the widest part of a petal."),
        measurement("sepal_length_cm", 5.8, "From the base to the tip of a sepal."),
        measurement("sepal_width_cm", 3.0, "Across the widest part of a sepal."),
    ],
    target="species",
    load_data=load_data,
    estimator=RandomForestClassifier(n_estimators=100),
    test_size=0.2,
    random_state=0,
    examples={
        "A small setosa": {
            "petal_length_cm": 1.4,
            "petal_width_cm": 0.2,
            "sepal_length_cm": 5.1,
            "sepal_width_cm": 3.5,
        },
        "A middling versicolor": {
            "petal_length_cm": 4.7,
            "petal_width_cm": 1.4,
            "sepal_length_cm": 7.0,
            "sepal_width_cm": 3.2,
        },
        "A large virginica": {
            "petal_length_cm": 6.0,
            "petal_width_cm": 2.5,
            "sepal_length_cm": 6.3,
            "sepal_width_cm": 3.3,
        },
    },
    source=SOURCE,
    action="Abrakadabra",
    purpose=PURPOSE,
    limits=LIMITS,
    license=LICENSE,
    contact="The irislib developers",
    live=False,  # the button speaks the magic word
    translations={
        "de": {
            "Species": "Art",
            "Petal length": "Länge des Blütenblatts",
            "Petal width": "Breite des Blütenblatts",
            "Sepal length": "Länge des Kelchblatts",
            "Sepal width": "Breite des Kelchblatts",
            "From the base to the tip of a petal.": "Vom Ansatz bis zur Spitze eines Blütenblatts.",
            "Across the widest part of a petal.": "An der breitesten Stelle eines Blütenblatts.",
            "From the base to the tip of a sepal.": "Vom Ansatz bis zur Spitze eines Kelchblatts.",
            "Across the widest part of a sepal.": "An der breitesten Stelle eines Kelchblatts.",
            "A small setosa": "Eine kleine Setosa",
            "A middling versicolor": "Eine mittlere Versicolor",
            "A large virginica": "Eine große Virginica",
            PURPOSE: "Um drei Arten der Schwertlilie an der Größe ihrer Blüten- und Kelchblätter zu unterscheiden und "
            "zu zeigen, was irislib aus einem Modell macht. Zum Lehren und Ausprobieren.",
            LIMITS: "Nicht geeignet, um Pflanzen im Ernst zu bestimmen. Es gibt etwa 300 Arten der Schwertlilie. "
            "Das Modell kennt drei und hält jede andere Pflanze für eine davon. Seine Daten sind je 50 Blüten. "
            "Die Blüten von setosa und versicolor wuchsen zusammen in einem Bestand (Fisher 1936). Wie sich die "
            "Arten von Ort zu Ort unterscheiden, weiß es darum kaum.",
            LICENSE: "Daten: CC BY 4.0, wie das UCI Machine Learning Repository für seine Kopie angibt "
            "(doi:10.24432/C56C76). Programm: BSD-3-Clause.",
            "The irislib developers": "Die Entwickler von irislib",
            SOURCE: SOURCE.replace("measured by", "gemessen von").replace(
                "on the Gaspé Peninsula and elsewhere", "auf der Gaspé-Halbinsel und anderswo"
            ),
        }
    },
)
