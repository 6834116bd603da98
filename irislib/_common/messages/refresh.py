"""Texts about refreshing a model."""

__all__ = ["TEXTS"]

TEXTS = {
    "fitted": "{title} comes without a description to train it by. If it was fitted elsewhere, fit it there, and "
    "publish it.",
    "fitted_file": "{title} comes without a description to train it by. If a module describes it, name that: "
    "--model package.module:name. If it was fitted elsewhere, fit it there, and publish it.",
    "none": "There is no version of {name} in the store {root} to be refreshed. Train one first: irislib train",
    "running": "A refresh of {name} is running already, by {owner}. Wait for it, or cancel it.",
    "owner": "process {process} of {by} since {at}",
    "another": "another process",
    "note": "--force serves a version that was refused: say why with --note.",
    "skip": "--skip-bad-rows is for the rows of a file: give --data.",
    "replaced": "The data of {name} {version} came from files alone. Give --data, or --replace to return to load_data.",
    "again": "{file} is among the data of {name} {version} already.",
    "memory": "It needs more memory than {limit:,} bytes. Allow more: IRISLIB_REFRESH_MEMORY.",
    # a file of rows
    "file.missing": "{file} cannot be read: {error}",
    "file.target": "{file} has no column {target!r}, the target. It has: {columns}.",
    "file.cells": "it has {count} cells for {width} columns.",
    "file.class": "{target} must be one of {classes}, got {value!r}.",
    "file.no_class": "{target} is missing.",
    "file.row": "row {row}: {message}",
    "file.bad": "{count:,} of {rows:,} rows of {file} are not valid, and nothing was trained:\n{problems}\n"
    "Correct them, or leave them out: --skip-bad-rows",
    "file.more": "and {count:,} more",
    "file.no_rows": "No row of {file} is valid:\n{problems}",
    "file.skipped": "{count:,} of {rows:,} rows of {file} are not valid and left out:\n{problems}",
    # progress
    "stage.read": "Reading the data of {title}…",
    "stage.train": "Training {title} on {rows:,} rows, test rows among them…",
    "stage.compare": "Comparing it with the current version…",
    "stage.publish": "Storing it…",
    # results
    "started": "A refresh of {name} has begun: {id}.",
    "not_started": "Its process cannot be started: {error}",
    "no_reference": "{name} is no model of a module, so that no other process can find it: use irislib refresh.",
    "record": "The refresh of {name} cannot be recorded in {folder}: {error}",
    "unwritten": "What became of it cannot be written in {folder}.",
    "cancelled": "Cancelled by {by}; the current version stays.",
    "server_ended": "Its server was stopped; the current version stays.",
    "no_result": "It ended without a result: its process was killed. The current version stays.",
    "published": "{version} was published (entry {number}). {reason}",
    "served": "{version} is the current version of {name} now (entry {number}). {reason}",
    "refused": "{version} is kept (entry {number}) and not served; {before} stays current. {reason}",
    "forced": "Served by force: {note}. It had been refused: {reason}",
}
