"""Times a few training steps of a trial, in a worker process."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np

from rpu_ssnn.training.loop import Learner
from rpu_ssnn.training.spiking import INFERENCE_CHUNK, Trained
from studies.declaration.trial import Trial, TrialResult
from studies.workers.run_trial import check_inputs, set_threads
from studies.workers.worker import Job, peak_memory_mb, reset_peak_memory
from studies.workers.workspace import NO_WORKSPACE, TrialSession, Workspace

ENOUGH_SECONDS = 1.0
"""Training steps are timed until they have taken about this long, or a whole epoch."""


@dataclass(frozen=True)
class Cost:
    """Holds the time and memory that the steps of a trial take on this machine.

    Attributes:
        first: time of imports and of loading compiled code, s, once per worker.
        start: time of loading the images and building the network, s.
        train: time of one presentation in training, s.
        show: time of one presentation in inference, s.
        peak_memory_mb: resident memory of the worker, MiB.
    """

    first: float
    start: float
    train: float
    show: float
    peak_memory_mb: float

    @classmethod
    def of(cls, result: TrialResult) -> Self:
        """Reads the cost from a result of `time_steps`."""
        return cls(**{f.name: float(str(result.row[f.name])) for f in fields(cls)})

    def seconds(self, trial: Trial, n_train: int, n_validation: int, n_test: int) -> float:
        """Returns the time of a whole trial (s) with these numbers of images."""
        epochs = trial.stop_after or trial.settings.training.epochs
        ends = trial.stop_after is None
        tested = n_test if ends and trial.settings.measure == "test" else 0
        shown = (epochs + ends) * n_validation + tested
        return self.start + epochs * n_train * self.train + shown * self.show


def timing_job(data_root: Path | None) -> Job:
    """Returns the job that times steps instead of training."""
    return Job(check=check_inputs, execute=time_steps, data_root=data_root)


def time_steps(
    trial: Trial, data_root: Path | None, threads: int, workspace: Workspace
) -> TrialResult:
    """Returns a result whose row is a `Cost`, without writing to the workspace.

    It times the first steps of a training, when errors are large and pulses are many; later steps
    tend to be faster.

    Raises:
        InputError: the images are missing.
    """
    threads = set_threads(trial, threads)
    reset_peak_memory()
    started = time.perf_counter()
    data = trial.images(data_root)
    loaded = time.perf_counter() - started
    settings, method = trial.settings, trial.settings.method
    no_epochs = settings.training.model_copy(update={"epochs": 0})
    untrained = replace(trial, settings=settings.model_copy(update={"training": no_epochs}))

    def built() -> AbstractContextManager[Learner]:
        session = TrialSession(NO_WORKSPACE, untrained, data.digest)
        return session.trained(method.training(untrained.settings, threads), data)

    started = time.perf_counter()
    with built():
        first = time.perf_counter() - started  # the first time includes imports and compiling
    started = time.perf_counter()
    with built() as network:
        start = loaded + time.perf_counter() - started
        images, labels = data.train_images, data.train_labels
        shown = min(INFERENCE_CHUNK, len(labels)) if isinstance(network, Trained) else len(labels)
        rng = np.random.default_rng(settings.seed)

        def learn(n: int) -> None:
            network.train_epoch(images[:n], labels[:n], rng, 0)

        def show(n: int) -> None:
            network.accuracy(images[:n], labels[:n])

        train = _seconds_each(learn, settings.training.batch, len(labels))
        cost = Cost(first, start, train, _seconds_each(show, shown, shown), peak_memory_mb())
    return TrialResult(row=dict(vars(cost)), epochs=[])


def _seconds_each(step: Callable[[int], None], least: int, most: int) -> float:
    """Measures the time of ``step(n)`` per image on an idle machine, with an n large enough to be
    timed.

    Args:
        least: smallest number of images in a call.
        most: largest number of images in a call.
    """
    n = min(least, most)
    step(n)  # the first call compiles and fills caches
    while True:
        started, worked = time.perf_counter(), time.process_time()
        step(n)
        passed, worked = time.perf_counter() - started, time.process_time() - worked
        seconds = min(passed, worked)  # on a busy machine, a thread waits for its turn
        if seconds >= ENOUGH_SECONDS / 2 or n >= most:
            return seconds / n
        n = min(most, max(2 * n, int(n * ENOUGH_SECONDS / max(seconds, 1e-6))))
