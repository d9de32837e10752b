"""One phase of a study in its folder: the search, or the trials."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import kept_aside
from studies.declaration.result import TrialResult
from studies.declaration.trial import Trial
from studies.execution.options import Options
from studies.execution.progress import Reporter
from studies.execution.scheduling import run_trials
from studies.execution.writer import FailureList, RowWriter
from studies.results.result_folder import ResultFolder
from studies.results.store import StoredRuns, TrialStore, is_trial_file
from studies.workers.workspace import Workspace


@dataclass(frozen=True)
class Phase:
    """The search or the trials of a study.

    Attributes:
        finished: finished trials by identity; new ones are added.
    """

    what: Literal["search", "trials"]
    folder: ResultFolder
    store: TrialStore
    finished: dict[str, TrialResult]
    options: Options
    failures: FailureList

    def run(
        self,
        missing: Sequence[Trial],
        total: int,
        then: Callable[[], None] = lambda: None,
        later: int = 0,
    ) -> None:
        """Runs the missing trials of ``total``, without those that failed before.

        Args:
            then: called after each row that is written.
            later: of ``total``, those of further rounds.
        """
        options = self.options
        workspace = Workspace(self.folder.running, options.seconds_between_checkpoints)
        workspace.remove_leftovers(has_row=lambda identity: identity in self.finished)
        # Cases with equal settings share a trial.
        once = list({trial.identity: trial for trial in missing}.values())
        to_run = self.failures.to_run(once)
        if left := len(once) - len(to_run):
            options.reporter.note(
                f"{self.what}: {left} failed before and will not run; --retry-failed runs them"
            )
        writer = RowWriter(
            self.folder, self.store, self.finished, workspace, options.reporter, then
        )
        try:
            run_trials(
                to_run,
                options.job,
                executor=options.executor,
                on_result=writer.keep,
                on_failure=self.failures.add,
                reporter=options.reporter,
                what=self.what,
                total=total - left,
                later=later,
                workspace=workspace,
            )
        finally:  # rows that wait for room on the disk, after an interrupt too
            for lost in writer.lost():
                self.failures.add(lost)
                options.reporter.note(f"failed: {lost.title}: {lost.message}")


def read_store(store: TrialStore, reporter: Reporter) -> StoredRuns:
    """The stored trials; damaged files are set aside, so that their trials run again."""

    def note(error: InputError) -> None:
        path = Path(error.where)
        if not is_trial_file(path):  # not a file of this package
            reporter.note(f"{error}; left where it is")
            return
        reporter.note(f"{error}; damaged, {kept_aside(path, 'damaged')}; the trial runs again")

    return store.read_all(on_damage=note)
