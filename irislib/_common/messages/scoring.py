"""Texts of `irislib score`, and of the cluster that it works on."""

__all__ = ["TEXTS"]

TEXTS = {
    # what is not installed
    "dask_missing": "{name} is not installed: pip install 'irislib[dask]'.",
    "extra_missing": "{name} is not installed, which {url} needs: pip install {name}.",
    # the cluster
    "scheduler_and_workers": "--workers is for a cluster of this machine: leave it out beside --scheduler, whose "
    "cluster has its own.",
    "unreachable": "No Dask scheduler answers at {address} within {seconds:.0f} seconds: {error}. Start one by "
    "`dask scheduler`, and workers by `dask worker {address}`.",
    "no_workers": "The Dask scheduler at {address} has no workers. Start one on each machine: dask worker {address}.",
    "no_address": "{address!r} is no address of a Dask scheduler, such as tcp://10.0.0.5:8786 or tls://…: {error}.",
    "no_certificate": "There is no TLS certificate for {address}: set distributed.comm.tls in Dask's configuration, "
    "such as by the variables DASK_DISTRIBUTED__COMM__TLS__CA_FILE and …__TLS__CLIENT__CERT. ({error})",
    "other_versions": "Scheduler or workers of {address} have other versions than this process: {differences}. Install "
    "the same everywhere.",
    "lost": "The cluster at {address} was lost: {error}",
    "fit_killed": "The workers of {address} that fitted the same part were lost one after the other, as for want of "
    "memory. Give each worker more of it: dask worker --memory-limit.",
    "no_module": "The workers have no module {name}: install it there, or import it where your model is described.",
    "model_refused": "The workers cannot read the model: {error}",
    # what is read and written
    "nothing_found": "There is no file {pattern}. Write the pattern in quotation marks: 'in/*.parquet'.",
    "other_kind": "{path} is neither CSV nor Parquet by its name, which ends in .csv, .tsv, .txt or .parquet, and "
    "after these maybe in .gz, .bz2, .xz or .zst.",
    "same_output": "{first} and {second} would both be written to {output}. Score them into two folders.",
    "out_is_in": "{output} is one of the files to score. Give another folder: --out.",
    "several": "Give one pattern, in quotation marks, so that the shell does not replace it: 'in/*.parquet'.",
    "out_within": "{out} is in the folder in which {pattern} looks for files. Give another one: --out.",
    "in_use": "Another `irislib score` is writing to {out}.",
    "unreachable_out": "{worker} does not see the folder {out}: give a folder that all machines share, or a URL such "
    "as s3://bucket/scores.",
    "storage": "The files cannot be read or written: {error}",
    "out_unwritable": "{out} cannot be written: {error}.",
    "foreign_output": "{path} is there already, and not by `irislib score`. Give another folder, or --restart to "
    "replace it.",
    # another run into the same folder
    "changed": "{out} has scores of another run: {changes}. Give another --out, or --restart to score all again.",
    "changed.model": "of the model {before}, and this is {now}",
    "changed.file": "{path} has changed since",
    "changed.gone": "{path} is not among the files any more",
    "changed.encoding": "files read as {before}, and now as {now}",
    "changed.format": "it was made by a later version of irislib",
    # a file that fails, and the end
    "unreadable": "{path} cannot be read: {error}",
    "worker_lost": "{path} ended {count} workers, maybe for lack of memory.",
    "failed_one": "{path}: {error}",
    "resumed": "{done} of {count} files are scored already.",
    "progress": "{files} of {count} files, {rows:,} rows, {rate} rows/s{left}",
    "progress_left": ", {left} left",
    "done_one": "{rows:,} rows of 1 file in {seconds}, {rate} rows/s, into {out}.",
    "done": "{rows:,} rows of {count} files in {seconds}, {rate} rows/s, into {out}.",
    "done_before_one": "The file was scored already, into {out}.",
    "done_before": "All {count} files were scored already, into {out}.",
    "wrong_one": "1 row has no prediction: see {errors}.",
    "wrong": "{wrong:,} rows have no prediction: see {errors}.",
    "failures": "{failed} of {count} files could not be scored. Run the same command again when they are mended.",
}
