"""`irislib score` and `irislib.score`: each row of many files once, whatever ends a run in the midst."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest
from conftest import COMMANDS, PATIENCE, PROGRAM, descendants, run_irislib, wait_until

import irislib
from irislib import cli
from irislib.api import create_app
from irislib.errors import DataError, ValidationError

pytest.importorskip("distributed")

ROWS, FILES = 60_000, 4  # so many that a run is met in the midst of them
WRONG = (
    'petal_length_cm,petal_width_cm,sepal_length_cm,sepal_width_cm,note\n5,2,6,3,"two\nlines"\n5,many,6,3,\n\n5,2,6,,\n'
)


@pytest.fixture(scope="module")
def rows(iris) -> pd.DataFrame:
    """Rows of the training data, with a number each."""
    frame = iris.sample.sample(ROWS, replace=True, random_state=0).reset_index(drop=True)
    return frame.assign(id=range(len(frame)))


def batch(iris: Any, table: bytes) -> bytes:
    client = create_app([iris]).test_client()
    return client.post("/iris-wizard/batch", data=table, headers={"Content-Type": "text/csv"}).data


def ending(*args: Any) -> str:
    """Return the sentence, or the status, with which a command ends that starts no cluster, in this process."""
    with pytest.raises(SystemExit) as error:
        cli.main(["score", *map(str, args)])
    return str(error.value)


def results(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".irislib-score" not in path.parts
    }


def test_what_is_no_table_is_refused(iris) -> None:
    with pytest.raises(DataError, match="Give a DataFrame of pandas or of Dask, got list"):
        irislib.score(iris, [1])


@pytest.mark.parametrize(
    ("outcome", "out", "err"),
    [
        (
            {"scored": 100, "scored_files": {"b"}, "failures": {"c": "no"}},
            "100 rows of 1 file in 2 s, 50 rows/s",
            "1 of 3",
        ),
        ({"scored": 200, "scored_files": {"a", "b"}, "wrong": 1}, "1 row has no prediction: see out/errors/.", ""),
        ({"scored": 1500, "scored_files": {"a", "b"}, "wrong": 2}, "1,500 rows of 2 files in 2 s, 750 rows/s", ""),
        ({"wrong": 2}, "All 3 files were scored already, into out.\n2 rows have no prediction: see out/errors/.", ""),
        ({"files": 1}, "The file was scored already, into out.", ""),
    ],
)
def test_the_last_lines_count_what_this_run_has_scored(
    outcome: dict[str, Any], out: str, err: str, monkeypatch, capsys
) -> None:
    from irislib._distributed import scoring

    result = scoring.Outcome(**{"files": 3, "seconds": 2.0, **outcome})
    monkeypatch.setattr(scoring, "score_files", lambda *_, **__: result)
    ending("in/*", "--out", "out")
    printed = capsys.readouterr()
    assert out in printed.out
    assert err in printed.err


@pytest.fixture(scope="module")
def scored(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables of each kind in `in`, scored into `out`."""
    folder = tmp_path_factory.mktemp("scored")
    (folder / "in" / "day=1").mkdir(parents=True)
    (folder / "in" / "wrong.csv").write_text(WRONG)
    (folder / "in" / "comma.csv").write_bytes(rows.head(50).to_csv(index=False, sep=";", decimal=",").encode("cp1252"))
    with gzip.open(folder / "in" / "packed.csv.gz", "wb") as file:
        file.write(rows.head(500).to_csv(index=False).encode())
    rows.assign(petal_width_cm=rows.petal_width_cm.mask(rows.id == 70, -1)).head(2_000).to_parquet(
        folder / "in" / "day=1" / "rows.parquet", index=False
    )
    (folder / "in" / "broken.csv").write_text("petal_length_cm,petal_width_cm\n1,2\n")
    command = [*PROGRAM, "score", f"{folder}/in/**", "--out", f"{folder}/out", "--workers", "1"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1, run.stderr  # for the broken file, which keeps no other from being scored
    assert f"{folder}/in/broken.csv: 3 problems:\n  The file lacks the column sepal_length_cm" in run.stderr
    assert "1 of 5 files could not be scored." in run.stderr
    assert "2,554 rows of 4 files in" in run.stdout
    assert "3 rows have no prediction" in run.stdout
    return folder


def test_csv_files_get_what_a_batch_of_the_endpoint_gets(iris, scored: Path) -> None:
    found = results(scored / "out")
    assert {*found} == {
        "wrong.csv", "comma.csv", "packed.csv.gz", "day=1/rows.parquet", "errors/wrong.csv",
        "errors/day=1/rows.parquet.csv",
    }  # fmt: skip
    for name in ("wrong.csv", "comma.csv"):
        assert found[name] == batch(iris, (scored / "in" / name).read_bytes()), name
    packed = gzip.decompress((scored / "in" / "packed.csv.gz").read_bytes())
    assert gzip.decompress(found["packed.csv.gz"]) == batch(iris, packed)


def test_parquet_files_get_the_columns_of_a_scored_frame(iris, rows: pd.DataFrame, scored: Path) -> None:
    table = pd.read_parquet(scored / "in" / "day=1" / "rows.parquet")
    found = pd.read_parquet(scored / "out" / "day=1" / "rows.parquet")
    expected = irislib.score(iris, table)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert found["predicted_species"].isna().sum() == 1
    sound = expected["predicted_species"].notna()
    assert (expected["predicted_species"][sound] == iris.predict_frame(table[iris.spec.feature_names][sound])).all()


def test_rows_without_a_prediction_are_listed_with_file_and_line(scored: Path) -> None:
    wrong = pd.read_csv(scored / "out" / "errors" / "wrong.csv")
    assert wrong.drop(columns="problem").to_numpy().tolist() == [
        ["wrong.csv", 3, "petal_width_cm"],
        ["wrong.csv", 5, "sepal_width_cm"],
    ]
    assert "'many'" in wrong.problem[0]
    (row,) = pd.read_csv(scored / "out" / "errors" / "day=1" / "rows.parquet.csv").to_dict("records")
    assert (row["file"], row["row"], row["feature"]) == ("day=1/rows.parquet", 71, "petal_width_cm")


def test_another_run_scores_what_is_new_or_was_mended_and_refuses_what_has_changed(
    scored: Path, cluster, capsys
) -> None:
    command = (scored / "in" / "**", "--out", scored / "out", "--scheduler", cluster[0])
    before = results(scored / "out")
    (scored / "in" / "new.csv").write_text(WRONG)
    (scored / "in" / "wrong.csv").touch()
    os.utime(scored / "in" / "wrong.csv", (1, 1))
    assert "has scores of another run: wrong.csv has changed since" in ending(*command)
    assert "broken.csv" not in ending(*command)  # it has no scores yet
    (scored / "in" / "wrong.csv").unlink()
    assert "wrong.csv is not among the files any more" in ending(*command)
    assert results(scored / "out") == before
    (scored / "in" / "broken.csv").unlink()
    (scored / "in" / "wrong.csv").write_text(WRONG)
    assert ending(*command, "--restart") == "0"
    after = results(scored / "out")
    assert after["new.csv"] == after["wrong.csv"] == before["wrong.csv"]
    assert ending(*command) == "0"
    assert f"All 5 files were scored already, into {scored / 'out'}." in capsys.readouterr().out
    assert results(scored / "out") == after


def test_each_file_is_there_once_after_the_run_was_killed_at_any_moment(rows: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    header, *lines = rows.drop(columns="id").to_csv(index=False).splitlines()
    for i in range(FILES):
        numbered = (f"{line},{number}" for number, line in enumerate(lines, i * ROWS))
        (tmp_path / "in" / f"{i}.csv").write_text("\n".join([f"{header},id", *numbered, ""]))
    command = ("score", str(tmp_path / "in" / "*.csv"), "--out", str(tmp_path / "out"), "--workers", "1")
    private = tmp_path / "out" / ".irislib-score"

    def done() -> int:
        return len([*private.glob("done/*.json")])

    for files, number in ((0, signal.SIGINT), (2, signal.SIGKILL)):
        before = {name: content for name, content in results(tmp_path / "out").items() if done()}
        process = COMMANDS.run(command, tmp_path, os.environ, tmp_path / "log", tmp_path / "log")
        wait_until(lambda files=files: done() >= files and [*private.glob("unfinished/*")])
        interrupted = [process.pid, *descendants(process.pid)] if number == signal.SIGINT else [process.pid]
        for pid in interrupted:  # as a terminal does
            os.kill(pid, number)
        assert process.wait(PATIENCE) == (130 if number == signal.SIGINT else -number)
        assert "Traceback" not in (tmp_path / "log").read_text()
        assert done() < FILES
        kept = results(tmp_path / "out")
        assert {name: kept[name] for name in before} == before
        for content in kept.values():  # what is there is whole
            assert content.count(b"\n") == ROWS + 1
    end = run_irislib(*command)
    assert end.returncode == 0, end.stderr
    assert f"of {FILES} files are scored already." in end.stderr
    ids = pd.concat(pd.read_csv(tmp_path / "out" / f"{i}.csv", usecols=["id"]) for i in range(FILES))
    assert ids.id.tolist() == [*range(FILES * ROWS)]
    assert not [*private.glob("unfinished/*")]


def test_tables_and_results_may_be_in_a_bucket(iris, s3: str, rows: pd.DataFrame, cluster, capsys) -> None:
    import distributed
    import s3fs

    variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    with distributed.Client(cluster[0], set_as_default=False) as client:
        client.run(lambda variables: os.environ.update(variables), variables)
    system, bucket = s3fs.S3FileSystem(), s3.partition("/of")[0]
    tables = {name: rows.head(count).to_csv(index=False).encode() for name, count in (("a.csv", 10), ("b.csv.gz", 20))}
    system.pipe({f"{bucket}/in/a.csv": tables["a.csv"], f"{bucket}/in/b.csv.gz": gzip.compress(tables["b.csv.gz"])})
    command = (f"{bucket}/in/*", "--out", f"{bucket}/out", "--scheduler", cluster[0])
    assert ending(*command) == "0"
    assert "30 rows of 2 files in" in capsys.readouterr().out
    assert ending(*command) == "0"
    assert f"All 2 files were scored already, into {bucket}/out." in capsys.readouterr().out
    assert system.cat(f"{bucket}/out/a.csv") == batch(iris, tables["a.csv"])
    assert gzip.decompress(system.cat(f"{bucket}/out/b.csv.gz")) == batch(iris, tables["b.csv.gz"])


def test_a_frame_of_dask_is_scored_by_partitions_with_the_same_columns(iris, rows: pd.DataFrame) -> None:
    import dask
    import dask.dataframe as dd

    frame = rows.head(1_000).assign(petal_width_cm=rows.petal_width_cm.where(rows.id != 7, -1), warnings="mine")
    expected = irislib.score(iris, frame)
    lazy = irislib.score("iris-wizard", dd.from_pandas(frame, npartitions=3))
    assert lazy.divisions == (0, 334, 667, 999)
    assert [*lazy.columns] == [*expected.columns]
    assert expected.columns[-2] == "warnings_2"
    with dask.config.set(scheduler="synchronous"):
        found = lazy.compute()
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert "petal_width_cm" in expected.problems[7]
    with pytest.raises(ValidationError, match="lacks the column sepal_width_cm"):
        irislib.score(iris, dd.from_pandas(frame.drop(columns="sepal_width_cm"), npartitions=2))


@pytest.mark.parametrize(
    ("pattern", "out", "words"),
    [
        ("none/*.csv", "out", "There is no file none/*.csv."),
        ("in/*", "out", "notes.pdf is neither CSV nor Parquet by its name"),
        ("in/a.csv", "in", "a.csv is one of the files to score. Give another folder: --out."),
        ("in/**/*.csv", "in/out", "in/out is in the folder in which in/**/*.csv looks for files."),
        ("in/a.csv", "in/a.csv/x", "in/a.csv/x cannot be written: Not a directory."),
        ("in/a.csv", "there", "there/a.csv is there already, and not by `irislib score`."),
        ("gs://bucket/in/*.csv", "out", "is not installed, which gs://bucket/in/*.csv needs: pip install "),
        ("nowhere://in/*.csv", "out", "nowhere://in/*.csv cannot be read: Protocol not known: nowhere"),
    ],
)
def test_what_cannot_be_scored_is_one_sentence(pattern: str, out: str, words: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.csv", "in/notes.pdf", "there/a.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(WRONG)
    text = ending(pattern, "--out", out)
    assert text.startswith("irislib score: ")
    assert words in text
    assert (tmp_path / "there" / "a.csv").read_text() == WRONG


@pytest.mark.parametrize(
    ("sizes", "most", "count"),
    [
        ([999_999], None, 0),
        ([10**6], None, 1),
        ([10, 10], None, 2),
        ([10] * 9, None, 4),
        ([10], 3, 1),
        ([10, 10], 1, 1),
    ],
)
def test_no_more_processes_are_started_than_are_of_use(
    sizes: list[int], most: int | None, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask.system

    from irislib._distributed import plan
    from irislib._distributed.places import Input
    from irislib._distributed.scoring import _count_workers

    monkeypatch.setattr(dask.system, "CPU_COUNT", 4)
    parts = plan.divide([Input(f"file:///{i}.csv", f"{i}.csv", size, "") for i, size in enumerate(sizes)])
    assert _count_workers(parts, most) == count


def test_a_small_table_is_scored_by_the_command_itself(iris, rows: pd.DataFrame, tmp_path: Path, monkeypatch) -> None:
    from distributed import nanny

    monkeypatch.setattr(nanny.Nanny, "instantiate", None)  # which starts a process
    rows.head(9).to_csv(tmp_path / "a.csv", index=False)
    assert ending(tmp_path / "a.csv", "--out", tmp_path / "out") == "0"
    assert len(pd.read_csv(tmp_path / "out" / "a.csv")) == 9


class AwayError(Exception):
    """As libraries for buckets raise them, which is no OSError."""


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), AwayError("no credentials")], ids=str)
@pytest.mark.parametrize("step", ["find_inputs", "_prepare"])
def test_a_full_disk_and_a_bucket_that_is_away_are_one_sentence(
    step: str, error: Exception, rows: pd.DataFrame, tmp_path: Path, monkeypatch
) -> None:
    from irislib._distributed import scoring

    rows.head(5).to_csv(tmp_path / "a.csv", index=False)
    monkeypatch.setattr(scoring, step, Mock(side_effect=error))
    text = ending(tmp_path / "a.csv", "--out", tmp_path / "out")
    assert text == f"irislib score: The files cannot be read or written: {error}"


@pytest.mark.parametrize("url", ["{}", "memory://bucket"])
def test_a_bucket_that_goes_away_fails_the_file_alone(
    url: str, rows: pd.DataFrame, tmp_path: Path, monkeypatch, capfd
) -> None:
    import fsspec

    from irislib._distributed import tasks

    place, write_scores = url.format(tmp_path), tasks.write_scores

    def away(model, part, *options):
        if part.file.name == "a.csv":
            raise AwayError("no credentials")
        return write_scores(model, part, *options)

    for name in ("a.csv", "b.csv"):
        with fsspec.open(f"{place}/{name}", "w") as file:
            rows.head(5).to_csv(file, index=False)
    monkeypatch.setattr(tasks, "write_scores", away)
    monkeypatch.setattr("irislib._distributed.scoring._count_workers", lambda *_: 0)  # which would not see it
    assert ending(f"{place}/*.csv", "--out", tmp_path / "out") == "1"
    assert "a.csv: no credentials" in capfd.readouterr().err
    assert len(pd.read_csv(tmp_path / "out" / "b.csv")) == 5


def test_the_thread_of_the_command_is_never_kept_waiting_for_memory() -> None:
    from irislib._distributed.cluster import connect

    with connect(workers=0) as client:
        (limit,) = client.run(lambda dask_worker: dask_worker.memory_manager.memory_limit).values()
    assert limit is None


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(iris, rows: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "in [1]").mkdir()
    for name in ("a[bc].csv", "ab.csv"):
        rows.head(5).to_csv(tmp_path / "in [1]" / name, index=False)
    assert ending(tmp_path / "in [1]" / "a[bc].csv", "--out", tmp_path / "out") == "0"
    assert [path.name for path in (tmp_path / "out").glob("*.csv")] == ["a[bc].csv"]


def test_a_pattern_that_the_shell_has_replaced_is_asked_for_again(capsys) -> None:
    assert "in quotation marks" in ending("a.csv", "b.csv", "--out", "out")
    assert ending("a.csv", "--out", "out", "--fast") == "2"
    assert "unrecognized arguments: --fast" in capsys.readouterr().err


def test_a_number_of_workers_is_1_or_more(capsys) -> None:
    for text in ("0", "many"):
        assert ending("a.csv", "--out", "out", "--workers", text) == "2"
        assert f"argument --workers: '{text}' is not 1 or more" in capsys.readouterr().err


def test_a_cluster_that_cannot_be_used_is_one_sentence(tmp_path: Path, monkeypatch) -> None:
    from irislib._distributed import cluster as clusters

    monkeypatch.setattr(clusters, "ANSWER_SECONDS", 0.3)
    (tmp_path / "a.csv").write_text(WRONG)
    command = (tmp_path / "a.csv", "--out", tmp_path / "out")
    assert "No Dask scheduler answers at tcp://127.0.0.1:1 within" in ending(
        *command, "--scheduler", "tcp://127.0.0.1:1"
    )
    assert "--workers is for a cluster of this machine" in ending(
        *command, "--scheduler", "tcp://127.0.0.1:1", "--workers", "2"
    )
    assert "Give one model with --model" in ending(*command, "--model", "irislib.iris:spec", "--model", "rent:spec")
    versions: Any = {"host": {"python": "3.11.2"}, "packages": dict.fromkeys(clusters.COMPARED, "1")}
    others = {"host": {"python": "3.12.1"}, "packages": {**versions["packages"], "scikit-learn": "2"}}

    class Client:
        def wait_for_workers(self, *_: Any, **__: Any) -> None: ...

        def get_versions(self, packages: list[str]) -> Any:
            return {"client": versions, "scheduler": versions, "workers": {"a": versions, "b": others}}

    with pytest.raises(
        irislib.errors.IrislibError, match=r"Python 3.12 there, 3.11 here; scikit-learn 2 there, 1 here"
    ):
        clusters._require_workers(Client(), "tcp://there")
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "distributed is not installed: pip install 'irislib[dask]'." in ending(*command)


def test_a_cluster_scores_all_even_if_it_loses_a_worker(rows: pd.DataFrame, tmp_path: Path, cluster) -> None:
    address, workers = cluster
    (tmp_path / "in").mkdir()
    for i in range(6):
        rows.assign(id=rows.id + i * ROWS).to_parquet(tmp_path / "in" / f"{i}.parquet", row_group_size=5_000)
    out = tmp_path / "out"
    command = ("score", f"{tmp_path}/in/*.parquet", "--out", str(out), "--scheduler", address)
    process = COMMANDS.run(command, tmp_path, os.environ, tmp_path / "stdout", tmp_path / "stderr")
    wait_until(lambda: len([*out.glob(".irislib-score/done/*")]) > 1)
    workers[0].kill()
    assert process.wait(PATIENCE) == 0
    assert "360,000 rows of 6 files in" in (tmp_path / "stdout").read_text()
    scored = pd.concat(pd.read_parquet(out / f"{i}.parquet") for i in range(6))
    assert scored.id.tolist() == [*range(6 * ROWS)]
    assert scored.predicted_species.notna().all()


MAPPED = """
import ctypes
from irislib._distributed.freed_memory import keep_freed_memory

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "abcdefghij"]  # the fifth: bytes that are mapped one by one

library = ctypes.CDLL(None)
library.mallinfo2.restype = Info
library.malloc.restype = ctypes.c_void_p

def is_mapped():
    before = library.mallinfo2().e
    library.malloc(4_000_000)
    return library.mallinfo2().e > before

print(is_mapped())
with keep_freed_memory():
    print(is_mapped())
print(is_mapped())
"""


def test_what_a_worker_frees_is_kept_while_it_scores_and_returned_then() -> None:
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}  # as Dask's nannies set it
    command = [sys.executable, "-c", MAPPED]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert result.stdout.split() == ["True", "False", "True"], result.stderr
