"""Plans a study: which trials are done, which are missing, and how long those will take."""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rpu_ssnn.common.errors import InputError
from studies.common.settings import short_hash
from studies.declaration.hyperparameters import hyperparameters_of
from studies.declaration.points import Point
from studies.declaration.search import Race, reached
from studies.declaration.study import Study
from studies.declaration.trial import Failure, Trial, TrialResult
from studies.execution.imported_results import read_imported_rows
from studies.execution.phase import Options, in_balanced_order, run_trials
from studies.execution.progress import Reporter
from studies.execution.study_runs import contents_of, refuse_rows_of_other_data
from studies.execution.timing import Cost
from studies.results.result_folder import ResultFolder
from studies.results.store import Versions
from studies.results.tables import read_failures
from studies.workers.local_executor import LocalExecutor, worker_count
from studies.workers.worker import Job


@dataclass(frozen=True)
class PlanRow:
    """Plans one case at one point of the sweep.

    Attributes:
        trials: one per seed; before the search is done, with the values of its first candidate.
        missing: trials without a row that would be run.
        search: missing runs of the search (empty if an earlier row has the same search).
        done: number of trials with a row.
        failed: number of trials, or of runs of the search, that failed before.
        waiting: number of trials that cannot start because a run of their search failed.
    """

    title: str
    trials: list[Trial]
    missing: list[Trial]
    search: list[Trial]
    done: int = 0
    failed: int = 0
    waiting: int = 0


@dataclass(frozen=True)
class Plan:
    """Lists what a study still has to run in its folder.

    Attributes:
        other_versions: number of rows that were made under other versions.
        faults: errors of the rows and trial files that were left out.
    """

    rows: list[PlanRow]
    other_versions: int
    faults: list[InputError]

    @property
    def search(self) -> list[Trial]:
        """Returns the missing runs of the search."""
        return _once(trial for row in self.rows for trial in row.search)

    @property
    def missing(self) -> list[Trial]:
        """Returns the missing trials, in the order in which they would run."""
        missing = {trial.identity for row in self.rows for trial in row.missing}
        ordered = in_balanced_order([trial for row in self.rows for trial in row.trials])
        return _once(trial for trial in ordered if trial.identity in missing)


@dataclass(frozen=True)
class Estimate:
    """Estimates the time and memory that a plan takes on this machine.

    Attributes:
        startup_seconds: time to start the workers: processes, imports and compiled code.
        seconds: time of each trial, by identity.
        memory_mb: memory of each trial's worker, MiB, by identity.
        failures: trials whose steps could not be timed.
    """

    workers: int
    startup_seconds: float
    seconds: dict[str, float]
    memory_mb: dict[str, float]
    failures: list[Failure]

    def wall_seconds(self, plan: Plan) -> float:
        """Returns the time (s) until the search and then the trials are done."""
        phases = [trials for trials in (plan.search, plan.missing) if trials]
        return self.startup_seconds + sum(
            _makespan([self.seconds.get(trial.identity, 0.0) for trial in trials], self.workers)
            for trials in phases
        )

    @property
    def peak_memory_mb(self) -> float:
        """Returns an upper bound for all workers (MiB), as if each ran the largest trial."""
        return self.workers * max(self.memory_mb.values(), default=0.0)


def make_plan(study: Study, root: Path, kept_rows: Sequence[Path] = ()) -> Plan:
    """Makes a plan from the output folder, which may be missing, without writing anything.

    Args:
        kept_rows: results files whose rows count as finished (`imported_results`).

    Raises:
        InputError: the folder belongs to another study, or a file of hyperparameters or of rows is
            not valid.
    """
    imported = read_imported_rows(kept_rows)
    refuse_rows_of_other_data(study, root, imported.by_identity, kept_rows)
    contents = contents_of(study, root, imported)
    done = {trial.identity for trial, _ in contents.runs}
    failed = {failure.trial for failure in read_failures(root)} - done
    search = ResultFolder(root).search.read_all()
    searched, planned = search.made_here, set[str]()

    def row(point: Point) -> PlanRow:
        values = hyperparameters_of(point, contents.hyperparameters)
        if values is not None:
            trials = [point.trial(study.study, values, seed, study.measure) for seed in point.seeds]
            left = [trial for trial in trials if trial.identity not in done]
            missing = [trial for trial in left if trial.identity not in failed]
            n_done, n_failed = len(trials) - len(left), len(left) - len(missing)
            return PlanRow(point.title, trials, missing, [], n_done, n_failed)
        race = Race.of(point, study.study, study.search, study.measure)
        some = next(iter(race.trials))
        trials = [point.trial(study.study, some, seed, study.measure) for seed in point.seeds]
        runs = [run for run in race.all_runs() if not reached(run, searched)]
        stuck = [run for run in runs if run.identity in failed]
        new = [run for run in runs if run not in stuck and run.identity not in planned]
        planned.update(run.identity for run in new)
        if stuck:
            return PlanRow(point.title, trials, [], new, failed=len(stuck), waiting=len(trials))
        return PlanRow(point.title, trials, trials, new)

    rows = [row(point) for point in study.points()]
    others = [result for _, result in contents.runs if Versions.of(result) != Versions.here()]
    return Plan(rows, len(others), [*contents.faults, *search.faults])


def estimate(
    plan: Plan, job: Job, workers: int | None, tell: Callable[[str], None] = lambda _: None
) -> Estimate:
    """Times a few steps of each distinct case of a plan with missing trials, with as many workers
    as the run would have.

    Args:
        job: `timing.timing_job`.
        tell: called with a line of text after each case that was timed.

    Raises:
        InputError: images are missing.
        BrokenEnvironmentError: aihwkit and torch do not fit, or numba cannot store compiled code.
    """
    trials = [*plan.missing, *plan.search]
    n_workers = worker_count(workers, max(len(plan.missing), len(plan.search)))
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(_cost_key(trial), []).append(trial)
    chosen = {_typical(group).identity: key for key, group in groups.items()}
    timed = [_typical(group) for group in groups.values()]
    while len(timed) < n_workers:  # the run will have that many processes at work at once
        timed += timed[: n_workers - len(timed)]
    costs: dict[str, Cost] = {}

    def keep(trial: Trial, result: TrialResult) -> None:
        costs[chosen[trial.identity]] = Cost.of(result)
        tell(f"timed {len(costs)} of {len(groups)} cases")

    reporter, failures = _StartTimer(), list[Failure]()
    with closing(LocalExecutor(n_workers)) as executor:
        options = Options(job=job, executor=executor, reporter=reporter)
        run_trials("timing", timed, len(timed), options, keep, failures.append)
    sizes = _sizes(trials, job.data_root)
    timed_trials = [(trial, costs[key]) for trial in trials if (key := _cost_key(trial)) in costs]
    seconds = {
        trial.identity: cost.seconds(trial, *sizes[trial.settings.dataset.model_dump_json()])
        for trial, cost in timed_trials
    }
    memory = {trial.identity: cost.peak_memory_mb for trial, cost in timed_trials}
    # Each worker meets most kinds of trial, and compiles once for each kind.
    startup = reporter.seconds + sum(cost.first for cost in costs.values()) / n_workers
    return Estimate(n_workers, startup, seconds, memory, failures)


class _StartTimer(Reporter):
    """Measures the time until the workers have started and checked their inputs."""

    seconds = 0.0

    @contextmanager
    def starting(self, text: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds = time.perf_counter() - started

    def finished(self, trial: Trial, result: TrialResult) -> None:
        """Shows nothing, since the result of a timing has no accuracy."""


def _cost_key(trial: Trial) -> str:
    """Returns a key that is equal for trials whose steps take about the same time."""
    settings = trial.settings.model_dump(mode="json")
    method = dict(settings["method"])
    method.pop("learning_rate")
    if "tile" in method:
        method["tile"] = {**method["tile"], "weight_range": None}
    training = {**settings["training"], "epochs": 0, "decay": 1.0, "decay_shape": "geometric"}
    return short_hash([settings["dataset"]["name"], settings["network"], training, method])


def _typical(group: Sequence[Trial]) -> Trial:
    """Returns a trial of the study if there is one, else the middle run of a search."""
    return next((trial for trial in group if trial.stop_after is None), group[len(group) // 2])


def _sizes(trials: Iterable[Trial], data_root: Path | None) -> dict[str, tuple[int, int, int]]:
    """Returns the numbers of training, validation and test images, by the settings of the data
    set."""
    sizes = {}
    for key, trial in {trial.settings.dataset.model_dump_json(): trial for trial in trials}.items():
        data = trial.images(data_root)
        labels = (data.train_labels, data.validation_labels, data.test_labels)
        sizes[key] = (len(labels[0]), len(labels[1]), len(labels[2]))
    return sizes


def _makespan(seconds: Iterable[float], workers: int) -> float:
    """Returns the time until the last worker is done, if each takes the next trial as soon as it
    is free."""
    free_at = [0.0] * workers
    for each in seconds:
        heapq.heappush(free_at, heapq.heappop(free_at) + each)
    return max(free_at)


def _once(trials: Iterable[Trial]) -> list[Trial]:
    """Returns the trials without duplicates, since cases with equal settings share a trial."""
    return list({trial.identity: trial for trial in trials}.values())
