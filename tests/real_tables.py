"""Real tables of different kinds, written as people's files are: what `irislib new` is tried on.

`penguins-raw.csv` is that of the R package palmerpenguins 0.1.1 (CC0): K. B. Gorman, T. D. Williams, W. R. Fraser
(2014), doi:10.1371/journal.pone.0090081. `seattle-weather.csv` is that of vega-datasets: daily records of NOAA, in the
public domain. The other tables are scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class RealTable:
    """A table with the target to predict; `write` writes it to a folder and returns what `--data` takes."""

    name: str
    target: str
    is_classifier: bool
    write: Callable[[Path], str]


def biopsies(folder: Path) -> str:
    """Two classes, 30 columns whose names have spaces: a CSV file."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    bunch.data.assign(diagnosis=bunch.target_names[bunch.target]).to_csv(folder / "biopsies.csv", index=False)
    return "biopsies.csv"


def digits(folder: Path) -> str:
    """Ten classes that are numbers: Parquet."""
    from sklearn.datasets import load_digits

    bunch = load_digits(as_frame=True)
    some = bunch.data.astype("int64").assign(digit=bunch.target).head(400)  # all 1,797 take 40 s to compare estimators
    some.to_parquet(folder / "digits.parquet")
    return "digits.parquet"


def diabetes(folder: Path) -> str:
    """A regression: text with tabs."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(as_frame=True, scaled=False)
    bunch.data.assign(progression=bunch.target).to_csv(folder / "diabetes.tsv", sep="\t", index=False)
    return "diabetes.tsv"


def wine(folder: Path) -> str:
    """Three classes: Excel."""
    from sklearn.datasets import load_wine

    bunch = load_wine(as_frame=True)
    bunch.data.assign(cultivar=[f"Cultivar {number}" for number in bunch.target]).to_excel(
        folder / "wine.xlsx", index=False
    )
    return "wine.xlsx"


def penguins(folder: Path) -> str:
    """Categories, gaps, days, ids, remarks, one value in a whole column, and units in brackets."""
    (folder / "penguins.csv").write_bytes((DATA / "penguins-raw.csv").read_bytes())
    return "penguins.csv"


def seattle(folder: Path) -> str:
    """German: semicolons, decimal commas, days such as 31.12.2015, umlauts in Windows-1252."""
    frame = pd.read_csv(DATA / "seattle-weather.csv", parse_dates=["date"])
    frame.columns = ["Datum", "Niederschlag (mm)", "Höchste Temperatur (°C)", "Tiefste Temperatur (°C)",
                     "Windstärke (m/s)", "Wetter"]  # fmt: skip
    frame["Wetter"] = frame["Wetter"].map(
        {"drizzle": "Nieselregen", "rain": "Regen", "sun": "schön", "snow": "Schnee", "fog": "Nebel"}
    )
    style = {"sep": ";", "decimal": ",", "encoding": "cp1252", "date_format": "%d.%m.%Y"}
    frame.to_csv(folder / "Wetter in Seattle.csv", index=False, **style)
    return "Wetter in Seattle.csv"


def club(folder: Path) -> str:
    """Twenty rows: three exercises and three measures of the men of a club, the body weight to be predicted."""
    from sklearn.datasets import load_linnerud

    bunch = load_linnerud(as_frame=True)
    bunch.frame.to_csv(folder / "club.csv", index=False)
    return "club.csv"


TABLES = (
    RealTable("biopsies", "diagnosis", True, biopsies),
    RealTable("digits", "digit", True, digits),
    RealTable("diabetes", "progression", False, diabetes),
    RealTable("wine", "cultivar", True, wine),
    RealTable("penguins", "Species", True, penguins),
    RealTable("wetter", "Wetter", True, seattle),
    RealTable("club", "Weight", False, club),
)
