"""Texts about two versions of a model, in German."""

__all__ = ["TEXTS"]

TEXTS = {
    "schema.removed": "{name}: entfernt",
    "schema.added": "{name}: hinzugekommen",
    "schema.changed": "{name}: vorher {before}, jetzt {after}",
    "schema.same": "dieselben",
    "rows.none": "Es gibt keine Zeilen, auf denen sie verglichen werden können: {reason}.",
    "rows.columns": "sie haben verschiedene Eingaben. Geben Sie Zeilen an, mit denen keine von beiden trainiert wurde",
    "rows.kinds": "die eine sagt Klassen voraus, die andere Zahlen",
    "rows.seen": "jede von {count:,} zurückgehaltenen Zeilen gehört zu den Trainingszeilen einer der Versionen oder "
    "könnte dazugehören",
    "rows.seen_data": "jede von {count:,} Zeilen gehört zu den Trainingszeilen einer der Versionen",
    "rows.invalid": "die zurückgehaltenen Zeilen der einen sind für die andere nicht gültig",
    "rows.left_out": "{count:,} weitere Zeilen wurden weggelassen: eine der Versionen wurde mit ihnen trainiert, oder "
    "es ist nicht auszuschließen",
    "text": "Auf {rows:,} Zeilen, mit denen keine von beiden trainiert wurde: {metric} {difference} "
    "({confidence:.0%}-Intervall {low} bis {high}); {changed}.",
    "changed.one": "1 Antwort ändert sich",
    "changed": "{count:,} Antworten ändern sich",
    "text.same": "Auf {rows:,} Zeilen, mit denen keine von beiden trainiert wurde, sind alle Antworten gleich.",
    "text.more": "{size} höher",
    "text.less": "{size} niedriger",
    "text.equal": "gleich",
    "points": "{size:.1f} Prozentpunkte",
    "accuracy": "Genauigkeit",
    "balanced_accuracy": "ausgewogene Genauigkeit",
    "mean_absolute_error": "mittlerer absoluter Fehler",
    "mcnemar": "Jetzt richtig und vorher falsch: {after:,}; jetzt falsch und vorher richtig: {before:,} "
    "(exakter Test von McNemar: p = {p})",
    "title": "{name}: {before} und {after}",
    "requests.compared": "Echte Anfragen: {after} und {before} wurden {count} davon gestellt, und bei {different} "
    "({share}) antworten sie verschieden.",
    "requests.difference": " Im Mittel unterscheiden sie sich um {mean}.",
    "requests.answered": "Echte Anfragen: {before} hat {before_fact} davon beantwortet, {after} {after_fact}.",
    "requests.right": "Von {count} mit bekannter richtiger Antwort lag {before} bei {before_fact} richtig, {after} bei "
    "{after_fact}.",
    "requests.error": "Bei {count} mit bekannter richtiger Antwort war der mittlere absolute Fehler von {before} "
    "{before_fact}, der von {after} {after_fact}.",
    "requests.none": "Das Vorhersageprotokoll hat keine Antworten von {before} und {after}.",
    "section.inputs": "Eingaben",
    "section.data": "Daten",
    "section.classes": "Klassen",
    "section.fast": "Schnelle Form",
    "section.metrics": "Güte",
    "section.changes": "Antworten, die sich ändern, die größten Änderungen zuerst",
    "data.rows": "vorher {before} Zeilen, jetzt {after}",
    "data.same": "dieselben {rows} Zeilen",
    "data.other": "andere Zeilen, wieder {rows}",
    "classes.lost": "weggefallen: {names}",
    "classes.gained": "hinzugekommen: {names}",
    "fast.lost": "weggefallen: {reason}",
    "fast.gained": "hinzugekommen",
    "fast.kept": "wie vorher",
    "changes.none": "keine",
    "changes.more": "und {count:,} weitere",
    "gate.accepted": "Sie ist nicht über die Spanne hinaus schlechter als {before}: {text}",
    "gate.schema": "Ihre Eingaben oder ihr Ziel sind nicht dieselben ({changes}).",
    "gate.classes": "Ihr fehlen Klassen: {names}.",
    "gate.rows": "Sie kann nicht mit {before} verglichen werden: {reason}.",
    "gate.few": "Nur mit {rows} Zeilen wurde weder sie noch {before} trainiert; für einen Vergleich sind "
    "{fewest} nötig.",
    "gate.worse": "Sie ist vielleicht über die Spanne von {margin} hinaus schlechter als {before}: {text}",
    "gate.former": "Auf den Zeilen, auf denen {before} getestet wurde, ist sie über die Spanne von {margin} hinaus "
    "schlechter als {before}.",
    "gate.baseline": "Sie hat nichts gelernt: auf den zurückgehaltenen Zeilen ist sie nicht besser als {baseline}, und "
    "{before} ist es.",
    "gate.baseline.class": "immer die häufigste Klasse zu antworten",
    "gate.baseline.number": "immer den Median zu antworten",
    "gate.fast": "Sie hat keine schnelle Form, und {before} hat eine: {reason}",
    "margin.points": "{margin:g} Prozentpunkten",
    "margin.share": "{margin:g} % des mittleren absoluten Fehlers",
}
