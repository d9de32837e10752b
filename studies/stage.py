"""One stage of a study in its folder: the runs of the search, or the units."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rpu_ssnn.errors import InputError
from studies.desk import Desk
from studies.keeping import FailureList, RowKeeper
from studies.options import Options
from studies.progress import Reporter
from studies.result import UnitResult
from studies.runner import run_units
from studies.store import ResultFolder, StoredRuns, UnitStore
from studies.unit import Unit


@dataclass(frozen=True)
class Stage:
    """The search or the units of a study.

    Attributes:
        finished: its runs that are there, by identity; those to come join them.
    """

    what: Literal["search", "units"]
    folder: ResultFolder
    store: UnitStore
    finished: dict[str, UnitResult]
    options: Options
    failures: FailureList

    def run(
        self, missing: Sequence[Unit], total: int, then: Callable[[], None] = lambda: None
    ) -> None:
        """Runs what is missing of ``total``, but what failed before and is to be left alone.

        Args:
            then: called after each row that is written.
        """
        options = self.options
        desk = Desk(self.folder.running, options.seconds_between_checkpoints)
        desk.tidy(has_row=lambda identity: identity in self.finished)
        # Cases with equal settings share a run.
        once = list({unit.identity: unit for unit in missing}.values())
        to_run = self.failures.to_run(once)
        if left := len(once) - len(to_run):
            options.reporter.note(
                f"{self.what}: {left} failed before and are left alone; --retry-failed runs them"
            )
        keeper = RowKeeper(self.store, self.finished, desk, options.reporter, then)
        run_units(
            to_run,
            options.job,
            executor=options.executor,
            on_result=keeper.keep,
            on_failure=self.failures.add,
            reporter=options.reporter,
            what=self.what,
            total=total - left,
            desk=desk,
        )
        for lost in keeper.lost():
            self.failures.add(lost)
            options.reporter.note(f"failed: {lost.title}: {lost.message}")


def read_store(store: UnitStore, reporter: Reporter) -> StoredRuns:
    """The store's runs; damaged files are set aside, so that their units run again."""

    def set_aside(error: InputError) -> None:
        path = Path(error.where)
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        reporter.note(f"{error}; damaged, kept as {aside.name}; the unit runs again")

    return store.read_all(on_damage=set_aside)
