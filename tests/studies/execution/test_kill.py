"""If a running study is killed or interrupted, finished rows stay and all processes end."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from studies.execution.api import load_results
from support.studies.harness import Harness, small_study
from support.studies.study_process import descendants, is_alive, small_study_as_process
from support.waiting import FINISHED, wait_until

HANGING = "coincidence seed 0"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_study_that_ends_in_the_middle_keeps_its_rows_and_leaves_no_process(
    kind: signal.Signals, tmp_path: Path
) -> None:
    harness = Harness(tmp_path)
    harness.order("sleep", HANGING)
    with subprocess.Popen(
        **small_study_as_process(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        trials = harness.out / "trials"
        # One of the two workers hangs, and the other runs all other trials.
        wait_until(lambda: len(list(trials.glob(FINISHED))) == 5, "five rows")
        below = descendants(process.pid)
        assert below
        if kind is signal.SIGINT:
            os.killpg(process.pid, kind)  # A terminal also sends it to the whole group.
        else:
            process.send_signal(kind)
        errors = process.communicate(timeout=30)[1]
    wait_until(lambda: not any(map(is_alive, below)), "its processes to end")
    if kind is signal.SIGINT:
        assert errors.count("Traceback") == 1  # The script shows one, the workers none.
        assert "KeyboardInterrupt" in errors

    assert set(load_results(harness.out)["label"] + load_results(harness.out)["seed"].map(str)) == {
        "ann0", "ann1", "rate0", "rate1", "coincidence1",
    }  # fmt: skip
    harness.take_log()
    harness.order("sleep")
    assert len(harness.run(small_study()).runs) == 6
    assert harness.take_log() == {f"test {HANGING}": 1}
