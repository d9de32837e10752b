"""Warns of devices: those that are alike, fits that failed, and charge that is lost."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.device_source import loses_charge
from rpu_ssnn.devices.laws.charge_trap import share_kept
from studies.declaration.devices import Device, path_free, presets_in, shortest_slot_s
from studies.declaration.trial import Runs, Trial, TrialResult
from studies.declaration.update_rules.on_device import DeviceRule
from studies.results.grouping import without_draw
from studies.results.ledger import ledger_columns, number_in, simulated_slot_s

type Told = Mapping[str, str]
"""What a warning says of each case, by its name, for which ``{}`` stands in the sentence. The name
is empty if the sentence is about all runs."""


def of_devices(runs: Runs) -> Iterator[Told]:
    """Yields all warnings about devices."""
    yield of_alike_devices(runs)
    yield of_extrapolated_losses(runs)
    yield of_short_slots(runs)
    yield of_pulse_widths(runs)
    yield of_failed_fits(runs)


def on_devices(runs: Runs) -> Iterator[tuple[DeviceRule, Trial, TrialResult]]:
    """Yields the runs in devices, after their rules."""
    for trial, result in runs:
        if isinstance(rule := trial.settings.method, DeviceRule):
            yield rule, trial, result


def of_alike_devices(runs: Runs) -> Told:
    """Names the cases in which all devices of an array are alike."""
    known = [(trial.label, rule) for rule, trial, _ in on_devices(runs) if rule.parameters]
    differ = {label for label, rule in known if _devices_differ(rule)}
    alike = (label for label, _ in known if label not in differ)
    return dict.fromkeys(alike, "All devices of an array are alike in these cases: {}.")


def _devices_differ(rule: DeviceRule) -> bool:
    in_array = rule.tile.line_spread.acts or rule.tile.stuck_share > 0
    if "jump_spread" in rule.parameters:  # is from pulse to pulse, where all others are of devices
        return in_array or len(rule.simulated.jump_tables or ()) > 1
    spread = (name for name in rule.parameters if name.endswith(("_spread", "failed_share")))
    return in_array or any(rule.parameters[name] for name in spread)


def of_extrapolated_losses(runs: Runs) -> Told:
    """Names the cases whose training and storage take longer than the longest wait over which the
    loss of the device was measured."""
    told = {}
    for rule, trial, result in on_devices(runs):
        wait = number_in(rule.parameters, "longest_wait_s")
        if wait is None or not (loses_charge(rule.simulated) or rule.tile.retention.has_law):
            continue
        time = number_in(ledger_columns(trial, result), "training_time_s") or 0.0
        time += rule.tile.storage_seconds
        if time > wait:
            told[trial.label] = (
                f"The loss of {{}} was measured over {wait:g} s at most, and is extrapolated to "
                f"the {time:.2g} s of training and storage."
            )
    return told


def of_short_slots(runs: Runs) -> Told:
    """Names the cases whose devices lose charge in slots in which no pulse fits."""
    told = {}
    for rule, trial, _ in on_devices(runs):
        slot, pulse = simulated_slot_s(rule), shortest_slot_s(rule.parameters)
        if rule.tile.retention.has_law and slot < pulse:
            told[trial.label] = (
                f"The retention of {{}} counts slots of {slot:g} s, although a pulse takes "
                f"{pulse:g} s (tile.slot_seconds)."
            )
    return told


def of_pulse_widths(runs: Runs) -> Told:
    """Names the cases that set a pulse width on which the steps of their devices do not depend."""
    return {
        trial.label: "pulse_width_s changes only times, and no step, in these cases: {}."
        for rule, trial, _ in on_devices(runs)
        if "pulse_width_s" in rule.overrides and "step_width_s" not in rule.parameters
    }


def of_failed_fits(runs: Runs) -> Told:
    """Names the presets whose fit failed checks, with these checks."""
    return {
        path_free(without_draw(preset.name)): (
            "The fit of {} failed checks, so that the measured device may reach another accuracy: "
            + " ".join(preset.failed_checks)
        )
        for rule, *_ in on_devices(runs)
        for preset in presets_in(shipped(rule))
        if preset.failed_checks
    }


def lost_in_an_epoch(runs: Runs) -> float:
    """Returns the share of a change of weight that the devices of a point lose in the time of an
    epoch, 0 without devices."""
    for rule, trial, result in on_devices(runs):
        retention, physics = rule.tile.retention, rule.simulated.pulse_physics
        time = number_in(ledger_columns(trial, result), "training_time_s") or 0.0
        time *= retention.acceleration / max(1, trial.settings.training.epochs)
        laws = [(retention.loss_per_decade, retention.from_s)]
        laws += [(physics.loss_per_decade, physics.loss_onset_s)] if physics else []
        kept = [float(share_kept(np.array([time]), *law)[0]) for law in laws]
        kept += [(1.0 + time / retention.from_s) ** -retention.exponent]
        return 1.0 - min(*kept, math.exp(-time / rule.simulated.leak_time_constant_s))
    return 0.0


def shipped(rule: DeviceRule) -> Device | None:
    """Returns the device without overrides, or None if the user's file is gone."""
    try:
        return rule.as_shipped
    except InputError:
        return None
