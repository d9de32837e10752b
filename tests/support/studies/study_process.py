"""Finds the processes that a study started, and whether they still run."""

from pathlib import Path


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
