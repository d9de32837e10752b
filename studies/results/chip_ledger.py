"""Computes what a study's networks would cost in a chip, from the events counted in their rows."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from rpu_ssnn.common.errors import Fault, require
from rpu_ssnn.devices.device_source import loses_charge
from rpu_ssnn.spec import NetworkSpec
from studies.chip.costs import (
    MULTIPLY_ADD_J,
    ChipNetwork,
    Costs,
    assumed_share,
    digital_energy,
    total,
)
from studies.chip.crossbar import ChipCrossbar, CrossbarEvents
from studies.chip.description import Chip
from studies.declaration.devices import compound_of, shortest_slot_s
from studies.declaration.trial import Row, Runs, Trial
from studies.declaration.update_rules.on_device import DeviceRule
from studies.results.grouping import accuracies, swept_columns
from studies.results.ledger import energy_of_a_pulse, number_in, simulated_slot_s, training_time
from studies.results.summary import accuracy_of
from studies.results.tables import results_frame

_FORWARD = ("reads", "lines", "spikes")
_BACK = ("transposed_reads", "gradient_spikes", "write_spikes", "write_phases", "write_lines")
_TRAINING = {name: f"forward_{name}" for name in _FORWARD} | {name: name for name in _BACK}
_INFERENCE = {name: f"inference_{name}" for name in _FORWARD}
"""Fields of `CrossbarEvents` come from these columns (here without `_total` and the number)."""

_WORDS = ("limited_by", "inference_limited_by", "matter_most")

NEEDS_EVENTS = (
    "there must be a trial by spikes on a device whose events were counted; if the rows are of an "
    "earlier version, run their trials again"
)


def costs_of(trial: Trial, row: Row, chip: Chip) -> Costs | None:
    """Returns the costs of one run in a chip.

    They are None if the run has no device, or did not count its events or all pulses of its cells,
    such as those of transfers.
    """
    method, images = trial.settings.method, number_in(row, "inference_images")
    if not isinstance(method, DeviceRule) or not images or "write_spikes_total" not in row:
        return None
    compound = compound_of(method.device)
    if compound is not None and compound.unknown_pulses is not None:
        return None
    bits = _read_bits(method)
    if bits is not None and chip.columns == "converter":
        chip = chip.at_bits(bits)
    return Costs(_network(trial, method, row, images), chip)


def _network(trial: Trial, method: DeviceRule, row: Row, images: float) -> ChipNetwork:
    """Returns the crossbars of one run with their events.

    Args:
        images: presentations of the inference whose events were counted.
    """
    spec, inhibition = trial.settings.network, trial.settings.network.inhibition
    presentations = _known(row, "n_train") * trial.settings.training.epochs
    places = range(1, 1 + sum(name.startswith("input_lines_") for name in row))
    crossbars: list[ChipCrossbar] = []
    before = int(str(row["network"]).partition("-")[0])
    for n in places:
        crossbars.append(_crossbar(row, n, method, spec, before))
        before = crossbars[-1].neurons
    training = [_events(row, n, _TRAINING, presentations) for n in places]
    inference = [_events(row, n, _INFERENCE, images) for n in places]
    label, classes = spec.encoding.label_rate, crossbars[-1].n_out
    inhibited = classes if inhibition.strength and not inhibition.clocked else 1
    clocked = label * classes if inhibition.clocked else 0.0
    return ChipNetwork(
        crossbars,
        training,
        inference,
        wires=(
            (label + clocked) * spec.T + training[-1].spikes * inhibited,
            clocked * spec.at_inference.T + inference[-1].spikes * (inhibited - 1),
        ),
        slots=(spec.slots, spec.at_inference.slots),
        presentations=presentations,
        pulse=energy_of_a_pulse(method)[0],
        pulse_s=shortest_slot_s(method.parameters) or method.tile.slot_seconds,
        idle_s=method.tile.idle_seconds,
        initial_pulses=_known(row, "initial_pulses_total"),
    )


def _crossbar(row: Row, n: int, method: DeviceRule, spec: NetworkSpec, before: int) -> ChipCrossbar:
    n_in, n_out = (int(_known(row, f"{name}_{n}")) for name in ("input_lines", "output_lines"))
    devices = round(_known(row, f"devices_total_{n}") / (n_in * n_out))
    references = int(method.tile.reference.has_devices)
    positions, replicas = (int(_known(row, f"{name}_{n}")) for name in ("positions", "replicas"))
    at_once, delay = replicas if spec.positions == "at_once" else 1, spec.delays[n - 1]
    lines = (n_in, n_out, positions, replicas, at_once)
    return ChipCrossbar(*lines, devices, references, before, delay, is_first=n == 1)


def _events(row: Row, n: int, columns: Mapping[str, str], presentations: float) -> CrossbarEvents:
    counts = {field: _known(row, f"{name}_total_{n}") for field, name in columns.items()}
    if columns is _TRAINING:
        counts["pulses"] = sum(_known(row, f"pulses_{way}_total_{n}") for way in ("up", "down"))
    return CrossbarEvents(**{field: count / presentations for field, count in counts.items()})


def _known(row: Row, name: str) -> float:
    return number_in(row, name) or 0.0


def chip_ledger(runs: Runs, chip: Chip, where: object = "ledger") -> pd.DataFrame:
    """Returns the costs of each case in a chip, as means over seeds.

    Args:
        where: the place that an error names.

    Returns:
        ``case``, the swept settings, ``n`` (seeds), ``accuracy`` (%) with the half width of its
        interval, ``on_front`` (whether no other line is as accurate for less energy, or more
        accurate for no more), ``read_bits``, ``simulated_s`` (the time of training in which charge
        was lost; NaN if none is), then the columns of `row_of`. Cases without a device, and runs
        that did not count events, are left out.

    Raises:
        InputError: no run is left.
    """
    costs = [costs_of(trial, result.row, chip) for trial, result in runs]
    counted = [(run, cost) for run, cost in zip(runs, costs, strict=True) if cost is not None]
    require(counted, where, "trials", Fault("without counted events"), NEEDS_EVENTS)
    frame = results_frame([run for run, _ in counted])
    swept = swept_columns(frame)
    names = frame[["label", *swept]].reset_index(drop=True).assign(accuracy=accuracies(frame))
    used = (trial.settings.method for (trial, _), _ in counted)
    methods = [method for method in used if isinstance(method, DeviceRule)]  # All of them are.
    names["read_bits"] = pd.Series(map(_read_bits, methods), dtype=float)
    times = [_simulated_s(trial, result.row) for (trial, result), _ in counted]
    names["simulated_s"] = pd.Series(times, dtype=float)
    table = pd.concat([names, pd.DataFrame([dict(row_of(cost)) for _, cost in counted])], axis=1)
    groups = table.groupby(["label", *swept], sort=False, dropna=False)
    numbers = groups.mean(numeric_only=True)
    words = groups[list(_WORDS)].agg(_each_once)
    spread = groups["accuracy"].agg(lambda of: accuracy_of(frame.loc[of.index])[0].half_width)
    costs_by_case = numbers.join(words).assign(n=groups.size(), accuracy_ci=spread).reset_index()
    costs_by_case["on_front"] = on_front(costs_by_case, "image_j")
    first = ["label", *swept, "n", "accuracy", "accuracy_ci", "on_front"]
    columns = [*first, *(name for name in table.columns if name not in first)]
    return costs_by_case[columns].rename(columns={"label": "case"})


def on_front(table: pd.DataFrame, cost: str) -> list[bool]:
    """Says for each line whether no other is as accurate at less cost, or better at no more."""
    points = list(zip(table["accuracy"], -table[cost], strict=True))
    return [
        not any(a >= accuracy and b >= best and (a, b) != (accuracy, best) for a, b in points)
        for accuracy, best in points
    ]


def _simulated_s(trial: Trial, row: Row) -> float | None:
    method = trial.settings.method
    if not isinstance(method, DeviceRule):
        return None
    loses = method.tile.retention.has_law or loses_charge(method.simulated)
    return training_time(trial, method, row, simulated_slot_s(method)) if loses else None


def _read_bits(method: DeviceRule) -> int | None:
    reads = method.tile.reads
    return reads.adc_bits if reads else None


def _each_once(words: pd.Series) -> str:
    return ", ".join(dict.fromkeys(", ".join(words).split(", ")))


def row_of(costs: Costs) -> Iterator[tuple[str, Any]]:
    """Yields the columns of one run: arrays, area, times, and energies (J), also by component."""
    arrays = {"arrays": costs.array_count, "array_use": costs.array_use, "area_m2": costs.area_m2}
    yield from arrays.items()
    yield from zip(("image_s", "limited_by"), costs.time, strict=True)
    yield from zip(("inference_s", "inference_limited_by"), costs.inference_time, strict=True)
    image, inference = total(costs.training), total(costs.inference)
    for name, energy in (
        ("image", image),
        ("inference", inference),
        ("million_images", image * 1e6),
        ("training", costs.whole_training),
    ):
        yield from zip((f"{name}_j", f"{name}_low_j", f"{name}_high_j"), energy, strict=True)
    yield "training_s", costs.time[0] * costs.network.presentations
    for bits in MULTIPLY_ADD_J:
        for name, training in (("image", True), ("inference", False)):
            digital = digital_energy(costs.network.crossbars, bits, training=training)
            yield f"digital_{bits}_bit_{name}_j", digital
    yield "matter_most", ", ".join(costs.matter_most)
    for phase, parts in (("image", costs.training), ("inference", costs.inference)):
        yield f"{phase}_assumed_share", assumed_share(parts)
        for component, energy in parts.items():
            yield f"{phase}_{component}_j", energy[0]
