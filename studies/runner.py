"""Hands units to workers and settles what comes back; what fails is a value."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

from rpu_ssnn.errors import InputError
from studies.desk import NO_DESK, Desk
from studies.executor import Crew, Executor
from studies.progress import Reporter
from studies.result import Failure, UnitResult
from studies.unit import Unit
from studies.worker import BrokenPair, Job, Refusal

SECONDS_BETWEEN_LOOKS = 1.0
"""At what the running units have said."""


def in_balanced_order(units: Sequence[Unit]) -> list[Unit]:
    """First seeds of all cases before all second seeds, so that a partial table compares."""
    rank: dict[tuple[object, ...], int] = {}
    ranked = []
    for unit in units:
        case = (unit.label, str(unit.sweep))
        rank[case] = rank.get(case, -1) + 1
        ranked.append((rank[case], unit))
    return [unit for _, unit in sorted(ranked, key=lambda pair: pair[0])]  # sorted() is stable


def run_units(
    units: Sequence[Unit],
    job: Job,
    *,
    executor: Executor,
    on_result: Callable[[Unit, UnitResult], None],
    reporter: Reporter,
    what: str,
    total: int,
    desk: Desk = NO_DESK,
    on_failure: Callable[[Failure], None] | None = None,
) -> list[Failure]:
    """Runs units, in the order given as far as workers are free.

    Args:
        what: name of the whole that the units belong to, for the progress.
        total: units of that whole, those included that need not run.
        executor: hires the workers.
        on_result: called in this process as each unit ends; what it raises ends everything.
        desk: where units say how far they are, and leave checkpoints.
        on_failure: called in this process as each unit fails.

    Returns:
        The units that raised or whose process died; the others went on.

    Raises:
        InputError: before any unit ran, from the job's check.
        BrokenPairError: likewise.
        BrokenProcessPool: likewise, where the very first process died.
        OSError: a cluster is out of reach.
        KeyboardInterrupt: after all workers of this machine are gone.
    """
    if not units:
        return []
    failures: list[Failure] = []

    def settle(unit: Unit, outcome: UnitResult | Failure) -> None:
        desk.forget_words(unit)
        if isinstance(outcome, Failure):
            failures.append(outcome)
            if on_failure is not None:
                on_failure(outcome)
            reporter.failed(outcome)
        else:
            on_result(unit, outcome)
            reporter.finished(unit, outcome)

    plan = f"{what}: {len(units)} of {total} to run, {executor.plan(len(units))}"
    with ExitStack() as stack:
        with reporter.starting(plan):
            crew = stack.enter_context(executor.hired(len(units), desk, reporter.note))
            # By every worker, since a check loads what the units need anyway.
            for fault in crew.check(job, units):
                _refuse(fault)
        # Shown only now, so that starting up does not count into the time a unit takes.
        with reporter.running(what, done=total - len(units), total=total):
            _drain(deque(units), crew, job, reporter, settle)
    return failures


def _refuse(fault: Refusal | BrokenPair | None) -> None:
    if isinstance(fault, Refusal):
        raise InputError(fault.where, fault.field, fault.value, fault.allowed)
    if isinstance(fault, BrokenPair):
        from rpu_ssnn.doctor import BrokenPairError  # slow to import, and seldom needed

        raise BrokenPairError(fault.found, fault.advice)


def _drain(
    waiting: deque[Unit],
    crew: Crew,
    job: Job,
    reporter: Reporter,
    settle: Callable[[Unit, UnitResult | Failure], None],
) -> None:
    """Until nothing is waiting or running."""
    told = _Told(crew, reporter)
    while crew.running or waiting:
        while waiting and crew.free > 0:
            unit = waiting.popleft()
            reporter.started(unit)
            crew.hand_out(job, unit)
        ended = crew.ended(SECONDS_BETWEEN_LOOKS)
        told.look([*(unit for unit, _ in ended), *crew.running])
        for unit, outcome in ended:
            settle(unit, outcome)


class _Told:
    """Passes on what running units say, each note once."""

    def __init__(self, crew: Crew, reporter: Reporter) -> None:
        self._crew, self._reporter = crew, reporter
        self._notes: dict[str, int] = {}

    def look(self, units: Iterable[Unit]) -> None:
        """Reads the last word of each."""
        for unit in units:
            how_far = self._crew.how_far(unit)
            if how_far is None:
                continue
            for note in how_far.notes[self._notes.get(unit.identity, 0) :]:
                self._reporter.note(note)
            self._notes[unit.identity] = len(how_far.notes)
            self._reporter.reached(unit, how_far)
