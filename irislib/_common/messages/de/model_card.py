"""The texts of the model card, in German."""

__all__ = ["TEXTS"]

TEXTS = {
    "about.citation": "Zitieren als",
    "about.cite": "{title}, Version {version}, trainiert am {day}.",
    "about.cite_fitted": "{title}, Version {version}, anderswo angepasst, {day}.",
    "about.fitted": "Anderswo angepasst, hier seit",
    "about.contact": "Kontakt",
    "about.estimator": "Verfahren",
    "about.license": "Lizenz",
    "about.runs_with": "Läuft mit",
    "about.then": ", dann ",
    "about.title": "Version und Bedingungen",
    "about.trained": "Trainiert",
    "about.version": "Version",
    "classes.baseline": "Geraten",
    "classes.interval": "{value} ({low} bis {high})",
    "classes.name": "Klasse",
    "classes.precision": "Präzision",
    "classes.recall": "Trefferquote",
    "classes.rows": "Zeilen",
    "classes.text": "Trefferquote: welchen Anteil der Testzeilen einer Klasse das Modell findet. Präzision: welcher "
    "Anteil der Testzeilen, die es einer Klasse zuordnet, dorthin gehört. In Klammern stehen die Bereiche mit "
    "{confidence:.0%} Sicherheit. Unter „Geraten“ steht, was beides wäre, wenn nach den Anteilen der Klassen geraten "
    "würde.",
    "classes.title": "Wie gut es jede Klasse findet",
    "data.counts": "{rows} {rows:Zeile|Zeilen}. Mit {trained} davon wurde es trainiert. Die anderen {held_out}, "
    "zufällig gezogen, dienen als Testzeilen: An ihnen wird gemessen, wie gut es ist.",
    "data.fitted": "Es wurde anderswo angepasst, an Zeilen, die hier nicht bekannt sind. Wie gut es ist, wurde an "
    "{held_out} mitgelieferten Zeilen gemessen. Mit ihnen wurde es nicht trainiert, sagen seine Autoren.",
    "data.fitted_with_rows": "Es wurde anderswo angepasst, an {trained} {trained:Zeile|Zeilen}. Wie gut es ist, wurde "
    "an {held_out} anderen mitgelieferten Zeilen gemessen. Mit ihnen wurde es nicht trainiert, sagen seine Autoren.",
    "data.none": "Es wurde anderswo angepasst, an Zeilen, die hier nicht bekannt sind, und kam ohne Zeilen.",
    "data.missing": "Seine Beschreibung sagt nicht, woher die Daten stammen.",
    "data.title": "Daten",
    "evaluation.commonest": "Immer die häufigste Klasse",
    "evaluation.interval": "Bereich mit {confidence:.0%} Sicherheit",
    "evaluation.none": "Es kam ohne Zeilen und wurde hier nie geprüft: Wie gut es ist, ist nicht bekannt.",
    "evaluation.measure": "Maß",
    "evaluation.median": "Immer der Median",
    "evaluation.model": "Dieses Modell",
    "evaluation.title": "Wie gut es ist",
    "heading": "Steckbrief des Modells",
    "pages": "Andere Seiten",
    "apps": "Apps",
    "docs": "Für Programme (englisch)",
    "inputs.coverage": "In den Trainingsdaten",
    "inputs.coverage_given": "In den mitgelieferten Zeilen",
    "inputs.expected": "Was es sein muss",
    "inputs.label": "Was es ist",
    "inputs.name": "Name",
    "inputs.required": "Pflichtfeld",
    "inputs.text": "Jeder andere Wert wird abgelehnt. Die Namen sind die der Spalten und der Felder einer Anfrage.",
    "inputs.title": "Eingaben",
    "inputs.unit": "Einheit",
    "inputs.unknown": "nicht bekannt",
    "lead.classes": "Sagt voraus: {target}, also {classes}.",
    "lead.number": "Sagt voraus: {target}, eine Zahl.",
    "lead.unit": "Sagt voraus: {target}, eine Zahl in {unit}.",
    "limits.classes": "Es antwortet immer mit einer seiner {count} Klassen, auch bei etwas, das zu keiner gehört.",
    "limits.missing": "Seine Beschreibung sagt nicht, wofür es nicht taugt.",
    "limits.no_warning": "Was seine Trainingsdaten abdecken, ist hier nicht bekannt. Es antwortet auf jeden Wert ohne "
    "Warnung.",
    "limits.number": "Es wurde an Zeilen geprüft, für die gilt: {target} ist {span}. Wie gut es darüber hinaus ist, "
    "weiß niemand.",
    "limits.range": "Bei einem Wert, der über die der Trainingsdaten hinausgeht (siehe die Tabelle der Eingaben), ist "
    "die Antwort geraten und kommt mit einer Warnung.",
    "limits.range_given": "Bei einem Wert, der über die der mitgelieferten Zeilen hinausgeht (siehe die Tabelle der "
    "Eingaben), kommt die Antwort mit einer Warnung. Ob es mit solchen Werten trainiert wurde, ist hier nicht bekannt.",
    "limits.rows": "Wie gut es ist, wurde an allen Testzeilen zusammen gemessen. Bei manchen Arten von Zeilen kann es "
    "schlechter sein.",
    "limits.rows_given": "Wie gut es ist, wurde an allen mitgelieferten Zeilen zusammen gemessen. Bei manchen Arten "
    "von Zeilen kann es schlechter sein.",
    "limits.threshold": "Es antwortet {label} ab einer Wahrscheinlichkeit von {threshold}, auch wenn eine andere "
    "größer ist.",
    "limits.title": "Wofür es nicht taugt",
    "limits.unseen": "In den Trainingsdaten hat keine Zeile einen dieser Werte von {feature}: {values}.",
    "limits.unseen_given": "Von den mitgelieferten Zeilen hat keine einen dieser Werte von {feature}: {values}.",
    "missing": "Seine Beschreibung sagt dazu nichts.",
    "navigation": "Auf dieser Seite",
    "no": "nein",
    "or": " oder ",
    "page": "{title}: Steckbrief des Modells",
    "purpose.title": "Wofür es da ist",
    "range": "{low} bis {high}",
    "yes": "ja",
}
