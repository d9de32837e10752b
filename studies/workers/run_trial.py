"""Runs one trial with `rpu_ssnn` and makes its row."""

import functools
import math
import platform
import re
from collections import Counter
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from rpu_ssnn.data import Dataset
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.data.user_data import file_digest
from rpu_ssnn.network.inputs import input_lines
from rpu_ssnn.spec import connect, layer_names, slot_cycles
from rpu_ssnn.version import NUMERICS_VERSION, VERSION
from studies.common.settings import canonical
from studies.declaration.trial import Row, Trial, TrialResult, as_scalar
from studies.declaration.update_rules.base import changed
from studies.declaration.update_rules.on_device import DeviceRule
from studies.workers.worker import peak_memory_mb, reset_peak_memory
from studies.workers.workspace import NO_WORKSPACE, TrialSession, Workspace

_SETTING_OF = {
    "T": "network.T",
    "circuit": "network.neuron.circuit",
    "slots": "network.T",
    "batch": "training.batch",
    "schedule": "training.schedule",
    "decay": "training.decay",
    "decay_shape": "training.decay_shape",
    "output_step": "training.output_step",
}
"""These columns are blank if the rule does not use their setting."""


def check_inputs(trials: list[Trial], data_root: Path | None) -> None:
    """Loads each data set once, and tests that aihwkit works if a trial has a device.

    Raises:
        InputError: images are missing, damaged, or fewer than the study asks for.
        BrokenEnvironmentError: aihwkit and torch do not fit, or numba cannot store compiled code.
    """
    from rpu_ssnn.doctor import check_tile_pair, require_compiler

    require_compiler()
    for trial in {trial.settings.dataset.model_dump_json(): trial for trial in trials}.values():
        trial.images(data_root)
    if any(isinstance(trial.settings.method, DeviceRule) for trial in trials):
        check_tile_pair()


def set_threads(trial: Trial, threads: int) -> int:
    """Sets and returns the number of torch's threads, which is 1 if the trial's method needs it.

    The order of torch's sums depends on it, so code that trains a trial again must call this too.
    """
    import torch

    threads = 1 if trial.settings.method.one_thread else threads
    torch.set_num_threads(threads)
    return threads


def run_trial(
    trial: Trial, data_root: Path | None, threads: int, workspace: Workspace = NO_WORKSPACE
) -> TrialResult:
    """Trains and tests a trial, and reads the test images once, after training.

    The training resumes from the checkpoint of the trial if the workspace has a valid one.

    Args:
        threads: largest number of threads, which changes the time but not the numbers.
        workspace: where progress and checkpoints are written.

    Returns:
        The row (columns: `studies.results.result_columns`; accuracies in %, memory of this process
        in MiB including imports, time in s without loading) and one row per epoch.

    Raises:
        InputError: the images are missing.
    """
    threads = set_threads(trial, threads)
    data = trial.images(data_root)
    reset_peak_memory()
    settings = trial.settings
    method = settings.method
    session = TrialSession(workspace, trial, data.digest)
    with session.trained(method.training(settings, threads), data) as trained:
        if trial.stop_after is not None:
            return _paused(trial, data, [_epoch_row(vars(epoch)) for epoch in trained.epochs])
        method.rest(trained)
        tested = settings.measure == "test"
        measured = data.test_labels if tested else data.validation_labels
        test = trained.accuracy(data.test_images, data.test_labels) if tested else math.nan
        validation = trained.accuracy(data.validation_images, data.validation_labels)
        statistics: Mapping[str, float] = getattr(trained, "statistics", dict)()
    row: dict[str, Any] = {
        **_image_columns(trial, data),
        "n_test": len(data.test_labels),
        "largest_class": 100 * max(Counter(measured.tolist()).values()) / len(measured),
        **_data_columns(trial, data),
        **_setting_columns(trial, data),
        "test_accuracy": 100 * test,
        "validation_accuracy": 100 * validation,
        "seconds": session.seconds,
        "peak_memory_mb": peak_memory_mb(),
        **_device_columns(statistics),
        "replayable": method.is_replayable(),
        "resumed": session.resumed,
        **statistics,
        "settings": trial.settings_json,
        **_versions(),
        "python_version": platform.python_version(),
        "machine": machine(),
        "threads": threads,
    }
    return TrialResult(
        row={name: as_scalar(value) for name, value in row.items()},
        epochs=[_epoch_row(vars(epoch)) for epoch in trained.epochs],
    )


def _paused(trial: Trial, data: Dataset, epochs: list[Row]) -> TrialResult:
    """Returns the result of a run of a search, which pauses here and does not read test images."""
    row: dict[str, Any] = {
        **_image_columns(trial, data),
        **_data_columns(trial, data),
        "seed": trial.settings.seed,
        "test_accuracy": None,
        "validation_accuracy": epochs[-1]["validation_accuracy"],
        **_versions(),
    }
    return TrialResult(row={name: as_scalar(value) for name, value in row.items()}, epochs=epochs)


def _image_columns(trial: Trial, data: Dataset) -> dict[str, Any]:
    return {
        "dataset": trial.settings.dataset.name,
        "data_digest": data.digest,
        "n_train": len(data.train_labels),
        "n_validation": len(data.validation_labels),
    }


def _versions() -> dict[str, Any]:
    """Returns the columns with the versions that determine the numbers of a row."""
    return {
        "numerics_version": NUMERICS_VERSION,
        "rpu_ssnn_version": VERSION,
        **{
            f"{package}_version": metadata.version(package)
            for package in ("aihwkit", "torch", "numpy", "numba")
        },
    }


def _data_columns(trial: Trial, data: Dataset) -> dict[str, Any]:
    """Returns the columns about the data, or none for images of an ordinary standard set.

    A standard set with several versions has a column for the files that were read. A user's data
    have columns for file, digest, split and scale. Recorded spikes have columns for what the case
    uses of them, and for the share of spikes after T.
    """
    dataset, own = trial.settings.dataset, trial.settings.dataset.own
    columns: dict[str, Any] = {"data_file": data.copy} if data.copy else {}
    if own is not None:
        columns = {
            "data_file": own.file.name,
            "file_digest": file_digest(own),
            "data_split": _split_of(trial),
            "data_range": None if own.spikes else _range_of(trial),
        }
    if own is not None or isinstance(data.train_images, SpikeTrains):
        columns["data_shape"] = "x".join(map(str, data.shape))
    if isinstance(data.train_images, SpikeTrains):
        columns |= {
            "input": trial.settings.method.sees,
            "time": dataset.time,
            "bin": own.spikes.bin if own is not None and own.spikes is not None else None,
            "spikes_after_T": data.cut,
        }
    return columns


def _split_of(trial: Trial) -> str:
    dataset = trial.settings.dataset
    if dataset.test_share is None:
        return f"test file {dataset.test_file.name}" if dataset.test_file else "as the file has it"
    return f"stratified, test_share {dataset.test_share:g}, seed {dataset.split_seed}"


def _range_of(trial: Trial) -> str:
    rule = trial.settings.dataset.range
    if isinstance(rule, str):
        return "of the training rows" + (", each column" if rule == "each" else "")
    return f"{rule[0]:g} to {rule[1]:g}"


def _setting_columns(trial: Trial, data: Dataset) -> dict[str, Any]:
    settings = trial.settings
    method, network, training = settings.method, settings.network, settings.training
    inputs = input_lines(network.encoding.contrast, data, network.hidden_layers)
    circuit = network.neuron.circuit
    layers = (inputs.lines, *layer_names(network.hidden_layers), data.n_classes)
    cycles = None
    if network.layers is not None:
        connections = connect(network.layers, inputs.lines, data.n_classes, inputs.image)
        cycles = slot_cycles(connections, network.positions == "at_once")
    columns: dict[str, Any] = {
        "network": "-".join(map(str, layers)),
        "T": network.T,
        "slots": network.slots,
        "slot_cycles": cycles,
        "inference_T": network.inference_T,
        "circuit": canonical(changed(circuit)) if circuit.acts else None,
        "update": method.short_name,
        **dict.fromkeys(("device", "overrides", "tile", "simulator", "beside_pulses")),
        "learning_rate": method.learning_rate,
        "weight_range": None,
        "seed": settings.seed,
        "epochs": training.epochs,
        "batch": training.batch,
        "schedule": training.schedule,
        "decay": training.decay if training.decay_shape == "geometric" else None,
        "decay_shape": training.decay_shape,
        "output_step": training.output_step,
    }
    silent = (name for name, path in _SETTING_OF.items() if not method.has_effect(path))
    return columns | dict.fromkeys(silent) | method.columns()


def _device_columns(statistics: Mapping[str, float]) -> dict[str, float | None]:
    """Returns the mean pulses per device (up plus down) and the share of devices at a bound, over
    all crossbars."""
    devices = statistics.get("devices_total")
    if devices is None:
        return dict.fromkeys(("pulses_per_device_mean", "saturated_fraction"))
    pulses = statistics["pulses_up_total"] + statistics["pulses_down_total"]
    return {
        "pulses_per_device_mean": pulses / statistics.get("pulsed_devices_total", devices),
        "saturated_fraction": statistics["saturated_total"] / devices,
    }


def _epoch_row(epoch: Mapping[str, Any]) -> Row:
    """Turns an epoch into a flat row, with a column per layer for tuples, and accuracies in %."""
    row: Row = {}
    for name, value in epoch.items():
        if isinstance(value, tuple):
            row |= {f"{name}_{layer}": as_scalar(part) for layer, part in enumerate(value)}
        elif name.endswith("_accuracy"):
            row[name] = as_scalar(100 * value)
        else:
            row[name] = as_scalar(value)
    return row


_CPU_INFO = Path("/proc/cpuinfo")  # only Linux has it


@functools.cache
def machine() -> str:
    """Returns the operating system and the model of the processor.

    The order in which torch and numpy add numbers, and so their rounding, depends on the processor.
    """
    return f"{platform.platform()}, {_processor()}"


def _processor() -> str:
    """Returns the model of the processor if the system names it, else its kind."""
    try:
        named = re.search(r"^model name\s*:\s*(.+)$", _CPU_INFO.read_text(), re.MULTILINE)
    except OSError:
        named = None
    return named[1].strip() if named else platform.processor() or platform.machine()
