"""The colours of charts and pages."""

__all__ = ["AUBERGINE", "INK", "ORANGE", "PAPER", "WARM_GREY"]

AUBERGINE = "#772953"
ORANGE = "#E95420"
WARM_GREY = "#AEA79F"
INK = "#2C2A29"
PAPER = "#FFFFFF"
