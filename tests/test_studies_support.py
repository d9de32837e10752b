"""Fakes for the harness tests: training that takes no time, sent to real worker processes."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rpu_ssnn.errors import InputError
from rpu_ssnn.version import NUMERICS_VERSION
from studies import worker
from studies.desk import Desk, HowFar
from studies.execution import run_in_folder
from studies.local_executor import LocalExecutor
from studies.options import Options, Outcome
from studies.result import Failure, UnitResult
from studies.results import Versions
from studies.study import Study, parse_study
from studies.unit import AnnMethod, PulseMethod, Unit
from studies.worker import Job

SMALL: dict[str, Any] = {
    "study": "small",
    "question": "Does the harness work?",
    "dataset": {"name": "digits", "n_train": 100, "n_test": 50},
    "network": {"hidden": [8], "T": 10},
    "training": {"epochs": 1},
    "seeds": [0, 1],
    "cases": [
        {"update": "ann", "learning_rate": 0.1},
        {"update": "rate", "learning_rate": 1.0},
        {"update": "coincidence", "learning_rate": 1.0},
    ],
}


def small_study(**changes: Any) -> Study:
    """The small study with some of its keys replaced."""
    return parse_study({**SMALL, **changes}, "small.yaml", Path())


def accuracy_of(unit: Unit) -> float:
    """What the fake training reaches, %: best at learning rate 1 and weight range 8."""
    method = unit.settings.method
    accuracy = 80.0 + unit.settings.seed
    if isinstance(method, AnnMethod):
        accuracy += 5.0
    accuracy -= abs(method.learning_rate - 1.0)
    if isinstance(method, PulseMethod):
        accuracy -= 2.0 + abs(method.tile.weight_range - 8.0)
    return accuracy


def accept_all(units: list[Unit], data_root: Path | None) -> None:
    """The check of a job whose inputs are all there."""


def refuse(units: list[Unit], data_root: Path | None) -> None:
    """The check of a job whose images are missing."""
    raise InputError("digits", "images", "nowhere", "must be somewhere")


def fake_training(unit: Unit, data_root: Path | None, threads: int, desk: Desk) -> UnitResult:
    """A result in no time. ``data_root`` holds the test's orders, and a log of what was run.

    Orders: a file ``raise``, ``die``, ``epochs``, ``slow`` or ``sleep`` that holds a unit's title.
    """
    assert data_root is not None
    with (data_root / "log").open("a") as log:
        log.write(f"{unit.settings.measure} {unit.title}\n")
    if _ordered(data_root, "raise", unit):
        raise RuntimeError("weights\nexploded")
    if _ordered(data_root, "die", unit):
        os.kill(os.getpid(), signal.SIGKILL)
    if _ordered(data_root, "epochs", unit):
        for epoch in range(4):
            desk.say(unit, HowFar(epoch=epoch, epochs=5, accuracy=70.0 + epoch / 2))
            time.sleep(1.5)
    if _ordered(data_root, "slow", unit):
        time.sleep(3)
    if _ordered(data_root, "sleep", unit):
        time.sleep(60)
    tested = unit.settings.measure == "test"
    here = Versions.here()
    on_tile = isinstance(unit.settings.method, PulseMethod)
    return UnitResult(
        row={
            "dataset": unit.settings.dataset.name,
            "T": unit.settings.network.T,
            "seed": unit.settings.seed,
            "test_accuracy": accuracy_of(unit) if tested else None,
            "validation_accuracy": accuracy_of(unit) - 0.5,
            "pulses_per_device_mean": 12.5 if on_tile else None,
            "saturated_fraction": 0.25 if on_tile else None,
            "settings": unit.settings_json,
            "numerics_version": NUMERICS_VERSION,
            "torch_version": here.torch_version,
            "aihwkit_version": here.aihwkit_version,
        },
        epochs=[{"epoch": 0, "train_accuracy": 50.0, "validation_accuracy": 60.0}],
    )


def _ordered(data_root: Path, order: str, unit: Unit) -> bool:
    path = data_root / order
    return path.exists() and unit.title in path.read_text().splitlines()


class InThisProcess:
    """An executor without processes, for tests of what is run rather than of how."""

    def plan(self, n_units: int) -> str:
        return "in this process"

    @contextmanager
    def hired(
        self, n_units: int, desk: Desk, note: Callable[[str], None]
    ) -> Iterator["_OneAtATime"]:
        yield _OneAtATime(desk)

    def close(self) -> None:
        """Nothing is kept."""


class _OneAtATime:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._given: list[tuple[Job, Unit]] = []

    @property
    def free(self) -> int:
        return 1 - len(self._given)

    @property
    def running(self) -> list[Unit]:
        return [unit for _, unit in self._given]

    def check(self, job: Job, units: Sequence[Unit]) -> list[worker.Refusal | worker.BrokenPair]:
        fault = worker.check(job, list(units))
        return [] if fault is None else [fault]

    def hand_out(self, job: Job, unit: Unit) -> None:
        self._given.append((job, unit))

    def ended(self, seconds: float) -> list[tuple[Unit, UnitResult | Failure]]:
        job, unit = self._given.pop()
        return [(unit, worker.execute(job, unit, 1, self._desk))]

    def how_far(self, unit: Unit) -> HowFar | None:
        return self._desk.how_far(unit)


class Harness:
    """Runs studies with the fake training in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.orders = folder / "orders"
        self.orders.mkdir()

    def order(self, name: str, *titles: str) -> None:
        """Makes units misbehave from now on (none: no longer)."""
        (self.orders / name).write_text("\n".join(titles))

    def options(self, **changes: Any) -> Options:
        """Of a run with the fake training."""
        job = Job(check=accept_all, execute=fake_training, data_root=self.orders)
        return Options(**{"job": job, "executor": LocalExecutor(2), **changes})

    def run(self, study: Study, **changes: Any) -> Outcome:
        """Runs the study."""
        return run_in_folder(study, self.out, self.options(**changes))

    def take_log(self) -> Counter[str]:
        """What was run since the last call: counts of `measure title`."""
        path = self.orders / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return Counter(lines)
