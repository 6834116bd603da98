"""Texts of the table with which a notebook shows a spec or a model, in German."""

__all__ = ["TEXTS"]

TEXTS = {
    "predicts": "Sagt voraus: {target}.",
    "accuracy": "Von {rows} {rows:Testzeile|Testzeilen} werden {accuracy} richtig vorhergesagt. Wer immer die "
    "häufigste Klasse rät, erreicht {baseline_accuracy}.",
    "balanced_accuracy": "Von einer Klasse werden in {rows} {rows:Testzeile|Testzeilen} im Mittel {balanced_accuracy} "
    "gefunden (ausgewogene Genauigkeit). Wer immer die häufigste Klasse rät, findet {baseline_balanced_accuracy}. "
    "Richtig vorhergesagt werden {accuracy}, beim Raten wären es {baseline_accuracy}.",
    "error": "Die Vorhersagen für {rows} {rows:Testzeile|Testzeilen} weichen im Mittel um {mean_absolute_error} ab. "
    "Wer immer den Median rät, liegt um {baseline_mean_absolute_error} daneben.",
    "not_evaluated": "Es kam ohne Zeilen: Wie gut es ist, weiß hier niemand.",
    "version": "Version {version}, am {date} mit {rows} {rows:Zeile|Zeilen} trainiert.",
    "version_fitted": "Version {version}, anderswo angepasst; irislib hat es seit dem {date}.",
    "feature": "Eingabe",
    "unit": "Einheit",
    "allowed": "Erlaubt",
    "required": "Pflichtfeld",
    "yes": "ja",
    "no": "nein",
}
