"""What `run` would do: units, what is done of them, and about how long the rest takes."""

from __future__ import annotations

import heapq
import statistics as plain_statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rpu_ssnn.errors import InputError
from studies.drives import FoundDrive, grid, known_drives, read_drives, search_key
from studies.kept_rows import as_result, read_kept_rows
from studies.local_executor import LocalExecutor, worker_count
from studies.methods import load_images
from studies.points import Drive, Point
from studies.progress import Silent
from studies.result import Failure, UnitResult
from studies.results import Versions, read_failures
from studies.runner import in_balanced_order, run_units
from studies.search import candidates
from studies.store import ResultFolder, StoredRuns, refuse_foreign
from studies.study import Study
from studies.timing import Cost
from studies.unit import Unit, point_title, short_hash
from studies.units import largest, seeded_points
from studies.until import Seeded
from studies.worker import Job


@dataclass(frozen=True)
class Row:
    """One case at one point of the sweep.

    Attributes:
        units: its runs, one a seed; of an unknown drive with one from the middle of the grid.
        missing: those without a row.
        search: the runs of its search that are missing (none where an earlier row has them).
        drive_known: whether the drive is given or was searched.
    """

    title: str
    units: list[Unit]
    missing: list[Unit]
    search: list[Unit]
    drive_known: bool


@dataclass(frozen=True)
class Plan:
    """Of a study in its folder.

    Attributes:
        other_versions: rows that are there, but made under other versions.
        at_most: units if every point comes to have all seeds that it may.
    """

    rows: list[Row]
    other_versions: int
    at_most: int

    @property
    def search(self) -> list[Unit]:
        """Missing runs of the drive search."""
        return _once(unit for row in self.rows for unit in row.search)

    @property
    def missing(self) -> list[Unit]:
        """Units to run, in the order they would be."""
        missing = {unit.identity for row in self.rows for unit in row.missing}
        ordered = in_balanced_order([unit for row in self.rows for unit in row.units])
        return _once(unit for unit in ordered if unit.identity in missing)


@dataclass(frozen=True)
class Estimate:
    """Of a plan on this machine.

    Attributes:
        seconds: of one run, by unit identity.
        memory_mb: of its worker, MiB, by unit identity.
        failures: cases whose steps could not be timed.
    """

    workers: int
    seconds: dict[str, float]
    memory_mb: dict[str, float]
    failures: list[Failure]

    def wall_seconds(self, plan: Plan) -> float:
        """Until all is done: the search, then the units, each worker taking the next."""
        stages = (plan.search, plan.missing)
        return sum(
            _makespan([self.seconds.get(u.identity, 0.0) for u in s], self.workers) for s in stages
        )

    @property
    def peak_memory_mb(self) -> float:
        """Of all workers together: as if they all had the largest unit at once."""
        return self.workers * max(self.memory_mb.values(), default=0.0)


def make_plan(study: Study, root: Path, kept_rows: Sequence[Path] = ()) -> Plan:
    """Looks into the folder, which need not be there; nothing is written.

    Args:
        kept_rows: results files whose rows count as finished runs (`studies.kept_rows`).

    Raises:
        InputError: the folder is not the study's, or a drives file or the rows are not valid.
    """
    kept = read_kept_rows(kept_rows)
    refuse_foreign(root, study)
    folder = ResultFolder(root)
    points = study.points()
    files = [read_drives(path) for path in (study.drives, folder.drives) if path is not None]
    drives = known_drives(points, study.search, files)
    stored = folder.units.read_all(on_damage=_ignore)
    of_rows = {identity: as_result(row) for identity, row in kept.items()}
    stored = replace(stored, by_identity=of_rows | stored.by_identity)
    searched = folder.search.read_all(on_damage=_ignore)
    failed = {failure.unit for failure in read_failures(root)}
    seeded = seeded_points(study, drives, stored.find, failed)
    rows = [_row(one, study, drives, stored) for one in seeded]
    unknown = [one.point for one, row in zip(seeded, rows, strict=True) if not row.drive_known]
    todo = _search_runs(study, unknown, searched)
    rows = [
        replace(row, search=todo.pop(search_key(point, study.search), []))
        if not row.drive_known
        else row
        for point, row in zip((one.point for one in seeded), rows, strict=True)
    ]
    found = [stored.find(unit) for row in rows for unit in row.units]
    others = [r for r in found if r is not None and Versions.of(r) != Versions.here()]
    at_most = sum(len(one.seeds) for one in largest(study))
    return Plan(rows, len(others), at_most)


def estimate(plan: Plan, job: Job, workers: int | None) -> Estimate:
    """Times a few steps of each distinct case, as many at once as the run would have workers.

    Args:
        job: `timing.timing_job`.

    Raises:
        InputError: images are missing.
        BrokenPairError: aihwkit and torch do not fit.
    """
    units = [*plan.missing, *plan.search]
    if not units:
        return Estimate(0, {}, {}, [])
    n_workers = worker_count(workers, len(plan.missing) or len(plan.search))
    groups: dict[str, list[Unit]] = {}
    for unit in units:
        groups.setdefault(_cost_key(unit), []).append(unit)
    chosen = {_typical(group).identity: key for key, group in groups.items()}
    timed = [_typical(group) for group in groups.values()]
    while len(timed) < n_workers:  # as crowded as the run will be
        timed += timed[: n_workers - len(timed)]
    costs: dict[str, Cost] = {}

    def keep(unit: Unit, result: UnitResult) -> None:
        costs[chosen[unit.identity]] = Cost.of(result)

    failures = run_units(
        timed,
        job,
        executor=LocalExecutor(n_workers),
        on_result=keep,
        reporter=Silent(),
        what="timing",
        total=len(timed),
    )
    sizes = _sizes(units, job.data_root)
    timed_units = [(unit, costs[key]) for unit in units if (key := _cost_key(unit)) in costs]
    seconds = {
        unit.identity: cost.seconds(unit, *sizes[unit.settings.dataset.model_dump_json()])
        for unit, cost in timed_units
    }
    memory = {unit.identity: cost.peak_memory_mb for unit, cost in timed_units}
    return Estimate(n_workers, seconds, memory, failures)


def _row(one: Seeded, study: Study, drives: dict[str, FoundDrive], stored: StoredRuns) -> Row:
    point = one.point
    found = drives.get(search_key(point, study.search))
    known = point.drive or (found and found.drive)
    drive = known or _middle(grid(point, study.search))
    units = [point.unit(study.study, drive, seed) for seed in one.seeds]
    missing = [unit for unit in units if known is None or stored.find(unit) is None]
    return Row(point_title(point.label, point.sweep), units, missing, [], known is not None)


def _search_runs(
    study: Study, points: Sequence[Point], stored: StoredRuns
) -> dict[str, list[Unit]]:
    """Missing runs by search key."""
    found: dict[str, list[Unit]] = {}
    for candidate in candidates(study, points):
        result = stored.by_identity.get(candidate.unit.identity)
        if result is None or Versions.of(result) != Versions.here():
            found.setdefault(candidate.key, []).append(candidate.unit)
    return found


def _cost_key(unit: Unit) -> str:
    """Equal where a step costs about the same: all but seed, drive, epochs and images."""
    settings = unit.settings.model_dump(mode="json")
    method = dict(settings["method"])
    method.pop("learning_rate")
    if "tile" in method:
        method["tile"] = {**method["tile"], "weight_range": None}
    training = {**settings["training"], "epochs": 0, "decay": 1.0, "decay_shape": "geometric"}
    return short_hash([settings["dataset"]["name"], settings["network"], training, method])


def _typical(group: Sequence[Unit]) -> Unit:
    """A real unit where there is one, else the middle one of a search grid."""
    real = [unit for unit in group if unit.settings.measure == "test"]
    return real[0] if real else group[len(group) // 2]


def _middle(drives: Sequence[Drive]) -> Drive:
    rate = plain_statistics.median_low(sorted(drive.learning_rate for drive in drives))
    spans = sorted(drive.weight_range for drive in drives if drive.weight_range is not None)
    return Drive(
        learning_rate=rate, weight_range=plain_statistics.median_low(spans) if spans else None
    )


def _sizes(units: Iterable[Unit], data_root: Path | None) -> dict[str, tuple[int, int, int]]:
    """Images for training, validation and test, by data set settings."""
    sizes = {}
    for unit in units:
        key = unit.settings.dataset.model_dump_json()
        if key not in sizes:
            data = load_images(unit, data_root)
            labels = (data.train_labels, data.validation_labels, data.test_labels)
            sizes[key] = (len(labels[0]), len(labels[1]), len(labels[2]))
    return sizes


def _makespan(seconds: Iterable[float], workers: int) -> float:
    """When the last of so many workers is done, each taking the next unit as it gets free."""
    free_at = [0.0] * max(workers, 1)
    for each in seconds:
        heapq.heappush(free_at, heapq.heappop(free_at) + each)
    return max(free_at)


def _once(units: Iterable[Unit]) -> list[Unit]:
    """Cases with equal settings share a run."""
    return list({unit.identity: unit for unit in units}.values())


def _ignore(error: InputError) -> None:
    """A damaged file's unit runs again."""
