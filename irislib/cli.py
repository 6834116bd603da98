"""The command line: ``irislib serve``, ``api``, ``train``, ``publish`` and the others in `COMMANDS`."""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from irislib import __version__
from irislib._common import borrowed, json_lines, tracing
from irislib._common.formatting import did_you_mean, format_share
from irislib._common.language import VARIABLE
from irislib._common.paths import write_atomically
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec
    from irislib._modeling.fitted import FittedSpec
    from irislib._modeling.model import Model

__all__ = ["COMMANDS", "main"]

USAGE = """usage: irislib [COMMAND] [OPTIONS]

  new       make a project of your own from a table:  irislib new churn --data churn.csv --target churned
  serve     the apps and the endpoint, at http://localhost:5000 (what plain `irislib` does)
  api       the endpoint alone, under Gunicorn
  train     train a model, print how well it does, and keep it
  publish   put a model into the store, also one that was fitted elsewhere
  versions  list what was published, and what is current
  candidate try a version beside the current one, never shown or for a share of the rows
  rollback  make an earlier version current again
  backup    copy the store, all versions and what is current, to a folder or a URL
  restore   copy a backup into the store; what is newer there stays
  predict   answer one row:  irislib predict petal_length_cm=5.1 …
  score     predict all rows of many CSV or Parquet files:  irislib score 'in/*.parquet' --out out/
  check     say whether all is in order, and what is not
  card      write a page about a model: purpose, data, evaluation, limits
  drift     compare a prediction log with a model's data; exit status 3 if there is drift
  diff      compare two versions of a model: inputs, data, performance, and the answers that change
  refresh   train a model again on new data; it is served if it is not worse than the current version
  update    bring a project that irislib has made what is new in its files, and keep your changes

`irislib COMMAND --help` lists a command's options. `--model package.module:name` chooses a model
of your own everywhere; without it, it is the example in irislib/iris.py.
"""


# Options for which `serve` prints something, and ends.
NO_SERVER = {"-h", "--help", "--help-all", "--version", "--generate-config", "--show-config", "--show-config-json"}


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command; an error becomes one sentence and an exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    command = args[0] if args else "serve"
    try:
        try:
            _run(args)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, for at the end of the process nobody could say that it has failed
    except OSError as error:
        if not _is_output_lost(error):
            if command not in COMMANDS or command in ("serve", "api"):
                raise
            sys.exit(f"irislib {command}: {error}")  # of a disk, or of a store in the network
        if isinstance(error, BrokenPipeError):  # of a reader that has seen enough, such as `head`
            sys.exit(128 + signal.SIGPIPE)
        sys.exit(f"irislib: The output cannot be written: {error.strerror}.")


def _is_output_lost(error: OSError) -> bool:
    """Return True if nothing more can be printed, which is discarded from now on."""
    if error.errno is None or error.filename is not None:  # of a library, or of another file
        return False
    try:  # to flush would not do: of a long text that could not be written nothing is left to flush
        print(flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _run(args: list[str]) -> None:
    os.environ.pop(VARIABLE, None)  # commands answer in English, and a server's visitors as their browsers ask
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # where the user's own module is
    if args[:1] == ["--version"]:
        print(f"irislib {__version__}")
        return
    if args[:1] in (["--help"], ["-h"], ["help"]):
        print(USAGE, end="")
        return
    if args and args[0] not in COMMANDS and not args[0].startswith("-") and not os.path.exists(args[0]):
        sys.exit(f"irislib: There is no command {args[0]!r}. {did_you_mean(args[0], list(COMMANDS))}")
    name = args.pop(0) if args and args[0] in COMMANDS else "serve"
    if name in ("serve", "api") and "--json-logs" in args and not NO_SERVER & {*args}:
        json_lines.begin()
    try:
        sys.exit(COMMANDS[name](args))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from irislib._modeling.user_errors import report as report_error

        if (text := report_error(error)) is None:
            raise
        if json_lines.is_on():
            json_lines.report(f"irislib {name}: {text}")
            sys.exit(1)
        sys.exit(f"irislib {name}: {text}")


def new(args: list[str]) -> int:
    """Make a project from a table."""
    from irislib._common.messages.new import COMMAND
    from irislib._project import command

    parser = argparse.ArgumentParser(prog="irislib new", description=COMMAND["about"])
    command.add_arguments(parser)
    return command.run(parser.parse_args(args))


def serve(args: list[str]) -> int:
    """Serve the apps and the endpoint."""
    from irislib._forkserver import early

    if not has_pages():
        raise IrislibError(
            "This installation has no pages, for Voila is not installed: it is that of the endpoint alone, which is "
            "started by `irislib api`. All of it is installed by pip install irislib."
        )
    if "--tracing" in args:
        tracing.begin()
    if not NO_SERVER.intersection(args):
        early.launch(args)  # it imports in the meantime
    try:
        import irislib._common.quick_imports  # noqa: F401 - before the check, which imports Voila

        borrowed.check("serve")
        refuse_unknown_options(args)
        from irislib._serving.voila_app import AppServer

        AppServer.launch_instance(args)
    finally:
        early.end()
    return 0


def has_pages() -> bool:
    """Return False if only what the endpoint needs is installed, as in the image of the endpoint."""
    return importlib.util.find_spec("voila") is not None


def refuse_unknown_options(args: Sequence[str]) -> None:
    """Refuse an option that `serve` does not have, which Voila would ignore in silence."""
    from irislib._serving.voila_app import AppServer

    names = {*AppServer.aliases, *AppServer.flags, "help", "help-all", "generate-config", "show-config"}
    options = {f"--{name.replace('_', '-')}" for name in names} | {"-h", "--show-config-json", "--version", "--"}
    for arg in args:
        option = arg.partition("=")[0]
        if not option.startswith("-") or "." in option or option.replace("_", "-") in options:
            continue
        from irislib._serving.gunicorn_app import option_names  # here, for it imports Gunicorn

        if option in option_names():
            raise IrislibError(f"{option} is an option of Gunicorn: it works on `irislib api`.")
        raise IrislibError(f"There is no option {option}. {did_you_mean(option, sorted(options))}")


def api(args: list[str]) -> int:
    """Serve the endpoint alone, under Gunicorn."""
    # Requests are spread over processes, and the rows of one over threads: threads below would only wait for each other
    # in busy loops. NumPy reads it when it is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if "--tracing" in args:
        tracing.begin()
    borrowed.check("api")
    from irislib._serving.gunicorn_app import ApiServer

    sys.argv = ["irislib api", *args]  # Gunicorn reads it there, and again when it reloads
    ApiServer("%(prog)s [OPTIONS]", prog="irislib api").run()
    return 0


def train(args: list[str]) -> int:
    """Train a model, print its evaluation and store it."""
    from irislib._common.messages.store import TEXTS
    from irislib._modeling import registry
    from irislib._modeling.fitted import FittedSpec

    parser = _parser("train", "Train a model, print how well it does on held-out rows, and keep it.")
    parser.add_argument(
        "--if-needed",
        action="store_true",
        help="train nothing if the store has a version with the same data, description, code and libraries",
    )
    parser.add_argument(
        "--check", action="store_true", help="train nothing, and end with exit status 1 if there is no such version"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help=TEXTS["train.scheduler"])
    options, status = parser.parse_args(args), 0
    for spec in registry.load_specs(options.model).values():
        if options.check or options.if_needed:
            if _is_stored(spec):
                continue
            if options.check:
                status = 1
                continue
        if isinstance(spec, FittedSpec):
            raise IrislibError(_not_trainable(spec))
        _train_and_publish(spec, options.scheduler)
    return status


def _is_stored(spec: ModelSpec) -> bool:
    """Print whether a model has to be trained, and return True if it does not."""
    from irislib._common.messages.store import TEXTS
    from irislib._modeling import registry
    from irislib._modeling.fitted import FittedSpec

    if isinstance(spec, FittedSpec):
        print(_not_trainable(spec))
        return True
    model = registry.load_stored(spec)
    text = "train.needed" if model is None else "train.current"
    print(TEXTS[text].format(title=spec.title, version=model.version if model else ""))
    return model is not None


def _not_trainable(spec: FittedSpec) -> str:
    from irislib._common.messages.store import TEXTS

    return TEXTS["train.fitted_file" if spec.origin else "train.fitted"].format(title=spec.title)


def _train_and_publish(spec: ModelSpec, scheduler: str | None) -> None:
    from irislib._modeling import store
    from irislib._modeling.training import train as fit
    from irislib._refresh.progress_line import shown_training

    start, root = time.monotonic(), store.default_root()
    with shown_training(sys.stderr, spec.title, in_log=scheduler is not None):
        model = fit(spec, scheduler=scheduler)
    print(report(model))
    entry = store.publish(model, root, kind="train", seconds=round(time.monotonic() - start, 3))
    print(f"kept in {store.location(entry, spec.name, root)}")


def publish(args: list[str]) -> int:
    """Put a model into the store."""
    from irislib._modeling import store_commands

    return store_commands.publish(_parser("publish", "Put a model into the store, and make it current."), args)


def versions(args: list[str]) -> int:
    """List what was published, and what is current."""
    from irislib._modeling import store_commands

    return store_commands.versions(_parser("versions", "List the versions in the store, the newest first."), args)


def candidate(args: list[str]) -> int:
    """Try a version beside the current one."""
    from irislib._modeling import candidate_command

    about = "Try a version beside the current one: as a shadow, which is never shown, or for a share of the rows."
    return candidate_command.candidate(_parser("candidate", about), args)


def rollback(args: list[str]) -> int:
    """Make an earlier version current again."""
    from irislib._modeling import store_commands

    return store_commands.rollback(_parser("rollback", "Make an earlier version current again."), args)


def backup(args: list[str]) -> int:
    """Copy the store to a folder or a URL."""
    from irislib._modeling import store_commands

    about = "Copy the models of the store, all versions and what is current, while servers and writers go on."
    return store_commands.backup(_parser("backup", about), args)


def restore(args: list[str]) -> int:
    """Copy a backup into the store."""
    from irislib._modeling import store_commands

    about = "Copy the models of a backup into the store. What is newer there is refused, without --force."
    return store_commands.restore(_parser("restore", about), args)


def report(model: Model) -> str:
    """Return a model's held-out evaluation as text."""
    held_out = model.evaluation
    unit = model.spec.target_unit
    lines = [
        f"{model.spec.title}, version {model.version}",
        "fitted elsewhere; never evaluated here"
        if not model.is_evaluated
        else f"fitted elsewhere; on {len(held_out.y_true)} rows that came with it:"
        if model.is_fitted_elsewhere
        else f"trained on {model.data['training_rows']} rows; on {len(held_out.y_true)} held-out rows:",
    ]
    for name in (*held_out.measures, *(f"baseline_{name}" for name in held_out.measures)):
        if name in held_out.metrics:
            value = held_out.metrics[name]
            label = name.replace("_", " ") + (f" ({unit})" if unit and "error" in name else "")
            score = min(value, 0.9999) if value < 1 and "error" not in name else value  # 1 is of no mistake alone
            lines.append(f"  {label:<32} {score:.4g}")
    return "\n".join(lines)


def predict(args: list[str]) -> int:
    """Predict one row written as name=value."""
    from irislib._modeling.user_errors import user_errors

    parser = _parser("predict", "Answer one row.")
    parser.add_argument("values", nargs="+", metavar="name=value", help="a feature and its value")
    options = parser.parse_intermixed_args(args)
    if bare := [text for text in options.values if "=" not in text]:
        raise IrislibError(f"Write each value as name=value, got {bare[0]!r}.")
    pairs = [text.partition("=")[::2] for text in options.values]
    model = _one_model(options.model)
    with user_errors(model.spec):
        prediction = model.predict_row(dict(pairs))
    print(prediction)
    for name, probability in (prediction.probabilities or {}).items():
        print(f"  {name!s:<24} {format_share(probability)}")
    for warning in prediction.warnings:
        print(f"warning: {warning.message}", file=sys.stderr)
    return 0


def score(args: list[str]) -> int:
    """Predict all rows of many files."""
    from irislib._distributed import command

    about = "Predict all rows of CSV or Parquet files, as many as there are, on all cores or on a Dask cluster."
    parser = _parser("score", about)
    command.add_arguments(parser)
    options, rest = parser.parse_known_args(args)
    command.refuse(rest, parser)
    return command.run(lambda: _one_model(options.model), options)


def check(args: list[str]) -> int:
    """Check models and notebooks, and print what is in order and what is not."""
    import irislib._common.quick_imports  # noqa: F401 - before all that imports nbformat
    from irislib._modeling.checkup import check_model
    from irislib._serving.served_models import served_references

    parser = _parser("check", "Check a model's description, data, training, examples and page, and notebooks.")
    parser.add_argument("--notebooks", default="", help="a folder, or a notebook, as `irislib serve` has it")
    options = parser.parse_args(args)
    ok = True
    checks = check_model(served_references(options.notebooks, options.model))
    if has_pages():
        from irislib._serving.notebook_checkup import check_notebooks

        checks = chain(checks, check_notebooks(options.notebooks, options.model))
    for good, text in checks:
        ok = ok and good
        # at once, for a module that is imported may end this process
        print(f"{'ok' if good else 'FAULT':<6} {text}".replace("\n", "\n" + " " * 7), flush=True)
    return 0 if ok else 1


def card(args: list[str]) -> int:
    """Write a page about a model."""
    from irislib._model_card.card import card as markdown
    from irislib._model_card.card import card_html
    from irislib._modeling.user_errors import user_errors

    parser = _parser("card", "Write a page about a model: purpose, data, inputs, evaluation, limits, version.")
    parser.add_argument("--format", choices=("md", "html"), help="[what the file's ending says, else md]")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write it [to the terminal]")
    options = parser.parse_args(args)
    form = options.format or _file_format(options.output)
    model = _one_model(options.model)
    with user_errors(model.spec):
        text = card_html(model) if form == "html" else markdown(model)
    if options.output is None:
        print(text, end="")
        return 0
    try:
        write_atomically(options.output, text)
    except OSError as error:
        raise IrislibError(f"{options.output} cannot be written: {error.strerror or error}.") from error
    return 0


def drift(args: list[str]) -> int:
    """Compare a prediction log with the data of a model."""
    from irislib._modeling.user_errors import user_errors
    from irislib._prediction_log import command

    parser = _parser("drift", "Compare a prediction log with a model's data. Exit status: 3 for drift, 1 for an error.")
    command.add_arguments(parser)
    options = parser.parse_args(args)
    model = _one_model(options.model)
    with user_errors(model.spec):
        return command.run(model, options)


def diff(args: list[str]) -> int:
    """Compare two versions of a model."""
    from irislib._comparison import command

    parser = _parser("diff", "Compare two versions of a model on rows that neither was trained on.")
    command.add_arguments(parser)
    options = parser.parse_args(args)
    return command.run(None if command.are_files(options) else _one_spec(options.model), options)


def refresh(args: list[str]) -> int:
    """Train a model again on new data, and serve it if it is not worse than the current version."""
    from irislib._refresh import command

    parser = _parser(
        "refresh",
        "Train a model again on new data; it is served if it is not worse than the current version. Exit status: 3 if "
        "it is refused, 1 for an error.",
    )
    command.add_arguments(parser)
    options = parser.parse_args(args)
    return command.run(lambda: _one_spec(options.model), options)


def update(args: list[str]) -> int:
    """Update the files of a project, and keep its owner's changes."""
    from irislib._project import update as command

    parser = argparse.ArgumentParser(
        prog="irislib update",
        description="Bring a project that irislib has made what is new in its files, and keep your changes. "
        "Exit status: 1 for conflicts, and for an error.",
    )
    command.add_arguments(parser)
    return command.run(parser.parse_args(args))


def _file_format(path: Path | None) -> str:
    """Return the format for the suffix of a file."""
    ending = ".md" if path is None else path.suffix.lower()
    formats = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}
    if ending not in formats:
        raise IrislibError(f"{path} does not say what to write: end it in .md or .html, or give --format.")
    return formats[ending]


def _one_model(references: Sequence[str] | None) -> Model:
    from irislib._modeling import registry

    return registry.load(_one_spec(references))


def _one_spec(references: Sequence[str] | None) -> ModelSpec:
    from irislib._modeling import registry

    specs = registry.load_specs(references)
    if len(specs) > 1:
        raise IrislibError(f"Give one model with --model; there are {', '.join(specs)}.")
    return next(iter(specs.values()))


def _parser(command: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"irislib {command}", description=description)
    parser.add_argument(
        "--model",
        action="append",
        metavar="MODEL",
        help="package.module:name of a model or its description, a file such as wine.irislib, or a name in the store "
        "[what IRISLIB_MODEL names, else the example]",
    )
    return parser


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "new": new,
    "serve": serve,
    "api": api,
    "train": train,
    "publish": publish,
    "versions": versions,
    "candidate": candidate,
    "rollback": rollback,
    "backup": backup,
    "restore": restore,
    "predict": predict,
    "score": score,
    "check": check,
    "card": card,
    "drift": drift,
    "diff": diff,
    "refresh": refresh,
    "update": update,
}
