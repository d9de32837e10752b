"""Manages the files of a running trial: its progress, and a checkpoint from which it can resume.

Files are used rather than pipes, because a reader would wait forever if a process were killed while
writing to a pipe. A file is always replaced as a whole.
"""

import math
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from rpu_ssnn.common.errors import Fault, require
from rpu_ssnn.common.files import is_regular, kept_aside, read_text, reason, write_whole
from rpu_ssnn.common.training_state import EpochRow, StateError, TrainingState
from rpu_ssnn.data import Dataset
from rpu_ssnn.spec import Spec
from rpu_ssnn.training.loop import Learner
from studies.declaration.trial import Trial
from studies.workers.checkpoint import Checkpoint, UnfitError, read_checkpoint, write_checkpoint

SECONDS_BETWEEN_CHECKPOINTS = 1.0
"""At least this time passes between two checkpoints of a trial, each at the end of an epoch."""

MOST_SHARE = 0.02
"""Writing checkpoints may take at most this share of a trial's time."""

SECONDS_BETWEEN_PROGRESS = 0.5
"""At least this time passes between two progress files of a trial."""

MOST_PROGRESS_BYTES = 1 << 20
"""Larger progress files are not read."""

_LEFTOVER = re.compile(r"[0-9a-f]{16}\.(json|(npz|json)\.tmp)|[0-9a-f]{32}\.token")
"""Matches the files that a killed process may leave; no others but checkpoints are removed."""

type Kind = Literal["npz", "json"]

_CHECKPOINT = re.compile(r"[0-9a-f]{16}\.npz")


class TrialProgress(Spec):
    """Holds the progress of a running trial.

    Attributes:
        epoch: number of finished epochs.
        epochs: number of all epochs.
        began: number of finished epochs when this process started the trial (from a checkpoint).
        accuracy: last accuracy on validation images, %, or None if there is none yet.
        notes: lines for the user.
    """

    epoch: int = 0
    epochs: int = Field(ge=0)
    began: int = 0
    accuracy: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Returns the words of a progress line."""
        reached = "" if self.accuracy is None else f", {self.accuracy:.2f} % (validation)"
        return f"epoch {self.epoch} of {self.epochs}{reached}"


@dataclass(frozen=True)
class Workspace:
    """Gives the folder for the progress and checkpoints of trials.

    Attributes:
        folder: the folder; None if nothing is written.
    """

    folder: Path | None = None

    def file(self, identity: str, kind: Kind) -> Path | None:
        """Returns the path of a trial's checkpoint (npz) or progress (json)."""
        return None if self.folder is None else self.folder / f"{identity}.{kind}"

    def remove(self, identity: str, kind: Kind) -> None:
        """Removes the checkpoint or the progress of a trial, which is not needed any more."""
        if file := self.file(identity, kind):
            with suppress(OSError):  # the next run removes it as a leftover
                file.unlink()

    def progress_of(self, trial: Trial) -> TrialProgress | None:
        """Returns the last progress that the trial's process wrote, or None if there is none."""
        file = self.file(trial.identity, "json")
        try:
            text = "" if file is None else read_text(file, MOST_PROGRESS_BYTES)
            return TrialProgress.model_validate_json(text)
        except (OSError, ValueError):  # the file is missing, not text, or not a progress
            return None

    def write_progress(self, trial: Trial, progress: TrialProgress) -> None:
        """Writes the progress, and lets the trial go on if the disk is full."""
        if file := self.file(trial.identity, "json"):
            with suppress(OSError):
                write_whole(file, lambda path: path.write_text(progress.model_dump_json(), "utf-8"))

    def remove_leftovers(self, has_row: Callable[[str], bool]) -> None:
        """Removes files that killed processes left: progress, partial files, unneeded checkpoints.

        Only regular files with names that a run gives are removed.
        """
        if self.folder is None or self.folder.is_symlink() or not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            finished = _CHECKPOINT.fullmatch(path.name) and has_row(path.stem)
            if (finished or _LEFTOVER.fullmatch(path.name)) and is_regular(path):
                path.unlink(missing_ok=True)


NO_WORKSPACE = Workspace()
"""Trials without progress and checkpoints have this workspace."""


class TrialSession:
    """Writes the progress and the checkpoints of one trial while it runs."""

    def __init__(self, workspace: Workspace, trial: Trial, data_digest: str) -> None:
        self._workspace, self._trial, self._digest = workspace, trial, data_digest
        self._how_far = TrialProgress(epochs=trial.settings.training.epochs)
        self._started = self._saved = time.monotonic()
        self._between = SECONDS_BETWEEN_CHECKPOINTS
        self._reported_at = -SECONDS_BETWEEN_PROGRESS
        self._before = 0.0
        self._global_random = _global_random()
        self.resumed = 0

    @property
    def seconds(self) -> float:
        """Returns the time (s) spent on the trial, including earlier processes up to their
        checkpoint."""
        return self._before + time.monotonic() - self._started

    def resume(self) -> TrainingState | None:
        """Returns the state of the checkpoint, or sets an unusable checkpoint aside with a note."""
        checkpoint: Checkpoint | None = None
        path = self._workspace.file(self._trial.identity, "npz")
        if path is not None and path.exists():
            try:
                checkpoint = read_checkpoint(path, self._trial, self._digest)
            except UnfitError as error:
                self.set_aside(str(error))
        if checkpoint is None:
            self._write_progress()
            return None
        self.resumed, self._before = checkpoint.resumed + 1, checkpoint.seconds
        epochs = checkpoint.state.epochs
        self._how_far = self._how_far.model_copy(update={"epoch": epochs, "began": epochs})
        self._note(f"resumed after epoch {epochs} of {self._how_far.epochs}")
        return checkpoint.state

    def trained[L: Learner](self, train: Callable[..., L], data: Dataset) -> L:
        """Trains the network of the trial, from its checkpoint unless other code wrote that.

        Args:
            train: see `studies.declaration.update_rules.base.Rule.training`.

        Raises:
            InputError: an own rule draws random numbers that the seed does not determine.
        """

        def on_epoch(row: EpochRow, state: Callable[[], TrainingState]) -> bool:
            found = Fault("numpy's global random numbers were drawn, which no seed determines")
            allowed = "must draw from np.random.default_rng(crossbar.seed)"
            same = _global_random() == self._global_random
            require(same, self._trial.title, "update", found, allowed)
            return self.end_epoch(row.epoch + 1, 100 * row.validation_accuracy, state)

        start = self.resume()
        try:
            return train(data, start=start, on_epoch=on_epoch)
        except StateError as error:
            self.set_aside(f"was written by other code ({error})")
        return train(data, start=None, on_epoch=on_epoch)

    def set_aside(self, why: str) -> None:
        """Renames the checkpoint, and starts counting time and epochs anew."""
        path = self._workspace.file(self._trial.identity, "npz")
        assert path is not None
        kept = kept_aside(path, "set_aside")
        self.resumed, self._before = 0, 0.0
        self._how_far = self._how_far.model_copy(update={"epoch": 0, "began": 0})
        self._note(f"starts again, as its checkpoint {why}; the checkpoint is {kept}")

    def end_epoch(self, epochs: int, accuracy: float, state: Callable[[], TrainingState]) -> bool:
        """Writes the progress, and a checkpoint if one is due.

        Args:
            epochs: number of epochs finished so far.
            accuracy: accuracy on validation images, %.
            state: returns the state for a checkpoint.

        Returns:
            Whether the trial stops here; a run of a search may continue later from its checkpoint.
        """
        known = None if math.isnan(accuracy) else accuracy  # There may be no validation images.
        self._how_far = self._how_far.model_copy(update={"epoch": epochs, "accuracy": known})
        if time.monotonic() - self._reported_at >= SECONDS_BETWEEN_PROGRESS:
            self._write_progress()
        stops = self._trial.stop_after is not None and epochs >= self._trial.stop_after
        if stops or time.monotonic() - self._saved >= self._between:
            self._save(state())
        return stops

    def _save(self, state: TrainingState) -> None:
        path = self._workspace.file(self._trial.identity, "npz")
        if path is None:
            return
        started = time.monotonic()
        checkpoint = Checkpoint(state, self.resumed, self.seconds)
        try:
            write_checkpoint(path, checkpoint, self._trial, self._digest)
        except OSError as error:  # the trial itself can still finish
            self._note(f"no checkpoint was written after epoch {state.epochs}: {reason(error)}")
        self._saved = time.monotonic()
        self._between = max(SECONDS_BETWEEN_CHECKPOINTS, (self._saved - started) / MOST_SHARE)

    def _note(self, text: str) -> None:
        notes = (*self._how_far.notes, f"{self._trial.title}: {text}")
        self._how_far = self._how_far.model_copy(update={"notes": notes})
        self._write_progress()

    def _write_progress(self) -> None:
        self._workspace.write_progress(self._trial, self._how_far)
        self._reported_at = time.monotonic()


def _global_random() -> str:
    """Returns the state of numpy's global random numbers, which own code may draw from."""
    return repr(np.random.get_state())  # noqa: NPY002  (nothing is drawn here)
