"""Texts about values, rows and predictions, in German.

A message about a value completes the sentence that begins with the feature's name.
"""

__all__ = ["TEXTS"]

TEXTS = {
    # limits
    "at_least": "ab {low}",
    "above": "über {low}",
    "at_most": "bis {high}",
    "below": "unter {high}",
    "and": " und ",
    # any kind
    "missing": "fehlt noch, erwartet: {expected}.",
    "wrong": "passt nicht, erwartet: {expected}. Eingegeben: {value}.",
    "beyond": "passt nicht, erlaubt: {limits}. Eingegeben: {value}.",
    "yes": "ja",
    "no": "nein",
    # rows
    "rows.type": "Erwartet wird eine Zuordnung von Namen zu Werten, eine Liste davon oder ein DataFrame, nicht {type}.",
    "rows.too_many": "Höchstens {limit} Zeilen auf einmal, es sind {count}.",
    "rows.one": "Erwartet wird eine Zeile, es sind {count}. Für mehrere gibt es predict.",
    "rows.none": "Erwartet wird mindestens eine Zeile, es ist keine da.",
    "rows.repeated": "{name} gibt es mehr als einmal.",
    "rows.unknown": "{name!r} ist unbekannt. {hint}",
    "rows.near": "Meinten Sie {name!r}?",
    "rows.known": "Bekannt: {names}.",
    "list.more": "{first}, … (insgesamt {count})",
    # beyond the training data
    "warning.value": "{name} ist {value}, und das kommt in den Trainingsdaten nicht vor.",
    "warning.range": "{name} ist {value}, trainiert wurde das Modell aber nur mit {low} bis {high}.",
    "warning.row": "Jeder Wert ist für sich üblich, alle zusammen aber nicht: {share} der Zeilen, mit denen das Modell "
    "trainiert wurde, sind weniger ungewöhnlich.",
    "warning.value_given": "{name} ist {value}, und das kommt in den mitgelieferten Zeilen nicht vor.",
    "warning.range_given": "{name} ist {value}, die mitgelieferten Zeilen haben aber nur {low} bis {high}.",
    "warning.row_given": "Jeder Wert ist für sich üblich, alle zusammen aber nicht: {share} der mitgelieferten Zeilen "
    "sind weniger ungewöhnlich.",
    "warning.tie": "Es ist fast ein Unentschieden zwischen {first} ({first_share}) und {second} ({second_share}).",
    # predictions
    "headline": "{target}: {answer}",
    "answer.class": "{prediction}, {share}",
    "answer.number": "{prediction}, wahrscheinlich {low} bis {high}",
    "above_threshold": "{prediction}, denn {share} liegt über der Schwelle von {threshold}",
    "below_threshold": "{prediction}, denn {share} für {label} liegt unter der Schwelle von {threshold}",
    "not_trainable": "{model} wurde anderswo angepasst und lässt sich hier nicht noch einmal trainieren.",
    "not_trainable_file": "{model} kam in einer Datei, ohne die Funktion, die seine Daten lädt, und lässt sich hier "
    "nicht noch einmal trainieren.",
    "no_prediction": "Für diese Werte gibt das Modell keine Antwort.",
    "no_classes": "{model} sagt eine Zahl vorher: Es hat keine Klassen und keine Wahrscheinlichkeiten.",
    "no_probabilities": "{estimator} sagt Klassen ohne Wahrscheinlichkeiten vorher.",
    "no_test_rows": "Das Modell kam ohne Zeilen: Es gibt nichts zu messen oder zu vergleichen.",
    # one kind each
    "number": "eine Zahl",
    "number.comma": " Schreiben Sie die Zahl mit Punkt statt Komma.",
    "number.either": " Gemeint sein könnte {grouped} oder {decimal}: Schreiben Sie, was Sie meinen.",
    "number.mixed": "könnte {grouped} oder {decimal} sein, eingegeben: {value!r}. In dieser Spalte stehen "
    "Dezimalkommas neben Dezimalpunkten. Schreiben Sie durchgehend eines davon.",
    "number.plain": " Schreiben Sie {number}.",
    "number.percent": " Schreiben Sie die Zahl ohne Prozentzeichen, in der Einheit dieser Spalte, bei Teilen von 1 "
    "etwa 0,12.",
    "number.unit": " Schreiben Sie nur die Zahl{unit}.",
    "number.formula": " Schreiben Sie das Ergebnis der Formel; ein Tabellenprogramm fügt es hinzu, wenn es die Datei "
    "speichert.",
    "number.finite": "eine endliche Zahl",
    "integer": "eine ganze Zahl",
    "integer.long": "eine ganze Zahl mit höchstens 18 Ziffern",
    "choice": "eines von {choices}",
    "choice.near": " Meinten Sie {choice!r}?",
    "boolean": "wahr oder falsch",
    "date": "ein Datum",
    "date.example": "ein Datum wie 2026-01-31",
    "date.either": "Aus der Spalte geht nicht hervor, ob der Tag oder der Monat vorn steht.",
    "date.format": "Geschrieben wie 2026-01-31.",
    "time": "eine Uhrzeit",
    "time.example": "eine Uhrzeit wie 14:30, ohne Zeitzone",
    "time.format": "Geschrieben wie 14:30 oder 14:30:15, ohne Zeitzone.",
    "text": "ein Text",
    "email": "eine E-Mail-Adresse",
    "email.example": "eine E-Mail-Adresse wie anna@example.org",
    "email.placeholder": "name@example.org",
    "color": "eine Farbe",
    "color.example": "eine Farbe wie #772953",
    "color.format": "Geschrieben wie #772953.",
    "range": "ein Bereich",
    "range.ends": "braucht zwei Enden wie 2 bis 5, eingegeben: {value}.",
    "range.order": "muss vom kleineren zum größeren Wert gehen, eingegeben: {value}.",
    "range.span": "{low} bis {high}",
    "password": "ein Passwort",
    "password.wrong": "muss ein Text sein.",
    "password.entered": "(eingegeben)",
    "file": "eine Datei",
    "file.wrong": "muss eine Datei sein.",
    "file.size": "eine Datei mit {size} Bytes",
    "file.limit": "Höchstens {size} MB.",
}
