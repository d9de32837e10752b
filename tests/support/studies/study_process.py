"""Runs the small study of the harness tests in a separate process, to be killed or watched."""

import os
import sys
from pathlib import Path
from typing import Any

SCRIPT = """
import signal
import sys
from pathlib import Path
from studies.workers.local_executor import LocalExecutor
from support.studies.harness import Harness, small_study

if __name__ == "__main__":
    # Tests that run in a shell's background inherit a Ctrl-C that is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    Harness(Path(sys.argv[1]), LocalExecutor(2)).run(small_study())
"""


def small_study_as_process(folder: Path) -> dict[str, Any]:
    """Returns the arguments of a `Popen` that runs the small study in the folder's harness."""
    script = folder / "study_in_a_process.py"
    script.write_text(SCRIPT)
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    return {
        "args": [sys.executable, str(script), str(folder)],
        "env": {**os.environ, "PYTHONPATH": path},
    }


def descendants(pid: int) -> list[int]:
    """Returns the ids of all descendants of a process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # The process has just ended.
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    pids = [pid]
    for parent in pids:
        pids += [child for child, its in parents.items() if its == parent]
    return pids[1:]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
