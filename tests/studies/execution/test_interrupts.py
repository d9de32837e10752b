"""Signals end a command at any moment with one sentence and exit code 130; finished rows stay, and
all processes end."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.doctor import BrokenEnvironmentError
from studies.common import interrupts
from studies.declaration.trial import Trial, TrialResult
from studies.execution.api import load_results
from studies.execution.progress import Reporter
from support.studies.harness import Harness, small_study, study_file
from support.studies.study_process import descendants, is_alive
from support.waiting import FINISHED, wait_until

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def _python_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restores the handlers of signals, which tests in a shell's background inherit as ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize("kind", SIGNALS)
def test_a_signal_in_the_loop_is_looked_at_and_handlers_come_back(kind: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in SIGNALS]
    passed = []

    def work() -> None:
        with interrupts.deferred():
            os.kill(os.getpid(), kind)
            passed.append("the signal")
            interrupts.raise_if_interrupted()
            passed.append("the look")

    with interrupts.ending_the_command():
        with pytest.raises(KeyboardInterrupt):
            work()
        assert interrupts.interrupted()
    assert passed == ["the signal"]
    assert [signal.getsignal(one) for one in SIGNALS] == before


@pytest.mark.parametrize("kind", SIGNALS)
def test_a_signal_elsewhere_raises_at_once(kind: signal.Signals) -> None:
    def work() -> None:
        with interrupts.ending_the_command():
            os.kill(os.getpid(), kind)
            pytest.fail("went on")

    with pytest.raises(KeyboardInterrupt):
        work()


LOST = """
import os, signal, sys
from studies.common import interrupts

class Freed:
    def __del__(self):
        {in_the_callback}

with interrupts.ending_the_command():
    Freed()
    print("went on")
"""


@pytest.mark.parametrize(
    ("in_the_callback", "ended", "code"),
    [
        ("os.kill(os.getpid(), signal.SIGTERM)", ("", "interrupted\n"), 130),
        ("interrupts._signals.times = 1; raise AttributeError", ("went on\n", ""), 0),
    ],
)
def test_where_nothing_can_be_raised_a_signal_shows_no_traceback(
    in_the_callback: str, ended: tuple[str, str], code: int
) -> None:
    """A compiler's callbacks can fail like this; incomplete objects can too, and must be silent."""
    script = LOST.format(in_the_callback=in_the_callback)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ((run.stdout, run.stderr), run.returncode) == (ended, code)


SWALLOWED = """
import os, signal
from contextlib import suppress
from studies.common import interrupts

with interrupts.ending_the_command():
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    print("one with the first", flush=True)
    interrupts.SECONDS_OF_ONE = 0.0
    os.kill(os.getpid(), signal.SIGINT)
    print("went on")
"""


def test_a_later_signal_ends_a_command_that_goes_on_after_the_first() -> None:
    run = subprocess.run([sys.executable, "-c", SWALLOWED], capture_output=True, text=True)
    assert (run.stdout, run.stderr, run.returncode) == ("one with the first\n", "", 130)


def test_a_signal_after_the_last_look_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.deferred():
        os.kill(os.getpid(), signal.SIGINT)


def test_without_a_command_sigterm_is_left_as_it_is() -> None:
    with interrupts.deferred():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_loop_stops_between_trials_with_its_rows_kept(harness: Harness) -> None:
    rows: list[Trial] = []

    class Interrupting(Reporter):
        def finished(self, trial: Trial, result: TrialResult) -> None:
            rows.append(trial)
            if len(rows) == 2:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        harness.run(small_study(), reporter=Interrupting())
    assert len(list((harness.out / "trials").glob("*.json"))) == 2
    harness.run(small_study())
    assert harness.take_log().total() == 6


COMMAND = """
import sys
from studies.execution import phase
from support.studies.harness import accept_all, fake_training
from studies.workers.worker import Job
from pathlib import Path

if __name__ == "__main__":
    orders = Path(sys.argv.pop(1))
    phase.training_job = lambda root: Job(accept_all, fake_training, orders)
    from studies.cli.__main__ import main
    main()
"""

SCRIPT = COMMAND.replace("studies.cli.__main__ import main", "studies import run_study").replace(
    "main()", "run_study(sys.argv[2], sys.argv[4], workers=2)"
)


def start(folder: Path, *arguments: object, text: str = COMMAND) -> subprocess.Popen[str]:
    script = folder / "command.py"
    script.write_text(text)
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_command_that_a_cluster_ends_says_how_to_go_on(tmp_path: Path, harness: Harness) -> None:
    harness.order("sleep", "coincidence seed 0")  # This is the third trial of the only worker.
    run = "run", study_file(tmp_path), "--out", harness.out, "--workers", 1
    with start(tmp_path, harness.orders, *run) as process:
        wait_until(lambda: len(list((harness.out / "trials").glob(FINISHED))) == 2, "two rows")
        for _ in range(2):  # `timeout` signals twice, and on a cluster the workers hear it too.
            os.killpg(process.pid, signal.SIGTERM)
            time.sleep(0.1)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "leaked" not in errors  # Python's tracker says so of processes that ended at once.
    again = " ".join(map(str, ("rpu-ssnn", *run)))
    said = f"interrupted; finished rows are kept in {harness.out}; continue with: {again}"
    assert said in errors.splitlines()


@pytest.mark.parametrize("wait", [0.3, 0.8, 2.0])
def test_two_signals_end_with_130_and_no_traceback_whenever_they_come(wait: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "studies.cli", "doctor"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        time.sleep(wait)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    if "studies/cli" in errors or process.returncode in (0, 130):
        assert process.returncode in (0, 130)
        assert "Traceback" not in errors
    else:  # Before the command starts, Python itself dies of the signal or shows a traceback.
        assert process.returncode in (1, -signal.SIGINT)


def test_project_errors_cross_process_borders() -> None:
    pair = pickle.loads(pickle.dumps(BrokenEnvironmentError("found; advice")))
    assert (str(pair), pair.exit_code) == ("found; advice", 1)
    bad = InputError("f.yaml", "key", [object()], "must be text")
    assert str(pickle.loads(pickle.dumps(bad))) == str(bad)


HANGING = "coincidence seed 0"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
@pytest.mark.parametrize("text", [COMMAND, SCRIPT])
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_study_that_ends_in_the_middle_keeps_its_rows_and_leaves_no_process(
    kind: signal.Signals, text: str, tmp_path: Path, harness: Harness
) -> None:
    harness.order("sleep", HANGING)
    run = "run", study_file(tmp_path), "--out", harness.out, "--workers", 2
    with start(tmp_path, harness.orders, *run, text=text) as process:
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
    assert ("Traceback" in errors) == (text == SCRIPT and kind is signal.SIGINT)

    assert set(load_results(harness.out)["label"] + load_results(harness.out)["seed"].map(str)) == {
        "ann0", "ann1", "rate0", "rate1", "coincidence1",
    }  # fmt: skip
    harness.take_log()
    harness.order("sleep")
    assert len(harness.run(small_study()).runs) == 6
    assert harness.take_log() == {f"test {HANGING}": 1}
