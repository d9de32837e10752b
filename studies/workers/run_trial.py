"""Runs one trial through `rpu_ssnn` and makes its row."""

import json
import math
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rpu_ssnn.version import NUMERICS_VERSION, VERSION
from studies.declaration.devices import compound_of
from studies.declaration.result import PRUNED, Row, Scalar, TrialResult
from studies.declaration.trial import (
    AnnMethod,
    ConversionMethod,
    PulseMethod,
    Trial,
    canonical,
)
from studies.workers.data_columns import data_columns
from studies.workers.memory import forget_peak_memory, peak_memory_mb
from studies.workers.methods import load_images, trained_ann, trained_network
from studies.workers.workspace import NO_WORKSPACE, TrialSession, Workspace

if TYPE_CHECKING:
    from rpu_ssnn.baselines.ann import TrainedAnn
    from rpu_ssnn.data import Dataset
    from rpu_ssnn.training import Trained


def check_inputs(trials: list[Trial], data_root: Path | None) -> None:
    """Loads each data set once and, where a trial uses tiles, tries the tile pair.

    Raises:
        InputError: images are missing or damaged, or fewer than asked for.
        BrokenEnvironmentError: aihwkit and torch do not fit, or numba cannot keep its code.
    """
    from rpu_ssnn.doctor import require_compiler, require_tile_pair

    if any(not isinstance(trial.settings.method, AnnMethod) for trial in trials):
        require_compiler()

    seen = set()
    for trial in trials:
        key = trial.settings.dataset.model_dump_json()
        if key not in seen:
            seen.add(key)
            load_images(trial, data_root)
    if any(isinstance(trial.settings.method, PulseMethod) for trial in trials):
        require_tile_pair()


@dataclass(frozen=True)
class _Measured:
    """What a training run gives to the row; accuracies are shares in [0, 1]."""

    test_accuracy: float
    validation_accuracy: float
    statistics: dict[str, float]
    epochs: list[Row]


def run_trial(
    trial: Trial, data_root: Path | None, threads: int, workspace: Workspace = NO_WORKSPACE
) -> TrialResult:
    """Trains and measures; the test images are read once, after training.

    Goes on from the trial's checkpoint where the workspace holds one that fits.

    Args:
        threads: at most (`threads_for`); changes the time, not the numbers.
        workspace: where the run says how far it is and leaves checkpoints.

    Returns:
        The row (columns: `studies.results.result_columns`; accuracies in %, memory in MiB of
        this process, imports included, time in s without loading) and one row an epoch.

    Raises:
        InputError: the images are not there.
    """
    import torch

    threads = threads_for(trial, threads)
    torch.set_num_threads(threads)
    data = load_images(trial, data_root)
    forget_peak_memory()
    settings = trial.settings
    session = TrialSession(workspace, trial, data.digest)
    if isinstance(settings.method, AnnMethod):
        measured = _ann(trial, data, session)
    else:
        measured = _spiking(trial, data, threads, session)
    row: dict[str, Any] = {
        "dataset": settings.dataset.name,
        "data_digest": data.digest,
        "n_train": len(data.train_labels),
        "n_validation": len(data.validation_labels),
        "n_test": len(data.test_labels),
        **data_columns(trial, data),
        **_setting_columns(trial, data),
        "test_accuracy": 100 * measured.test_accuracy,
        "validation_accuracy": 100 * measured.validation_accuracy,
        "seconds": session.seconds,
        "peak_memory_mb": peak_memory_mb(),
        **_device_columns(measured.statistics),
        "replayable": is_replayable(trial),
        "resumed": session.resumed,
        **({} if settings.prune is None else {PRUNED: session.pruned_after}),
        **measured.statistics,
        "settings": trial.settings_json,
        "numerics_version": NUMERICS_VERSION,
        "rpu_ssnn_version": VERSION,
        **{
            f"{package}_version": metadata.version(package)
            for package in ("aihwkit", "torch", "numpy", "numba")
        },
        "python_version": platform.python_version(),
        "machine": platform.platform(),
        "threads": threads,
    }
    return TrialResult(
        row={name: plain(value) for name, value in row.items()}, epochs=measured.epochs
    )


def threads_for(trial: Trial, threads: int) -> int:
    """How many of the threads a run may use without a change of its numbers.

    One for a float network, whose sums torch would order by threads; and for a tile whose devices
    remember their pulses, since the blocks within which their order is lost would follow the lanes.
    """
    method = trial.settings.method
    if isinstance(method, AnnMethod | ConversionMethod):
        return 1
    if isinstance(method, PulseMethod) and method.tile.simulator == "aihwkit":
        from device_presets import get_device

        if get_device(method.device, method.overrides).pulse_physics is not None:
            return 1
    return threads


def is_replayable(trial: Trial) -> bool:
    """Whether the run repeats bit for bit: aihwkit's own generator cannot be seeded, so nothing
    may be drawn from it after construction."""
    method = trial.settings.method
    if not isinstance(method, PulseMethod) or method.tile.simulator != "aihwkit":
        return True
    from device_presets import get_device

    quiet_reads = method.tile.reads is None or method.tile.reads.read_noise == 0
    return quiet_reads and get_device(method.device, method.overrides).noise_free


def plain(value: Any) -> Scalar:
    """A value that JSON and a table cell can hold; what is not finite becomes None."""
    if hasattr(value, "item"):  # numpy's scalars
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float | None):
        return value
    return json.dumps(value)


def _spiking(trial: Trial, data: "Dataset", threads: int, session: TrialSession) -> _Measured:
    with trained_network(trial, data, threads, session) as trained:
        method = trial.settings.method
        is_stored = isinstance(method, PulseMethod) and method.tile.storage_seconds > 0
        if isinstance(method, PulseMethod) and is_stored and session.pruned_after is None:
            trained.rest(method.tile.storage_seconds)
        test, validation = _accuracies(trained, trial, data, session)
        return _Measured(
            test_accuracy=test,
            validation_accuracy=validation,
            statistics=trained.statistics(),
            epochs=[_epoch_row(vars(epoch)) for epoch in trained.epochs],
        )


def _ann(trial: Trial, data: "Dataset", session: TrialSession) -> _Measured:
    test, validation = _accuracies(trained_ann(trial, data, session), trial, data, session)
    return _Measured(test_accuracy=test, validation_accuracy=validation, statistics={}, epochs=[])


def _accuracies(
    trained: "Trained | TrainedAnn", trial: Trial, data: "Dataset", session: TrialSession
) -> tuple[float, float]:
    """On test images (NaN where the trial is not to read them, or was pruned) and held-out ones."""
    test = math.nan
    if trial.settings.measure == "test" and session.pruned_after is None:
        test = trained.accuracy(data.test_images, data.test_labels)
    return test, trained.accuracy(data.validation_images, data.validation_labels)


def _setting_columns(trial: Trial, data: "Dataset") -> dict[str, Any]:
    from rpu_ssnn.inputs import input_lines

    settings = trial.settings
    method, network, training = settings.method, settings.network, settings.training
    lines = input_lines(network.encoding.contrast, data).lines
    layers = (lines, *network.hidden, data.n_classes)
    columns: dict[str, Any] = {
        "network": "-".join(map(str, layers)),
        "T": network.T,
        "slots": network.slots,
        "update": method.update,
        "device": None,
        "overrides": None,
        "tile": None,
        "simulator": None,
        "beside_pulses": None,
        "learning_rate": method.learning_rate,
        "weight_range": None,
        "seed": settings.seed,
        "epochs": training.epochs,
        "batch": training.batch,
        "schedule": training.schedule,
        "decay": training.decay if training.decay_shape == "geometric" else None,
        "decay_shape": training.decay_shape,
    }
    if isinstance(method, AnnMethod):  # has neither slots nor the spiking networks' schedules
        columns |= dict.fromkeys(("T", "slots", "schedule", "decay", "decay_shape"))
    if isinstance(method, PulseMethod):
        compound = compound_of(method.device)
        columns |= {
            "beside_pulses": compound.beside_pulses if compound else None,
            "device": method.device,
            "overrides": canonical(method.overrides),
            "tile": canonical(method.tile.model_dump(mode="json")),
            "simulator": method.tile.simulator,
            "weight_range": method.tile.weight_range,
        }
    return columns


def _device_columns(statistics: dict[str, float]) -> dict[str, float | None]:
    """Over all crossbars: pulses a device (up plus down, gross), share of weights at a bound."""
    devices = statistics.get("devices_total")
    if devices is None:
        return {"pulses_per_device_mean": None, "saturated_fraction": None}
    pulses = statistics["pulses_up_total"] + statistics["pulses_down_total"]
    return {
        "pulses_per_device_mean": pulses / statistics.get("pulsed_devices_total", devices),
        "saturated_fraction": statistics["saturated_total"] / devices,
    }


def _epoch_row(epoch: dict[str, Any]) -> Row:
    """Flat: a tuple of one number a layer becomes a column a layer; accuracies in %."""
    row: Row = {}
    for name, value in epoch.items():
        if isinstance(value, tuple):
            row |= {f"{name}_{layer}": plain(part) for layer, part in enumerate(value)}
        elif name.endswith("_accuracy"):
            row[name] = plain(100 * value)
        else:
            row[name] = plain(value)
    return row
