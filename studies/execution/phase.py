"""One stage of a study in its folder: the runs of the search, or the trials."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rpu_ssnn.common.errors import InputError
from studies.declaration.result import TrialResult
from studies.declaration.trial import Trial
from studies.execution.options import Options
from studies.execution.progress import Reporter
from studies.execution.scheduling import run_trials
from studies.execution.writer import FailureList, RowWriter
from studies.results.store import ResultFolder, StoredRuns, TrialStore
from studies.workers.workspace import Workspace


@dataclass(frozen=True)
class Phase:
    """The search or the trials of a study.

    Attributes:
        finished: its runs that are there, by identity; those to come join them.
    """

    what: Literal["search", "trials"]
    folder: ResultFolder
    store: TrialStore
    finished: dict[str, TrialResult]
    options: Options
    failures: FailureList

    def run(
        self, missing: Sequence[Trial], total: int, then: Callable[[], None] = lambda: None
    ) -> None:
        """Runs what is missing of ``total``, but what failed before and is to be left alone.

        Args:
            then: called after each row that is written.
        """
        options = self.options
        workspace = Workspace(self.folder.running, options.seconds_between_checkpoints)
        workspace.remove_leftovers(has_row=lambda identity: identity in self.finished)
        # Cases with equal settings share a run.
        once = list({trial.identity: trial for trial in missing}.values())
        to_run = self.failures.to_run(once)
        if left := len(once) - len(to_run):
            options.reporter.note(
                f"{self.what}: {left} failed before and are left alone; --retry-failed runs them"
            )
        writer = RowWriter(self.store, self.finished, workspace, options.reporter, then)
        run_trials(
            to_run,
            options.job,
            executor=options.executor,
            on_result=writer.keep,
            on_failure=self.failures.add,
            reporter=options.reporter,
            what=self.what,
            total=total - left,
            workspace=workspace,
        )
        for lost in writer.lost():
            self.failures.add(lost)
            options.reporter.note(f"failed: {lost.title}: {lost.message}")


def read_store(store: TrialStore, reporter: Reporter) -> StoredRuns:
    """The store's runs; damaged files are set aside, so that their trials run again."""

    def set_aside(error: InputError) -> None:
        path = Path(error.where)
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        reporter.note(f"{error}; damaged, kept as {aside.name}; the trial runs again")

    return store.read_all(on_damage=set_aside)
