"""The texts of the insights, in German."""

__all__ = ["TEXTS"]

TEXTS = {
    # in several
    "guessing": "geraten",
    "test_rows": "Testzeilen",
    "test_rows.trained": "Testzeilen sind ein zurückgelegter Teil der Daten, mit dem das Modell nicht trainiert wurde.",
    "test_rows.fitted": "Testzeilen sind die Zeilen, die mit dem Modell geliefert wurden.",
    "test_rows.given": "Testzeilen sind die, die zur Bewertung angegeben wurden.",
    "explained": "wie viel der Unterschiede zwischen den Zeilen es erklärt, höchstens 1",
    "measure_explained": "{measure} ({meaning})",
    "interval": "{share} ({confidence:.0%}-Intervall: {low} bis {high})",
    "left_empty": "leer",
    "and": " und ",
    "or": " oder ",
    # class_probabilities
    "class_probabilities.title": "Wie sicher ist es?",
    "class_probabilities.text": "{prediction}, mit einer Wahrscheinlichkeit von {probability}.",
    # confusion_matrix
    "confusion_matrix.title": "Wie oft liegt es richtig?",
    "confusion_matrix.text": "Es lag bei {right} von {total} Testzeilen richtig: {interval}. Immer die häufigste "
    "Klasse zu nennen, wäre bei {baseline} richtig. {test_rows}",
    "confusion_matrix.balanced": "Im Mittel über die Klassen fand es {balanced} der Testzeilen einer Klasse "
    "(ausgewogene Genauigkeit). Immer die häufigste Klasse zu nennen, zu der {share} der Zeilen gehören, fände "
    "{baseline}. {text}",
    # class_metrics
    "class_metrics.title": "Wie gut findet es jede Klasse?",
    "class_metrics.text": "{name} ist am schwersten zu finden: Gefunden wurden {recall} der {support} Testzeilen "
    "dieser Klasse. Raten nach den Anteilen der Klassen fände {baseline}.",
    "class_metrics.text_equal": "Es fand {recall} der Testzeilen jeder Klasse. Raten nach den Anteilen der Klassen "
    "fände den Anteil der Klasse.",
    "class_metrics.axis": "Anteil der Testzeilen, mit 95-%-Intervall",
    # calibration
    "calibration.title": "Kann man seinen Wahrscheinlichkeiten trauen?",
    "calibration.text": "Für die Testzeilen gab es seinen Antworten im Mittel eine Wahrscheinlichkeit von "
    "{probability}, und {right} davon stimmten. Der Brier-Wert ist {score:.2f}. Am besten ist 0; die Anteile der "
    "Klassen vorherzusagen, käme auf {baseline:.2f}.",
    "calibration.ideal": "so sicher, wie es richtig liegt",
    "calibration.model": "dieses Modell, mit 95-%-Intervall",
    "calibration.axis": "Wahrscheinlichkeit der vorhergesagten Klasse",
    # roc_curve and precision_recall_curve
    "roc_curve.title": "Wie gut trennt es eine Klasse von den anderen?",
    "roc_curve.measure": "Fläche unter der Kurve",
    "roc_curve.value": "{area:.2f} ({low:.2f} bis {high:.2f})",
    "roc_curve.baseline": "Raten kommt auf 0,50",
    "precision_recall_curve.title": "Mehr finden, mehr Fehlalarme",
    "precision_recall_curve.measure": "mittlere Präzision",
    "precision_recall_curve.value": "{average:.2f} (geraten: {baseline:.2f})",
    "precision_recall_curve.baseline": "Raten kommt auf den Anteil der Klasse",
    "curves.text": "{name} ist am schwersten von den anderen zu trennen: {measure} {value}. {baseline}.",
    "curves.text_equal": "Keine Klasse ist schwerer als eine andere abzutrennen: {measure} {value}. {baseline}.",
    "curves.scores": "{text} Wahrscheinlichkeiten hat es nicht: Die Kurven folgen den Werten seiner "
    "Entscheidungsfunktion.",
    # decision_threshold and gains
    "decision_threshold.title": "Ab welcher Wahrscheinlichkeit?",
    "decision_threshold.text": "Ab einer Wahrscheinlichkeit von {threshold} lautet die Antwort {label}. So findet es "
    "{recall} der {positives} Testzeilen mit {label}, und {alarms} von {answers} Antworten {label} sind Fehlalarme.",
    "decision_threshold.no_threshold": "Eine Schwelle für die Wahrscheinlichkeit von {label} hat es nicht. Seine "
    "eigenen Antworten finden {recall} der {positives} Testzeilen mit {label}, und {alarms} von {answers} Antworten "
    "{label} sind Fehlalarme.",
    "decision_threshold.cheapest": "Wenn ein übersehener Fall {ratio} ein Fehlalarm kostet, wäre {threshold} für diese "
    "Zeilen am günstigsten.",
    "decision_threshold.cheapest_now": "Wenn ein übersehener Fall {ratio} ein Fehlalarm kostet, ist für diese Zeilen "
    "nichts günstiger.",
    "decision_threshold.ratio": "{ratio}-mal so viel wie",
    "decision_threshold.equal": "so viel wie",
    "decision_threshold.current": "jetzt",
    "decision_threshold.cheapest_line": "am günstigsten",
    "decision_threshold.axis": "bejaht ab dieser Wahrscheinlichkeit",
    "gains.title": "Wie viele werden zuerst gefunden?",
    "gains.text": "Die {rows} der Testzeilen mit der höchsten Wahrscheinlichkeit für {label} enthalten {found} aller "
    "Zeilen mit {label}: {lift}-mal so viele wie bei zufälliger Auswahl.",
    "gains.model": "dieses Modell",
    "gains.best": "das bestmögliche",
    "gains.x": "Anteil der Testzeilen, die höchsten Wahrscheinlichkeiten zuerst",
    "gains.y": "gefundener Anteil",
    # prediction_set
    "set.title": "Was könnte es noch sein?",
    "set.sure": "Am wahrscheinlichsten {name}: Keine andere Klasse kommt dem nahe.",
    "set.unsure": "Am wahrscheinlichsten {name}, aber nicht sicher: {other} hat {share}.",
    "set.several": "Am wahrscheinlichsten {name}; auch nicht auszuschließen: {others}.",
    "set.all": "Am wahrscheinlichsten {name}, aber keine der anderen Klassen lässt sich ausschließen.",
    "set.tie": "Entweder {first} oder {second}: Beide sind fast gleich wahrscheinlich.",
    "set.tie_of_more": "Entweder {first} oder {second}: Beide sind fast gleich wahrscheinlich; auch nicht "
    "auszuschließen: {others}.",
    "set.less_likely": "Die Antwort ist {name}, obwohl {other} wahrscheinlicher ist ({share}).",
    "set.many": "{count} andere Klassen",
    "set.outside": "Die Antwort ist {name}. Diese Werte sind dem Modell aber fremd: Es kann auch eine andere "
    "Klasse sein.",
    "set.one": "allein {names}",
    "set.more": "{names}",
    "set.these": "diese {count} Klassen",
    "set.coverage": "Eine Liste der wahrscheinlichen Klassen, hier {classes}, soll die wahre Klasse im Mittel in "
    "{coverage} der Fälle enthalten; {counts}.",
    "set.coverage_unclear": "Eine Liste, die die wahre Klasse im Mittel in {coverage} der Fälle enthalten soll, wäre "
    "hier {classes}; für einen unklaren Fall wie diesen sagt dieses Mittel nichts.",
    "set.coverage_outside": "Wie oft eine solche Antwort stimmt, ist nur für übliche Werte bekannt.",
    "set.counts": "so war es bei {within} von {total} Testzeilen, {interval}",
    "set.axis": "Wahrscheinlichkeit; was die Linie erreicht, steht in der Liste",
    "range.title": "Wie weit kann es danebenliegen?",
    "range.text": "Am wahrscheinlichsten {low} bis {high}. Ein solcher Bereich soll die wahre Zahl im Mittel in "
    "{coverage} der Fälle enthalten; {counts}.",
    "range.outside": "Am wahrscheinlichsten {low} bis {high}. Diese Werte sind dem Modell aber fremd: Es kann weiter "
    "danebenliegen. Wie oft ein solcher Bereich stimmt, ist nur für übliche Werte bekannt.",
    # contributions
    "contributions.title": "Warum diese Antwort?",
    "contributions.class": "Die Wahrscheinlichkeit von {prediction} ist {probability} (im Mittel {base})",
    "contributions.number": "{prediction} (im Mittel {base})",
    "contributions.reason": "{feature}: {value}",
    "contributions.reason_unusual": "{feature}: {value} (üblich: {typical})",
    "contributions.text": "{start}, vor allem deshalb: {reasons}",
    "contributions.others": "die anderen {count} Eingaben",
    "contributions.points": "{number} Prozentpunkte",
    "contributions.exact": "{start}; die Beiträge sind exakt",
    "contributions.sampled": "{start}; die Beiträge sind aus Stichproben geschätzt, auf etwa {error} genau",
    # what_if
    "what_if.title": "Was wäre mit einem anderen Wert?",
    "what_if.text": "Am stärksten bewegt {feature} diese Antwort: Bei {low} wäre sie {low_answer}, bei {high} "
    "{high_answer}.",
    "what_if.text_none": "Keine der Eingaben, die hier durchgegangen werden, bewegt für sich allein diese Antwort.",
    "what_if.lines": "Jede Linie zeigt {measure}.",
    "what_if.answer": "{prediction}, {share}",
    # smallest_changes
    "smallest_changes.title": "Was würde die Antwort ändern?",
    "smallest_changes.change": "{feature} {value}",
    "smallest_changes.text": "Statt {now} wäre es {became} mit {change}",
    "smallest_changes.none": "keine von einer oder zwei Eingaben",
    "smallest_changes.text_none": "Es bleibt bei {now}: Keine der {tried:,} ausprobierten Änderungen von einer oder "
    "zwei Eingaben führt zu einer anderen Antwort",
    "smallest_changes.text_nothing": "Es bleibt bei {now}: Keine Eingabe darf sich ändern",
    "smallest_changes.text_untried": "Es bleibt bei {now}: Keine Änderung wurde ausprobiert",
    "smallest_changes.untried": "{start}; andere Werte von {names} wurden nicht ausprobiert",
    "smallest_changes.untried_many": "{start}; andere Werte von {count} Eingaben wurden nicht ausprobiert",
    "smallest_changes.some": "{start}; die Zeit reichte für {tried:,} von {total:,} Änderungen, die kleinsten zuerst",
    "smallest_changes.fixed_many": "{start}; {count} Eingaben bleiben, wie sie sind",
    "smallest_changes.fixed_one": "{start}; {names} bleibt, wie es ist",
    "smallest_changes.fixed": "{start}; {names} bleiben, wie sie sind",
    # feature_importances and permutation_importance
    "importance.some": "{start} Das Diagramm zeigt die {count} stärksten von {total} Eingaben.",
    "feature_importances.title": "Was zählt am meisten?",
    "feature_importances.text": "Am meisten nutzt das Modell {feature}. Jeder Balken ist das Mittel über seine {trees} "
    "Bäume. Die Linie zeigt, wie sehr sich die Bäume unterscheiden (Standardabweichung).",
    "feature_importances.text_none": "Die Bäume des Modells nutzen keine Eingabe. Jeder Balken ist das Mittel über "
    "seine {trees} Bäume. Die Linie zeigt, wie sehr sich die Bäume unterscheiden (Standardabweichung).",
    "permutation_importance.title": "Was würde ihm am meisten fehlen?",
    "permutation_importance.accuracy": "Anteil richtiger Antworten",
    "permutation_importance.text": "{feature}: Werden diese Werte unter den Testzeilen vertauscht, sinkt das Maß um "
    "{loss}: {measure}. Jeder Balken ist das Mittel aus {repeats} Vertauschungen. Die Linie zeigt, wie sehr sie "
    "sich unterscheiden (Standardabweichung).",
    "permutation_importance.text_none": "Keine einzelne: Welche Eingabe auch unter den Testzeilen vertauscht wird, das "
    "Maß sinkt nicht: {measure}. Jeder Balken ist das Mittel aus {repeats} Vertauschungen. Die Linie zeigt, wie sehr "
    "sie sich unterscheiden (Standardabweichung).",
    # partial_dependence
    "partial_dependence.title": "Wie wirkt jede Eingabe auf die Antwort?",
    "partial_dependence.text": "Am stärksten wirkt {feature}: Ändert sich nur dieser Wert von {start} auf {stop}, geht "
    "{output} im Mittel von {first} auf {second}.",
    "partial_dependence.text_none": "Keine der Eingaben, die hier durchgegangen werden, wirkt für sich allein auf die "
    "Antwort.",
    "partial_dependence.some": "{start} Die Zeit reichte für {count} von {total} Eingaben. Zuerst kamen die, die am "
    "meisten zu zählen scheinen.",
    "partial_dependence.classes": "{start} Die Bilder zeigen die {count} von {total} Klassen, die sich am meisten "
    "ändern: {names}. Die Zahlen sind die aller {total}.",
    "partial_dependence.more": "{name} und {count} weitere",
    "partial_dependence.number": "der Wert {target}",
    "partial_dependence.probability": "die Wahrscheinlichkeit von {name}",
    # cross_validation
    "cross_validation.title": "Wie verlässlich ist es?",
    "cross_validation.text": "Es wurde {times}-mal mit verschiedenen Teilen der Daten trainiert{failed} und am Rest "
    "geprüft. {measure} liegt zwischen {low} und {high}, in der Mitte bei {middle}. Raten kommt auf {baseline}.",
    "cross_validation.failed": " (und {times} weitere Male ohne Erfolg)",
    "cross_validation.model": "das Modell, ein Punkt für jedes Training",
    "cross_validation.axis": "{score} bei Zeilen, mit denen es nicht trainiert wurde",
    # learning_curve
    "learning_curve.title": "Würden mehr Daten helfen?",
    "learning_curve.start": "Mit {rows} Trainingszeilen erreicht es auf anderen Zeilen {score} ({measure})",
    "learning_curve.text": "Wahrscheinlich ja. {start}, mit {rows} erreicht es {score}.",
    "learning_curve.text_hardly": "Kaum, wenn sie diesen Zeilen gleichen. {start}, mit {rows} erreicht es {score}.",
    "learning_curve.text_one": "{start}; mit weniger ließ es sich nicht trainieren.",
    # predicted_against_true
    "predicted_against_true.title": "Wie genau sind seine Antworten?",
    "predicted_against_true.text": "Bei {rows} Testzeilen weichen seine Antworten im Mittel um {error} ab ({root}, "
    "wenn große Fehler mehr zählen: RMSE). Wäre die Antwort immer {whose}, läge sie um {baseline} daneben. R², "
    "{explained}, ist {r2:.2f}. {test_rows}",
    # residuals
    "residuals.title": "Wie groß sind seine Fehler?",
    "residuals.text_above": "Mindestens {share:.0%} der {rows} Testzeilen weichen um höchstens {most} ab (immer "
    "{whose}: {baseline}). Im Mittel liegt die wahre Zahl um {mean} über der Antwort.",
    "residuals.text_below": "Mindestens {share:.0%} der {rows} Testzeilen weichen um höchstens {most} ab (immer "
    "{whose}: {baseline}). Im Mittel liegt die wahre Zahl um {mean} unter der Antwort.",
    "residuals.median": "der Median",
    "residuals.own_median": "der Median dieser Zeilen selbst",
    "residuals.band": "{share:.0%} der Zeilen",
    # comparison
    "comparison.title": "Worin unterscheiden sich zwei Antworten?",
    "comparison.first": "erste",
    "comparison.second": "zweite",
    "comparison.text": "Die erste ist {first}, die zweite {second}. Sie unterscheiden sich in: {names}.",
    "comparison.text_same": "Die erste ist {first}, die zweite {second}. Die Eingaben sind gleich.",
    "comparison.more": "{count} weitere Eingaben",
    # why there is none
    "not_two_classes": "{model} hat {count} Klassen, eine Schwelle gibt es aber nur für zwei.",
    "no_classes_to_confuse": "{model} sagt eine Zahl vorher: Es gibt keine Klassen zu verwechseln.",
    "no_class_metrics": "{model} sagt eine Zahl vorher: Präzision und Trefferquote gehören zu Klassen.",
    "no_class_to_change": "{model} sagt eine Zahl vorher: Es gibt keine Klasse, die sich ändern könnte.",
    "no_number": "{model} sagt eine Klasse vorher, siehe {instead}.",
    "no_probabilities": "{model} wurde ohne Wahrscheinlichkeiten geprüft.",
    "no_scores": "{estimator} hat keine Wahrscheinlichkeiten und auch keinen Wert je Klasse, dem man folgen könnte.",
    "one_class": "Die Testzeilen sind alle von einer Klasse: Es gibt nichts zu trennen.",
    "too_few_for_coverage": "{rows} Testzeilen sind zu wenige für eine Abdeckung von {coverage}: Nötig sind {needed}. "
    "Legen Sie mehr davon zurück (test_size) oder verlangen Sie weniger Abdeckung.",
    "no_forest": "{estimator} ist kein Wald und hat keine Wichtigkeiten dieser Art, siehe permutation_importance.",
    "mixed_features": "Die Schritte vor dem Wald mischen Eingaben oder bilden eine Spalte, die sich kaum je ändert, "
    "siehe permutation_importance.",
    "no_feature_to_move": "{model} hat keine Eingabe mit mehr als einem Wert, den man durchgehen könnte.",
    "mixtures_refused": "Das braucht Zeilen, die aus mehreren anderen gemischt sind, und auf manche davon gibt {model} "
    "keine Antwort.",
    "too_few_rows": "{model} hat zu wenige Zeilen, um mit Teilen davon trainiert zu werden.",
    "not_trainable_on_parts": "{model} lässt sich nicht mit Teilen seiner Daten trainieren.",
    "not_trainable_on_fewer": "{model} lässt sich nicht mit weniger Zeilen trainieren, als es hat.",
}
