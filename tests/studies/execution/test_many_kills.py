"""After fifty kills at random moments no row is lost or repeated, and the table is the same.

It takes minutes and runs with `make test-kill`. The kills are seeded, but their timing depends on
the machine; a failure lists what was hit.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from support.studies.study_process import descendants
from support.waiting import FINISHED

KILLS = 50

EARLY, LATE = 6.0, 2.0
"""Times in seconds: half of the kills come up to `EARLY` after the previous one, mostly while
processes start; the others up to `LATE` after the next sign of training, however long that takes.
"""

CASES = ["ann", "rate", "coincidence", "quiet trap", "reram_es"]
STUDY: dict[str, Any] = {
    "study": "kills",
    "question": "Is anything lost?",
    "dataset": {"name": "digits", "n_train": 300, "n_test": 200},
    "network": {"hidden": [16], "T": 20},
    "training": {"epochs": 40, "batch": 20},
    "seeds": [0, 1],
    "reference": "rate",
    "cases": [
        {"update": "ann", "learning_rate": 0.05},
        {"update": "rate", "learning_rate": 8.0},
        {"update": "coincidence", "learning_rate": 8.0},
        {
            "label": "quiet trap",
            "device": "charge_trap",
            "overrides": {"cycle_to_cycle": 0.0},
            "hyperparameters": {"weight_range": 8, "learning_rate": 8.0},
        },
        {"device": "reram_es", "hyperparameters": {"weight_range": 8, "learning_rate": 8.0}},
    ],
}
# A trial that runs alone at the end gets both cores, so `threads` may differ.
OF_THE_PROCESS = ["seconds", "peak_memory_mb", "resumed", "threads"]


def start(study: Path, out: Path) -> subprocess.Popen[bytes]:
    options = ["--out", str(out), "--workers", "2", "--retry-failed"]
    return subprocess.Popen(
        [sys.executable, "-m", "studies.cli", "run", str(study), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_a_moment(rng: random.Random, process: subprocess.Popen[bytes], out: Path) -> None:
    """Waits until the next kill, or the end of the process."""
    if rng.random() < 0.5:
        time.sleep(rng.uniform(0.0, EARLY))
        return
    called = time.time()
    while process.poll() is None:
        signs = [*(out / "running").glob("*.npz"), *(out / "trials").glob(FINISHED)]
        with contextlib.suppress(FileNotFoundError):  # A file may be replaced or removed meanwhile.
            if any(path.stat().st_mtime > called for path in signs):
                break
        time.sleep(0.05)
    time.sleep(rng.uniform(0.0, LATE))


def to_the_end(study: Path, out: Path) -> None:
    """Runs the study to its end, again if a killed worker has left trials."""
    for _ in range(3):
        if start(study, out).wait() == 0:
            return
    raise AssertionError(f"{out}: failed without being killed")


def tables(out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    results = pd.read_csv(out / "results.csv")
    curves = pd.read_csv(out / "curves.csv").drop(columns="seconds")
    return results, curves


def assert_whole(out: Path, undisturbed: Path, hits: list[str]) -> int:
    """Checks that every row is there once and equals the undisturbed one; returns the number of
    resumed runs."""
    results, curves = tables(out)
    expected, expected_curves = tables(undisturbed)
    context = "; ".join(hits)
    assert list(results["label"]) == [case for case in CASES for _ in range(2)], context
    assert results["trial"].is_unique, context
    assert list(results["trial"]) == list(expected["trial"]), context
    files = sorted(path.name for path in (out / "trials").iterdir())
    assert files == sorted(f"{trial}.json" for trial in results["trial"]), context
    assert not list((out / "running").iterdir()), context
    assert not (out / "failures.csv").exists(), context
    replayable = results["replayable"]
    assert list(replayable) == [case != "reram_es" for case in CASES for _ in range(2)]
    same = [column for column in expected if column not in OF_THE_PROCESS]
    pd.testing.assert_frame_equal(results[same][replayable], expected[same][replayable])
    kept = curves["label"] != "reram_es"
    pd.testing.assert_frame_equal(curves[kept], expected_curves[kept])
    assert curves.groupby("trial")["epoch"].apply(list).map(len).eq(40).all(), context
    return int(results["resumed"].sum())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
def test_fifty_kills_lose_nothing(kind: signal.Signals, tmp_path: Path) -> None:
    study = tmp_path / "kills.yaml"
    study.write_text(yaml.safe_dump(STUDY))
    undisturbed = tmp_path / "undisturbed"
    to_the_end(study, undisturbed)
    rng = random.Random(0)
    hits: list[str] = []
    resumed, rounds = 0, 0
    process: subprocess.Popen[bytes] | None = None
    while len(hits) < KILLS:
        out = tmp_path / f"round_{rounds}"
        if process is None:
            process = start(study, out)
            started = time.monotonic()
        wait_for_a_moment(rng, process, out)
        if process.poll() is not None:
            if process.returncode == 0:  # It finished before it was killed often enough.
                resumed += assert_whole(out, undisturbed, hits)
                rounds += 1
            process = None
            continue
        workers = descendants(process.pid)
        # Workers ignore SIGTERM, which is for the process that started them.
        is_main = not workers or kind == signal.SIGTERM or rng.random() < 0.5
        victim = process.pid if is_main else rng.choice(workers)
        rows = len(list((out / "trials").glob(FINISHED)))
        try:
            os.kill(victim, kind)
        except ProcessLookupError:  # The worker has just ended.
            continue
        who = "main" if is_main else "worker"
        hits.append(f"{who} after {time.monotonic() - started:.1f} s, {rows} rows")
        print(len(hits), hits[-1], flush=True)
        if is_main:
            process.wait()
            process = None
    if process is not None:
        process.wait()
    out = tmp_path / f"round_{rounds}"
    to_the_end(study, out)
    resumed += assert_whole(out, undisturbed, hits)
    hit = {"main"} if kind == signal.SIGTERM else {"main", "worker"}
    assert {each.split()[0] for each in hits} == hit
    assert resumed > 0
    print(f"{len(hits)} kills in {rounds + 1} rounds; runs went on {resumed} times")
