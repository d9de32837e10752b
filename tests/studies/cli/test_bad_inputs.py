"""Bad input of every kind: one line that names what is wrong, exit code 2, and nothing written."""

import re
import sys
from pathlib import Path

import pytest

from studies.cli.app import main
from support.bad_inputs import BAD_INPUTS, SLOW, Bad, write

PYTHON_WORDS = re.compile(
    r"Traceback|pydantic|allow_pickle|function-|PosixPath|Value error|Input should"
    r"|\b(tuple|dict\w*|instance|str|int|float|bool|Input|Spec|NoneType|KeyError|ValueError)\b"
)
"""None of a user's."""

MOST_LETTERS = 800
"""Of the line; the parameters of a device make it long."""


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(bad, id=bad.name, marks=[pytest.mark.slow] if bad.name in SLOW else [])
        for bad in BAD_INPUTS
    ],
)
def test_bad_input_is_refused_in_one_line(
    bad: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, bad.files)
    before = sorted(tmp_path.rglob("*"))
    command = [word.replace("HERE", str(tmp_path)) for word in bad.command]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["rpu-ssnn", *command])
    for name, value in bad.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stop:
        main()
    captured = capsys.readouterr()
    assert (stop.value.code, captured.out) == (2, "")
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("\n")
    assert len(captured.err) < MOST_LETTERS + len(str(tmp_path))
    assert not PYTHON_WORDS.search(captured.err)
    at = 0
    for words in bad.says:
        at = captured.err.find(words.replace("HERE", str(tmp_path)), at)
        assert at >= 0, (words, captured.err)
    assert sorted(tmp_path.rglob("*")) == before
