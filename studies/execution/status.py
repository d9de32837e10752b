"""The status file: the state of a running study, for other processes."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from rpu_ssnn.common.files import read_text, write_whole
from rpu_ssnn.spec import Spec
from studies.declaration.result import Failure, TrialResult
from studies.declaration.trial import Trial
from studies.execution.progress import Reporter
from studies.workers.workspace import TrialProgress

STATUS_FILE = "status.json"

type Ending = Literal["finished", "interrupted", "stopped"]


class RunningTrial(Spec):
    """This is a running trial; `since` in seconds of the Unix epoch."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    title: str
    trial: str = Field("", alias="unit", description="identity; runs of a search share a title")
    since: float
    progress: TrialProgress | None = None


class FailedTrial(Spec):
    """This is a trial that failed and has no row."""

    title: str
    message: str


class LastTrial(Spec):
    """This is the trial that ended last; accuracy in %."""

    title: str
    accuracy: float
    words: str = ""


class StatusFile(Spec):
    """The status file holds these fields; times are in seconds of the Unix epoch."""

    format: Literal[1] = 1
    pid: int
    host: str
    started: float
    state: Literal["running"] | Ending = "running"
    message: str = ""
    what: Literal["", "search", "trials"] = Field("", description="the phase it is in")
    stage_started: float = 0.0
    total: int = 0
    done_before: int = Field(0, description="of this stage, when it started")
    done: int = Field(0, description="of this stage, failed ones included")
    running: tuple[RunningTrial, ...] = ()
    failed: tuple[FailedTrial, ...] = ()
    last: LastTrial | None = None
    updated: float = 0.0
    updated_by_unit: float = Field(
        0.0, description="when a trial of this phase, or an epoch of one, last ended"
    )


class StatusReporter(Reporter):
    """Writes the status file, and passes every event to another reporter."""

    def __init__(self, root: Path, inner: Reporter, failed: Sequence[Failure] = ()) -> None:
        self._path = root / STATUS_FILE
        self._inner = inner
        self._status = StatusFile(
            pid=os.getpid(),
            host=platform.node(),
            started=time.time(),
            failed=tuple(FailedTrial(title=one.title, message=one.message) for one in failed),
        )
        self._write()

    def note(self, text: str) -> None:
        self._inner.note(text)

    @contextmanager
    def starting(self, text: str) -> Iterator[None]:
        """Writes the text to the status file until the workers have started."""
        self._write(message=text)
        with self._inner.starting(text):
            yield
        self._write(message="")

    @contextmanager
    def running(self, what: str, done: int, total: int) -> Iterator[None]:
        phase = {"what": what, "total": total, "done": done, "done_before": done}
        self._write(**phase, stage_started=time.time(), running=())
        with self._inner.running(what, done, total):
            yield

    def started(self, trial: Trial) -> None:
        new = RunningTrial(title=trial.title, trial=trial.identity, since=time.time())
        self._write(running=(*self._status.running, new))
        self._inner.started(trial)

    def reached(self, trial: Trial, progress: TrialProgress) -> None:
        told = tuple(
            one.model_copy(update={"progress": progress}) if one.trial == trial.identity else one
            for one in self._status.running
        )
        if told != self._status.running:
            self._write(running=told, updated_by_unit=time.time())
        self._inner.reached(trial, progress)

    def finished(self, trial: Trial, result: TrialResult) -> None:
        last = LastTrial(title=trial.title, accuracy=result.accuracy, words=result.words)
        self._write(last=last, **self._without(trial.identity))
        self._inner.finished(trial, result)

    def failed(self, failure: Failure) -> None:
        new = FailedTrial(title=failure.title, message=failure.message)
        self._write(failed=(*self._status.failed, new), **self._without(failure.trial))
        self._inner.failed(failure)

    def end(self, state: Ending, message: str = "") -> None:
        """The process ends its work in the folder."""
        self._write(state=state, message=message, running=())

    def _without(self, identity: str) -> dict[str, object]:
        left = tuple(trial for trial in self._status.running if trial.trial != identity)
        return {"running": left, "done": self._status.done + 1, "updated_by_unit": time.time()}

    def _write(self, **changes: object) -> None:
        self._status = self._status.model_copy(update={**changes, "updated": time.time()})
        text = self._status.model_dump_json(indent=1)
        try:
            write_whole(self._path, lambda path: path.write_text(text, encoding="utf-8"))
        except OSError:
            return  # a full disk may lose the status, but must not end the study


@contextmanager
def status_kept(
    root: Path, inner: Reporter, failed: Sequence[Failure] = ()
) -> Iterator[StatusReporter]:
    """Returns a reporter that keeps the status file of the folder, and writes how the run ended.

    Args:
        failed: trials that failed before and are not repeated.
    """
    reporter = StatusReporter(root, inner, failed)
    try:
        yield reporter
    except KeyboardInterrupt:
        reporter.end("interrupted")
        raise
    except BaseException as error:
        reporter.end("stopped", f"{type(error).__name__}: {error}")
        raise
    reporter.end("finished")


def read_status(root: Path) -> StatusFile | None:
    """Returns the status file of a folder, or None where there is none or it is damaged."""
    try:
        return StatusFile.model_validate_json(read_text(root / STATUS_FILE))
    except (OSError, ValueError):
        return None
