"""Tells another shell about a study: its status file beside what is on disk."""

import time
from dataclasses import dataclass
from pathlib import Path

from rpu_ssnn.common.errors import InputError
from studies.execution.progress import StatusFile, duration, read_status, seconds_left
from studies.execution.study_runs import look_into
from studies.results.result_folder import is_in_use


@dataclass(frozen=True)
class StudyStatus:
    """A status says how far a study in its folder has come.

    Attributes:
        done: trials with a row on disk, of `total`.
        damaged: what is wrong with the trial files that are not whole.
        in_use: a process is writing to the folder.
        file: what the last process left; None: none did.
    """

    study: str
    done: int
    total: int
    damaged: list[InputError]
    in_use: bool
    file: StatusFile | None

    def seconds_left(self, now: float) -> float | None:
        """Returns the time left of the running stage; None if not known, or if nothing runs."""
        file = self.file
        if not self.in_use or file is None or file.state != "running":
            return None
        left = seconds_left(
            file.updated_by_trial - file.stage_started,
            file.done - file.done_before,
            file.total - file.done,
            [trial.progress for trial in file.running if trial.progress is not None],
        )
        return None if left is None else max(0.0, left - (now - file.updated_by_trial))


def study_status(root: Path) -> StudyStatus:
    """Reads the status of a folder, whether a study runs in it or not.

    Raises:
        InputError: not an output folder.
    """
    in_use = is_in_use(root)
    found = look_into(root)
    return StudyStatus(
        study=found.study.study,
        done=len(found.runs),
        total=sum(len(point.seeds) for point in found.points),
        damaged=found.faults,
        in_use=in_use,
        file=read_status(root),
    )


def lines(status: StudyStatus, now: float | None = None) -> list[str]:
    """Returns the standing in words."""
    now = time.time() if now is None else now
    file = status.file
    text = [f"{status.study}: {_state(status)}"]
    running = file.running if file is not None and status.in_use else ()
    failed = file.failed if file is not None else ()
    n_running = "?" if status.in_use and file is None else len(running)
    counts = f"trials: {status.done} of {status.total} done, {n_running} running"
    damage = f", {len(status.damaged)} damaged" if status.damaged else ""
    text.append(f"{counts}, {len(failed)} failed{damage}")
    if file is not None and status.in_use and file.what:
        left = status.seconds_left(now)
        when = "time left not known yet" if left is None else f"about {duration(left)} left"
        text.append(f"{file.what}: {file.done} of {file.total}, {when}")
    for trial in running:
        reached = "" if trial.progress is None else f": {trial.progress.words}"
        text.append(f"running: {trial.title}{reached}, for {duration(now - trial.since)}")
    if file is not None and file.last is not None:
        words = file.last.words or f"{file.last.accuracy:.2f} %"
        text.append(f"last: {file.last.title}: {words}")
    text += [f"failed: {trial.title}: {trial.message}" for trial in failed]
    text += [f"damaged: {error}" for error in status.damaged]
    return text


def _state(status: StudyStatus) -> str:
    file = status.file
    if status.in_use:
        if file is None or file.state != "running":
            return "running, without a readable status file (started by an older version?)"
        running = f"running since {_clock(file.started)} (process {file.pid} on {file.host})"
        return f"{running}; {file.message}" if file.message else running
    if file is None:
        return "not running"
    if file.state == "running":
        return f"not running: its process was killed, last update {_clock(file.updated)}"
    why = f" by {file.message}" if file.message else ""
    return f"not running: {file.state}{why} {_clock(file.updated)}"


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
