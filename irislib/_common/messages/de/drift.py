"""The texts about drift, in German."""

__all__ = ["TEXTS"]

TEXTS = {
    "title": "Drift",
    "prediction": "Vorhersage",
    "unlike": "anders als die Trainingszeilen",
    "right": "richtige Antworten",
    "median": "Median{unit}",
    "share": "Anteil von {value}",
    "share_unlike": "Anteil der Zeilen",
    "accuracy": "Genauigkeit",
    "error": "mittlerer absoluter Fehler{unit}",
    "missing": "kein Wert",
    "other": "andere Werte",
    "axis": "Populationsstabilitätsindex",
    "none": "In {rows} Vorhersagen gibt es keine Drift.",
    "some": "In {count} von {compared} Vergleichen von {rows} Vorhersagen gibt es Drift: {names}.",
    "few": "Es gibt {rows} Vorhersagen. Das sind zu wenige, um Drift vom Zufall zu unterscheiden: nötig sind {needed}.",
    "answers": "Von {count} Vorhersagen ist die richtige Antwort bekannt: {now} stimmen, von den Testzeilen {before}.",
    "errors": "Von {count} Vorhersagen ist die richtige Antwort bekannt: der mittlere Fehler ist {now}, auf den "
    "Testzeilen {before}.",
    "few_answers": "Von {count} Vorhersagen ist die richtige Antwort bekannt, zu wenige für einen Vergleich (nötig "
    "sind {needed}).",
    "unknown_answers": "{count} Meldungen betreffen Vorhersagen, die nicht im Protokoll stehen.",
    "versions": "{count} Vorhersagen sind von anderen Versionen: ihre Eingaben werden verglichen, ihre "
    "Antworten nicht.",
    "not_compared": "Nicht verglichen: {names}.",
    "reports": "Besucher haben {count} Antworten als falsch gemeldet.",
    "sample": "Das Protokoll wird anhand von {rows} seiner {total} Vorhersagen verglichen.",
    "no_training_rows": "Die Trainingszeilen sind unbekannt: die Eingaben werden mit den Testzeilen verglichen.",
}
