"""Runs a study in its output folder: drives first, then every unit that has no row yet."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from rpu_ssnn.errors import InputError
from rpu_ssnn.wording import counted
from studies import run_unit
from studies.desk import SECONDS_BETWEEN_CHECKPOINTS, Desk
from studies.drives import Drives, FoundDrive, known_drives, read_drives, search_key, write_drives
from studies.images import refuse_missing_images
from studies.keeping import FailureList, RowKeeper, Tables
from studies.kept_rows import read_kept_rows, take_up
from studies.points import Drive, Point
from studies.progress import Reporter, Silent
from studies.result import Failure, UnitResult
from studies.results import Runs, Versions
from studies.runner import in_balanced_order, run_units
from studies.search import best, candidates
from studies.status import status_kept
from studies.store import (
    ResultFolder,
    StoredRuns,
    UnitStore,
    open_folder,
    refuse_foreign,
    stored_study,
)
from studies.study import Study
from studies.unit import Unit, point_title
from studies.worker import Job

type OtherVersions = Literal["refuse", "accept", "rerun"]
"""What to do with rows made under another numerics, torch or aihwkit version."""


def training_job(data_root: Path | None) -> Job:
    """Real training through `rpu_ssnn`."""
    return Job(check=run_unit.check_inputs, execute=run_unit.run_unit, data_root=data_root)


@dataclass(frozen=True)
class Options:
    """How a study is run; nothing here changes a result.

    Attributes:
        workers: processes; None: one a CPU.
        kept_rows: a results file whose rows count as finished runs (`studies.kept_rows`).
        retry_failed: run again the units that failed in an earlier call; else they are left alone
            and stay listed.
        seconds_between_checkpoints: of one unit, at least; they are taken at the end of an epoch.
    """

    job: Job = field(default_factory=lambda: training_job(None))
    workers: int | None = None
    other_versions: OtherVersions = "refuse"
    reporter: Reporter = field(default_factory=Silent)
    kept_rows: Path | None = None
    retry_failed: bool = False
    seconds_between_checkpoints: float = SECONDS_BETWEEN_CHECKPOINTS


@dataclass(frozen=True)
class Outcome:
    """What a run leaves: rows in the study's order, and the units that have none."""

    runs: Runs
    failures: list[Failure]


def run_in_folder(study: Study, root: Path, options: Options) -> Outcome:
    """Searches the drives that are not known, then runs what is missing.

    A row that cannot be written waits in memory and is tried again; one that cannot be written at
    the end either counts as failed.

    Raises:
        InputError: bad input, before anything runs.
        BrokenPairError: aihwkit and torch do not fit.
        KeyboardInterrupt: finished rows are kept and the tables rebuilt.
        OSError: tables or lists could not be written at the end.
    """
    kept = None if options.kept_rows is None else read_kept_rows(options.kept_rows)
    with _at_work(study, root, options) as (folder, options, failures):
        drives = _find_drives(study, folder, options, failures)
        units = units_of(study, drives)
        if kept is not None:
            taken = take_up(kept, units, folder.units)
            options.reporter.note(f"{counted(taken, 'finished row')} from {options.kept_rows}")
        finished = _usable(units, _read(folder.units, options.reporter), root, options)
        tables = Tables(root, units, finished)
        missing = [unit for unit in in_balanced_order(units) if unit.identity not in finished]
        stage = _Stage("units", folder, folder.units, finished, options, failures)
        try:
            stage.run(missing, len(units), then=tables.refresh)
        finally:
            tables.rebuild()
        return Outcome(tables.runs(), failures.now)


def search_in_folder(
    study: Study, root: Path, options: Options
) -> tuple[dict[str, FoundDrive], list[Failure]]:
    """Searches every drive that the study does not give, whatever its drives file says.

    Returns:
        The drives by title of the point, and the runs that failed.

    Raises:
        As `run_in_folder`.
    """
    with _at_work(study, root, options) as (folder, options, failures):
        points = [point for point in study.points() if point.drive is None]
        found = _search(study, points, folder, options, failures)
        return _by_title(study, found), failures.now


@contextmanager
def _at_work(
    study: Study, root: Path, options: Options
) -> Iterator[tuple[ResultFolder, Options, FailureList]]:
    """The folder held, its status kept, and the list of failures, written at the end."""
    _refuse_early(study, root, options)
    with open_folder(root, study) as folder:
        failures = FailureList(root, options.reporter, retry=options.retry_failed)
        with status_kept(root, options.reporter, failures.left_alone) as reporter:
            yield folder, replace(options, reporter=reporter), failures
            failures.write()


def finished_runs(root: Path, on_damage: Callable[[InputError], None]) -> tuple[Study, Runs]:
    """The study of an output folder and its finished runs; the folder is only read.

    Args:
        on_damage: called with what is wrong with each file that is no whole unit file.

    Raises:
        InputError: not an output folder.
    """
    study = stored_study(root)
    folder = ResultFolder(root)
    drives = known_drives(study.points(), study.search, [read_drives(folder.drives)])
    stored = folder.units.read_all(on_damage)
    found = [(unit, stored.find(unit)) for unit in units_of(study, drives)]
    return study, [(unit, result) for unit, result in found if result is not None]


def units_of(study: Study, drives: dict[str, FoundDrive]) -> list[Unit]:
    """The units of every point whose drive is known, in the study's order."""
    units = []
    for point in study.points():
        drive = _drive_of(point, study, drives)
        if drive is not None:
            units += [point.unit(study.study, drive, seed) for seed in point.seeds]
    return units


def _drive_of(point: Point, study: Study, drives: dict[str, FoundDrive]) -> Drive | None:
    if point.drive is not None:
        return point.drive
    found = drives.get(search_key(point, study.search))
    return None if found is None else found.drive


def _refuse_early(study: Study, root: Path, options: Options) -> None:
    """Whatever can be known to be wrong before a folder is made or a process started.

    Raises:
        InputError: as `run_in_folder`.
    """
    from rpu_ssnn.data import MissingDataError  # brings numpy

    refuse_foreign(root, study)
    folder = ResultFolder(root)
    _drive_files(study, folder)
    try:
        refuse_missing_images(study, options.job.data_root)
    except MissingDataError:
        # Finished runs need no images; where one is missing, the workers' check says so.
        if options.kept_rows is None and not folder.units.holds_any():
            raise


def _drive_files(study: Study, folder: ResultFolder) -> list[Drives]:
    """The drives that are known: of the study's file and of the folder's."""
    return [read_drives(path) for path in (study.drives, folder.drives) if path is not None]


def _find_drives(
    study: Study, folder: ResultFolder, options: Options, failures: FailureList
) -> dict[str, FoundDrive]:
    """Drives by search key: from the study's file, the folder's, or else a search."""
    files = _drive_files(study, folder)
    points = [point for point in study.points() if point.drive is None]
    drives = known_drives(points, study.search, files)
    unknown = [point for point in points if search_key(point, study.search) not in drives]
    if unknown:
        titles = ", ".join(point_title(point.label, point.sweep) for point in unknown)
        options.reporter.note(f"no searched drive for these settings, searching: {titles}")
        drives |= _search(study, unknown, folder, options, failures)
    write_drives(folder.drives, _by_title(study, drives))
    return drives


def _search(
    study: Study,
    points: Sequence[Point],
    folder: ResultFolder,
    options: Options,
    failures: FailureList,
) -> dict[str, FoundDrive]:
    """Drives by search key; none for a search of which a run failed."""
    tried = candidates(study, points)
    stored = _read(folder.search, options.reporter).by_identity
    finished = {
        identity: result
        for identity, result in stored.items()
        if Versions.of(result) == Versions.here()
    }
    missing = [run.unit for run in tried if run.unit.identity not in finished]
    _Stage("search", folder, folder.search, finished, options, failures).run(missing, len(tried))
    incomplete = {run.key for run in tried if run.unit.identity not in finished}
    complete = [(run, finished[run.unit.identity]) for run in tried if run.key not in incomplete]
    found = best(complete)
    for outcome in found.values():
        options.reporter.note(outcome.sentence)
    return {key: outcome.drive for key, outcome in found.items()}


def _by_title(study: Study, drives: dict[str, FoundDrive]) -> dict[str, FoundDrive]:
    titled = {}
    for point in study.points():
        found = drives.get(search_key(point, study.search)) if point.drive is None else None
        if found is not None:
            titled[point_title(point.label, point.sweep)] = found
    return titled


@dataclass(frozen=True)
class _Stage:
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
            workers=options.workers,
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


def _read(store: UnitStore, reporter: Reporter) -> StoredRuns:
    """The store's runs; damaged files are set aside, so that their units run again."""

    def set_aside(error: InputError) -> None:
        path = Path(error.where)
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        reporter.note(f"{error}; damaged, kept as {aside.name}; the unit runs again")

    return store.read_all(on_damage=set_aside)


def _usable(
    units: Sequence[Unit], stored: StoredRuns, root: Path, options: Options
) -> dict[str, UnitResult]:
    """The finished runs by identity, those of other versions only as the user wants."""
    here = Versions.here()
    found = {unit.identity: result for unit in units if (result := stored.find(unit))}
    others = {
        identity: difference
        for identity, result in found.items()
        if (difference := Versions.of(result).difference(here))
    }
    if not others or options.other_versions == "accept":
        return found
    if options.other_versions == "rerun":
        return {identity: result for identity, result in found.items() if identity not in others}
    kinds = "; ".join(sorted(set(others.values())))
    raise InputError(
        root,
        "rows of other versions",
        f"{len(others)} of {len(units)}",
        f"were made with {kinds}: --accept-other-versions keeps them, --rerun runs them again",
    )
