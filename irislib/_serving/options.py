"""The settings as Voila and Gunicorn take them: traits, aliases and flags for the one, arguments for the other."""

from __future__ import annotations

import argparse
import logging
from typing import Any

from traitlets import Bool, Float, Int, List, Unicode
from traitlets.config import Config

from irislib._common.settings import SETTINGS, api_settings, environment_value, serve_settings

__all__ = ["add_arguments", "environment_config", "serve_aliases", "serve_flags", "trait"]

_KINDS: dict[type, dict[str, Any]] = {
    bool: {"action": "store_true"},
    list: {"action": "append"},
    int: {"type": int},
    float: {"type": float},
}
_TRAITS: dict[type, Any] = {str: Unicode, int: Int, float: Float, bool: Bool}


def trait(name: str, **more: Any) -> Any:
    """Return the trait of a setting, with its default and its help text, and with more arguments of a trait's."""
    setting = SETTINGS[name]
    keywords: dict[str, Any] = {"config": True, "help": setting.help_for("serve"), **more}
    if setting.type is list:
        return List(Unicode(), **keywords)
    default = setting.default_for("serve")
    return _TRAITS[setting.type](**keywords) if default is None else _TRAITS[setting.type](default, **keywords)


def serve_aliases() -> dict[str, tuple[str, str]]:
    """Return the options of ``irislib serve`` that take a value."""
    return {
        setting.option.removeprefix("--"): (setting.trait, setting.help_for("serve"))
        for setting in serve_settings().values()
        if setting.short and setting.type is not bool
    }


def serve_flags() -> dict[str, tuple[dict[str, Any], str]]:
    """Return the options of ``irislib serve`` that take no value."""
    flags: dict[str, tuple[dict[str, Any], str]] = {}
    for setting in serve_settings().values():
        if setting.short and setting.type is bool:
            section, name = setting.trait.split(".")
            flags[setting.option.removeprefix("--")] = ({section: {name: True}}, setting.help)
    flags["debug"][0]["AppServer"]["log_level"] = logging.DEBUG
    return flags


def environment_config() -> Config:
    """Return the configuration of ``irislib serve`` from the environment, and the defaults of Voila's own traits.

    The command line and configuration files override it. Tokens are left out, since a configuration can be
    displayed.
    """
    config = Config()
    for name, setting in serve_settings().items():
        if setting.secret:
            continue
        section, attribute = setting.trait.split(".")
        value = environment_value(name) if setting.variable else None
        if value is None and section == "Voila":
            value = setting.default
        if value is not None:
            config[section][attribute] = value
    return config


class Refusal(argparse.Action):
    """An option that ``irislib serve`` has alone."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Say what to use instead."""
        setting = SETTINGS[self.dest]
        instead = f"{setting.option}-file FILE or {setting.variable}"
        parser.error(f"{setting.option} works on `irislib serve`. Use {instead}.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add irislib's own options to those of Gunicorn."""
    group = parser.add_argument_group("irislib")
    for setting in SETTINGS.values():
        if setting.secret and not setting.api:  # argparse would take it for the beginning of another option
            group.add_argument(setting.option, action=Refusal, help=argparse.SUPPRESS)
    for setting in api_settings().values():
        # SUPPRESS, since whatever else is there is taken for one of Gunicorn's settings
        text = setting.help_for("api").replace("%", "%%")
        group.add_argument(setting.option, default=argparse.SUPPRESS, help=text, **_KINDS.get(setting.type, {}))
