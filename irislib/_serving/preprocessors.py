"""nbconvert's preprocessors, for pages that are run before they are rendered as for those that are run meanwhile.

Voila lets them change a notebook before it is run: a cell whose tag removes it is not run. Tags that remove outputs
are looked at again after the run.
"""

from __future__ import annotations

import copy
from typing import Any

from nbconvert.exporters.exporter import Exporter
from nbconvert.preprocessors import TagRemovePreprocessor
from traitlets.config import Config
from voila.exporter import VoilaExporter

__all__ = ["config_after_run", "preprocess", "remove_outputs"]


def is_configured(config: Config) -> bool:
    """Return True if a configuration has options of preprocessors, or of exporters, which have lists of them."""
    return any(section.endswith(("Preprocessor", "Exporter")) for section in config)


def preprocess(notebook: Any, config: Config) -> Any:
    """Return a notebook as the preprocessors make it before it is run."""
    if not is_configured(config):
        return notebook
    return Exporter.from_notebook_node(VoilaExporter(config=config), notebook)[0]


def config_after_run(config: Config) -> Config:
    """Return the configuration of the exporter of a notebook that was run, in which preprocessors do nothing again."""
    config = copy.deepcopy(config)
    for section in config:
        if section.endswith("Exporter"):
            config[section].pop("preprocessors", None)
        if section.endswith("Preprocessor"):
            config[section].pop("enabled", None)
    return config


def remove_outputs(cell: Any, config: Config) -> None:
    """Remove the outputs of a cell, or some of them, if its tags say so; never an error."""
    if any(output["output_type"] == "error" for output in cell.get("outputs", ())):
        return
    if is_configured(config):
        remove: Any = TagRemovePreprocessor
        remove(config=config).preprocess_cell(cell, {}, 0)
