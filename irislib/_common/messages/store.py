"""Texts about trained and stored models: what has changed since one was trained, and why one cannot be stored."""

__all__ = ["TEXTS"]

TEXTS = {
    # what has changed
    "change.data": "the data",
    "change.file": "the file {path}",
    "change.rows": "the data ({before:,} rows then, {now:,} now)",
    "change.code": "the code of {name}",
    "change.version": "{name} ({before} then, {now} now)",
    "change.none": "none",
    "change.format": "how irislib stores models",
    "change.more": "{count} more",
    # by `irislib check`
    "check.none": "stored: none; `irislib train` keeps one",
    "check.current": "stored: version {version} of {trained_at}, with the same data, description, code and libraries",
    "check.stale": "stored: version {version} of {trained_at} is out of date. Since then these have changed: {changes}."
    " Train it anew: irislib train --model {reference}",
    # in the log
    "not_used": "The stored {name} {version} is out of date and not used: since it was trained these have changed: "
    "{changes}. A new one is trained now.",
    # by `irislib train`, with --check and --if-needed, and in a terminal
    "train.current": "{title}: the store has version {version}, with the same data, description, code and libraries.",
    "train.needed": "{title}: the store has no version with the same data, description, code and libraries.",
    "train.fitted": "{title} comes without a description to train it by, so there is nothing to train.",
    "train.fitted_file": "{title} comes without a description to train it by, so there is nothing to train. If a "
    "module describes it, name that: --model package.module:name.",
    "training_shown": "Training {title}…",
    "training_fits": "Training {title}: {step}{done} of {total} fits",
    "training_left": "Training {title}: {step}{done} of {total} fits, {left} left",
    "training_step": "step {step}, ",
    "train.scheduler": "the address of a Dask scheduler, tcp://HOST:8786, on whose workers it is trained [here]",
    # by a server that starts
    "training": "Training {title} on {rows:,} rows…",
    "trained": "{title} is trained and stored ({seconds:.1f} s): the next start takes it from {root}.",
    "trained_unstored": "{title} is trained ({seconds:.1f} s).",
    "waiting": "{title} is being trained by another process; waiting for it…",
    "stored": "{title} was trained on {when}; {data}.",
    "stored.files": "its data are unchanged ({files})",
    "stored.not_compared": "its data are not compared with those of now, for a refresh or a rollback made it current",
    "stored.unknown": "changes of its data since then are not noticed. To train it anew: irislib train, or --no-store",
    # of models that no module describes, and of versions
    "file": "The stored {name} {version}",
    "left_out": "{name} is read without its module: of its tabs these functions are left out: {functions}.",
    "published": "{name} {version} is published as number {number}, and current.",
    "rolled_back": "{name} {version} is current again, by number {number}.",
    "rollback.which": "Give the model by --model NAME. In {root} there are: {names}.",
    "versions.empty": "There is no model in {root}.",
    "versions.unserved": "(not served)",
    "versions.shadow": "(asked, never shown)",
    "versions.share": "(answers {share:.4g} of the rows)",
    "names.none": "none",
    "names.unknown": "There is no model {name!r} in {root}. It has: {names}.",
    "versions.none_serves": "No version of {name} is served.",
    "versions.unknown": "There is no version {version!r} of {name}. There are: {versions}.",
    "versions.several": "{version!r} may be any of several versions of {name}: {versions}.",
    "rollback.current": "{version} is the current version of {name} already.",
    "rollback.none": "{version} is the only version of {name} that was ever served.",
    "rollback.deleted": "The file of version {version} of {name} was deleted, as IRISLIB_STORE_KEEP has it.",
    "candidate.none": "{name} has no candidate.",
    "candidate.how": "Say how it is tried: --shadow, or --share 0.1.",
    "candidate.shadow": "{name}: {version} (number {number}) is asked what {current} is asked, and never shown.",
    "candidate.share": "{name}: {version} (number {number}) answers {share:.4g} of the rows, {current} the others.",
    "candidate.withdrawn": "{name}: {version} is not tried any more.",
    "candidate.begins": "{name}: version {version} (number {number}) is asked beside the current one from now on.",
    "candidate.begins_share": "{name}: version {version} (number {number}) answers {share:.4g} of the rows from "
    "now on.",
    "candidate.ends": "{name}: version {version} is not tried any more, since number {number}.",
    "candidate.other": "A candidate must have the {what} of the current version, {version}.",
    "candidate.failed": "The candidate of {name}, {version}, has failed; the current version answers, and further "
    "failures are only counted.",
    # by `irislib backup` and `irislib restore`
    "copy.empty": "There are no models in {root}. A store that an earlier irislib wrote has to be brought over first: "
    "irislib publish.",
    "copy.none": "There is no such model in {root}: {names}. A store that an earlier irislib wrote has to be brought "
    "over first: irislib publish.",
    "copy.newer": "{name} in {root} has {count} entries that are not in what would be copied there, up to number "
    "{number}. They would be lost: choose another store, or --force.",
    "copy.changing": "{name} is published so often that it cannot be copied. Try again.",
    "spoilt": "{file} is spoilt: its content is not what was written.",
    "copy.spoilt": "{path} is spoilt: its content is not what was written. What is current was not changed; delete the "
    "file, or take it from another copy.",
    "copy.same": "Both are {root}: give another folder or URL.",
    "copy.done": "{name}: {entries} entries and {files} files are in {root}, {written} of them new, all read back. "
    "The current version is {current}.",
    # by a server that follows the store
    "follow.other": "It is of another description or made elsewhere; these differ here: {changes}.",
    "follow.taken": "{name}: version {version} (number {number}, {kind} by {by}) is served from now on{before}.",
    "follow.before": ", in place of {version}",
    "follow.refused": "{name}: version {version} (number {number}) cannot be served here, and is not taken. {reason} "
    "{stays}",
    "follow.stays": "{version} is served as before.",
    "follow.crashed": "The process that tried to load it has ended, as for want of memory.",
    "follow.ended": "The process that looks at the store has ended; there will be another one in {seconds} s.",
    "follow.off": "The store is not followed: each worker loads its models itself.",
    "follow.unreached": "{name}: the store cannot be read, and is tried again: {error}",
    "follow.reached": "{name}: the store can be read again.",
    "unstored": "{error} It is trained again at each start.",
}
