"""What a trial leaves while it runs: how far it is, and a checkpoint to go on from.

Files and no pipe: a process that is killed in the middle of a message through a pipe leaves the
others waiting; here a reader sees the last whole file.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from rpu_ssnn.common.files import is_regular, read_text, reason, set_aside, write_whole
from rpu_ssnn.spec import Spec
from studies.declaration.trial import Trial

if TYPE_CHECKING:
    from rpu_ssnn.training_state import TrainingState
    from studies.workers.checkpoint import Checkpoint

SECONDS_BETWEEN_CHECKPOINTS = 60.0

SECONDS_BETWEEN_PROGRESS = 0.5
"""Least time between two files that say how far a trial is."""

MOST_PROGRESS_BYTES = 1 << 20
"""Of such a file."""

_LEFTOVER = re.compile(r"[0-9a-f]{16}\.(json|(npz|json)\.tmp)|[0-9a-f]{32}\.token")
"""Names of what a process may leave when it is killed; nothing else is ever removed."""

_CHECKPOINT = re.compile(r"[0-9a-f]{16}\.npz")


class TrialProgress(Spec):
    """How far a running trial is.

    Attributes:
        epoch: epochs that are over, of `epochs`.
        began: epochs that were over when this process took it up (from a checkpoint).
        accuracy: the last one measured on validation images, %; None: none yet.
        notes: what the user should know of it, a line each.
    """

    epoch: int = 0
    epochs: int = Field(ge=0)
    began: int = 0
    accuracy: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """For a progress line."""
        reached = "" if self.accuracy is None else f", {self.accuracy:.2f} %"
        return f"epoch {self.epoch} of {self.epochs}{reached}"


@dataclass(frozen=True)
class Workspace:
    """Where trials leave what they have so far.

    Attributes:
        folder: None: nowhere.
        seconds_between_checkpoints: at least; taken at the end of an epoch.
    """

    folder: Path | None = None
    seconds_between_checkpoints: float = SECONDS_BETWEEN_CHECKPOINTS

    def checkpoint(self, identity: str) -> Path | None:
        """The trial's checkpoint."""
        return None if self.folder is None else self.folder / f"{identity}.npz"

    def progress_of(self, trial: Trial) -> TrialProgress | None:
        """What the trial's process said last; None where it said nothing."""
        if self.folder is None:
            return None
        try:
            text = read_text(self._word(trial.identity), MOST_PROGRESS_BYTES)
            return TrialProgress.model_validate_json(text)
        except (OSError, ValueError):  # not there yet, not text, or no progress
            return None

    def say(self, trial: Trial, progress: TrialProgress) -> None:
        """Leaves word; a full disk does not end a trial."""
        if self.folder is not None:
            text = progress.model_dump_json()
            with contextlib.suppress(OSError):
                write_whole(self._word(trial.identity), lambda path: path.write_text(text))

    def remove_progress(self, trial: Trial) -> None:
        """The trial runs no longer."""
        if self.folder is not None:
            with contextlib.suppress(OSError):  # removed as a leftover by the next run
                self._word(trial.identity).unlink()

    def clear(self, identity: str) -> None:
        """The trial has its row: nothing is left to go on from."""
        checkpoint = self.checkpoint(identity)
        if checkpoint is not None:
            with contextlib.suppress(OSError):  # removed as a leftover by the next run
                checkpoint.unlink()

    def remove_leftovers(self, has_row: Callable[[str], bool]) -> None:
        """Removes what processes that were killed left: words, halves, and what has its row.

        Only regular files under names that a run gives; whatever else is there stays.
        """
        if self.folder is None or self.folder.is_symlink() or not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            finished = _CHECKPOINT.fullmatch(path.name) and has_row(path.stem)
            if (finished or _LEFTOVER.fullmatch(path.name)) and is_regular(path):
                path.unlink(missing_ok=True)

    def _word(self, identity: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{identity}.json"


NO_WORKSPACE = Workspace()
"""For runs that leave nothing before they end."""


class TrialSession:
    """One trial on its way through its epochs."""

    def __init__(self, workspace: Workspace, trial: Trial, data_digest: str) -> None:
        self._workspace, self._trial, self._digest = workspace, trial, data_digest
        self._how_far = TrialProgress(epochs=trial.settings.training.epochs)
        self._started = self._saved = time.monotonic()
        self._said = -SECONDS_BETWEEN_PROGRESS
        self._before = 0.0
        self.resumed = 0
        self.pruned_after: int | None = None

    @property
    def seconds(self) -> float:
        """Spent on the trial, by the processes before this one up to the checkpoint as well."""
        return self._before + time.monotonic() - self._started

    def resume(self) -> TrainingState | None:
        """The state to go on from; what cannot be gone on from is set aside with a note."""
        from studies.workers.checkpoint import UnfitError, read_checkpoint

        found: Checkpoint | None = None
        path = self._workspace.checkpoint(self._trial.identity)
        if path is not None and path.exists():
            try:
                found = read_checkpoint(path, self._trial, self._digest)
            except UnfitError as error:
                self.set_aside(str(error))
        if found is None:
            self._say()
            return None
        self.resumed, self._before = found.resumed + 1, found.seconds
        epochs = found.state.epochs
        self._how_far = self._how_far.model_copy(update={"epoch": epochs, "began": epochs})
        self._note(f"goes on after epoch {epochs} of {self._how_far.epochs}")
        return found.state

    def going_on[T](self, run: Callable[[TrainingState | None], T]) -> T:
        """The run from the trial's checkpoint; from the start where that is of other code."""
        from rpu_ssnn.training_state import StateError

        start = self.resume()
        try:
            return run(start)
        except StateError as error:
            self.set_aside(f"is of other code ({error})")
        return run(None)

    def set_aside(self, why: str) -> None:
        """Renames the checkpoint, and starts to count anew."""
        path = self._workspace.checkpoint(self._trial.identity)
        assert path is not None
        try:
            kept = f"kept as {set_aside(path, 'set_aside')}"
        except OSError as error:
            kept = f"left where it is ({reason(error)})"
        self.resumed, self._before = 0, 0.0
        self._how_far = self._how_far.model_copy(update={"epoch": 0, "began": 0})
        self._note(f"starts anew: its checkpoint {why}; {kept}")

    def end_epoch(
        self, epochs: int, accuracy: float | None, state: Callable[[], TrainingState]
    ) -> bool:
        """Says so, and takes a checkpoint where one is due.

        Args:
            epochs: that are over.
            accuracy: on validation images, %; None: not known.

        Returns:
            Whether the trial is to be stopped here (no checkpoint is then taken: a process that
            dies before the row is there has to come to the same end from an earlier one).
        """
        rule = self._trial.settings.prune
        if rule is not None and epochs == rule.after_epochs:
            assert accuracy is not None
            if accuracy < rule.below:
                self.pruned_after = epochs
                return True
        self._how_far = self._how_far.model_copy(update={"epoch": epochs, "accuracy": accuracy})
        if time.monotonic() - self._said >= SECONDS_BETWEEN_PROGRESS:
            self._say()
        if time.monotonic() - self._saved >= self._workspace.seconds_between_checkpoints:
            self._save(state())
        return False

    def _save(self, state: TrainingState) -> None:
        from studies.workers.checkpoint import Checkpoint, write_checkpoint

        path = self._workspace.checkpoint(self._trial.identity)
        if path is None:
            return
        checkpoint = Checkpoint(state, self.resumed, self.seconds)
        try:
            write_checkpoint(path, checkpoint, self._trial, self._digest)
        except OSError as error:  # the trial itself can still reach its end
            self._note(f"no checkpoint after epoch {state.epochs}: {reason(error)}")
        self._saved = time.monotonic()

    def _note(self, text: str) -> None:
        notes = (*self._how_far.notes, f"{self._trial.title}: {text}")
        self._how_far = self._how_far.model_copy(update={"notes": notes})
        self._say()

    def _say(self) -> None:
        self._workspace.say(self._trial, self._how_far)
        self._said = time.monotonic()
