"""What a model has learnt, how well it does, and how sure it is of an answer.

Each function returns an :class:`Insight`: the numbers in ``.frame``, a picture from ``.plot()``
(a :class:`matplotlib.figure.Figure`), and one plain sentence in ``.text``.
"""

from irislib.insights.base import Insight
from irislib.insights.importance import feature_importances, permutation_importance
from irislib.insights.performance import confusion_matrix, predicted_against_true
from irislib.insights.prediction import class_probabilities

__all__ = [
    "Insight",
    "class_probabilities",
    "confusion_matrix",
    "feature_importances",
    "permutation_importance",
    "predicted_against_true",
]
