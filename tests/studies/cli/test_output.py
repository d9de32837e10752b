"""Tests output to streams that fail, and text that terminals and figures cannot display."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rpu_ssnn.common.wording import first_unprintable, printable
from studies.execution.progress import ClosedPipeConsole, Reporter
from support.commands import Command
from support.studies.harness import DRIVE, RATE, Harness, InThisProcess, small_study


class Full(io.TextIOBase):
    """Fails like a stream on a full disk, or one without a reader."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def write(self, text: str) -> int:
        raise self._error

    def flush(self) -> None:
        raise self._error


@pytest.mark.parametrize("error", [OSError(28, "No space left"), BrokenPipeError(32, "Broken")])
def test_a_progress_stream_that_fails_costs_no_trial(error: OSError, tmp_path: Path) -> None:
    console = ClosedPipeConsole(file=Full(error))  # type: ignore[arg-type]
    harness = Harness(tmp_path, InThisProcess())
    outcome = harness.run(small_study(), reporter=Reporter(console))
    assert len(outcome.runs) == 6


def test_control_characters_do_not_reach_the_terminal() -> None:
    stream = io.StringIO()
    Reporter(ClosedPipeConsole(file=stream)).note("failed: a\x1b[31mb\u202ec")
    assert first_unprintable(stream.getvalue().rstrip("\n")) is None
    assert "a\\x1b[31mb\\u202ec" in stream.getvalue()
    assert printable("plain — text\n") == "plain — text\n"


def test_square_brackets_of_a_sweep_reach_the_bar(tmp_path: Path) -> None:
    stream = io.StringIO()
    console = ClosedPipeConsole(file=stream, force_terminal=True, width=200)
    ideal = {"device": "ideal", "hyperparameters": DRIVE}
    study = small_study(cases=[RATE, ideal], sweep={"overrides.levels": [9]})
    Harness(tmp_path, InThisProcess()).run(study, reporter=Reporter(console))
    assert "[overrides.levels=9]" in stream.getvalue()


def _shell(command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    rpu_ssnn = f"{sys.executable} -m studies.cli"
    return subprocess.run(
        ["bash", "-c", "set -o pipefail; " + command.replace("rpu-ssnn", rpu_ssnn)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_reader_that_has_had_enough_sees_no_traceback() -> None:
    ended = _shell("rpu-ssnn studies | head -1")
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""


def test_a_latin_1_terminal_gets_what_it_can_hold() -> None:
    ended = _shell("rpu-ssnn studies", PYTHONIOENCODING="latin-1", MPLBACKEND="garbage")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""


@pytest.mark.parametrize("command", ["plan digits_devices --no-estimate", "doctor"])
def test_a_variable_that_numba_cannot_read_is_refused_in_one_line(command: str) -> None:
    ended = _shell(f"rpu-ssnn {command}", NUMBA_OPT="fast")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("environment: NUMBA_OPT: 'fast' is not allowed")


def test_help_has_a_short_name(command: Command) -> None:
    code, output, _ = command("run", "-h")
    assert code == 0
    assert "--retry-failed" in output


@pytest.mark.parametrize(("pulses", "said"), [("200", True), ("1000", False)])
def test_an_example_that_spans_little_of_the_range_says_so(
    command: Command, tmp_path: Path, pulses: str, said: bool
) -> None:
    code, output, _ = command(
        "presets", "example", "capacitor", "--out", tmp_path / "x.csv", "--pulses", pulses
    )
    assert code == 0
    assert ("% of the mean range" in output) == said
