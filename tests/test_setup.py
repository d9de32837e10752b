"""The set-up that `make` does, as far as it can be tried from inside it."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def find_python(*candidates: str) -> subprocess.CompletedProcess[str]:
    command = [ROOT / "tools" / "find_python.sh", " ".join(candidates)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def make_fake(folder: Path, name: str, body: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_takes_the_first_python_that_is_new_enough(tmp_path: Path) -> None:
    too_old = make_fake(tmp_path, "python-old", "exit 1")
    fits = make_fake(tmp_path, "python-new", "exit 0")
    ended = find_python("no-such-python", too_old, fits)
    assert (ended.returncode, ended.stdout.strip()) == (0, fits)


def test_says_in_one_line_that_no_python_fits(tmp_path: Path) -> None:
    ended = find_python(make_fake(tmp_path, "python-old", "exit 1"))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert "3.12" in ended.stderr
    assert "make PYTHON=" in ended.stderr


def test_pins_carry_hashes_and_no_hosts() -> None:
    for name in ("requirements.txt", "requirements-uv.txt"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "http" not in text
