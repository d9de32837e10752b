"""Computes what training cost the devices: pulses, energy, physical time and wear.

The ledger is not stored with a run but follows from its row and settings, so that rows made before
the ledger existed have one too (without the percentile and maximum, which only the tile could
count).

Energy counts every pulse sent, including the initial writing. Wear counts the training pulses of
the busiest device. The stated endurance is in full swings up and down. A swing up and down takes
two times `levels` pulses (in a charge trap pulsed at another width, as many as its isolated pulses
of that width need), and partial swings are assumed to wear in proportion.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd

from device_presets import get_device
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.laws.charge_trap import charge_trap_physics
from studies.declaration.devices import compound_of, shortest_slot_s
from studies.declaration.trial import Row, Trial, TrialResult, by_crossbar
from studies.declaration.update_rules.on_device import DeviceRule
from studies.results.grouping import swept_columns

COLUMNS = (
    "pulses_up_per_device",
    "pulses_down_per_device",
    "pulses_per_device_p99",
    "pulses_per_device_max",
    "energy_j",
    "energy_blank_because",
    "training_time_s",
    "endurance_used",
    "endurance_blank_because",
)
"""`studies.results.result_columns` gives the unit of each column."""

REASONS = tuple(name for name in COLUMNS if name.endswith("_blank_because"))

UNKNOWN_PULSES = (
    "the run did not count its pulses (for training by numbers, aihwkit counts pulses on GPUs only)"
)


def ledger_columns(trial: Trial, result: TrialResult) -> Row:
    """Returns the ledger of one run, with None everywhere if no device holds the weights.

    Means are over all devices. The percentile and the maximum (up plus down) are taken from the
    crossbar where they are largest. `endurance_used` is a share, where 1 is all of the endurance.
    """
    method, row = trial.settings.method, result.row
    ledger: Row = dict.fromkeys(COLUMNS)
    if not isinstance(method, DeviceRule) or number_in(row, "devices_total") is None:
        return ledger
    pulsed = number_in(row, "pulsed_devices_total") or number_in(row, "devices_total") or 1.0
    up, down = number_in(row, "pulses_up_total"), number_in(row, "pulses_down_total")
    busiest = _largest(row, "pulses_max")
    slot_s = max(method.tile.slot_seconds, shortest_slot_s(method.parameters))
    ledger["training_time_s"] = training_time(trial, method, row, slot_s)
    if up is not None and down is not None:
        ledger |= {
            "pulses_up_per_device": up / pulsed,
            "pulses_down_per_device": down / pulsed,
            "pulses_per_device_p99": _largest(row, "pulses_p99"),
            "pulses_per_device_max": busiest,
        }
    compound = compound_of(method.device)
    if up is None or down is None or (compound is not None and compound.unknown_pulses is not None):
        unknown = (compound.unknown_pulses if compound else None) or UNKNOWN_PULSES
        return ledger | dict.fromkeys(("energy_blank_because", "endurance_blank_because"), unknown)
    energy, why = energy_of_a_pulse(method)
    ledger["energy_blank_because"] = why
    if energy is not None:
        pulses = up + down + (number_in(row, "initial_pulses_total") or 0.0)
        ledger["energy_j"] = pulses * energy
    endurance = number_in(method.parameters, "endurance_cycles")
    if endurance is None:
        ledger["endurance_blank_because"] = _why_unknown(method.device, "endurance_cycles")
    elif busiest is None:
        ledger["endurance_blank_because"] = "the run did not count its busiest device"
    else:
        ledger["endurance_used"] = busiest / (2 * _pulses_a_swing(method.parameters) * endurance)
    return ledger


def energy_of_a_pulse(method: DeviceRule) -> tuple[float | None, str | None]:
    """Returns the energy of a pulse (J) and None, or None and the reason why it is not known."""
    energy = number_in(method.parameters, "energy_per_pulse_j")
    if energy is None:
        return None, _why_unknown(method.device, "energy_per_pulse_j")
    width = number_in(method.overrides, "pulse_width_s")
    if width is not None and "energy_per_pulse_j" not in method.overrides:
        return (
            None,
            f"energy_per_pulse_j: known for the preset's own pulse, but not for one of {width:g} s",
        )
    return energy, None


def _pulses_a_swing(parameters: Mapping[str, Any]) -> float:
    levels = float(parameters["levels"])
    if "step_width_s" not in parameters:
        return levels
    return levels / charge_trap_physics(parameters).width_factor()


def ledger_table(results: pd.DataFrame) -> pd.DataFrame:
    """Returns the ledger of each case: means over seeds, the largest maximum, and reasons.

    Args:
        results: a table as `load_results` returns it.

    Returns:
        ``case``, the swept settings, ``n`` (seeds), then `COLUMNS`; cases without devices are left
        out.
    """
    # Runs whose pulses aihwkit does not count (analog_sgd) still have a time and reasons.
    on_devices = results[results[list(COLUMNS)].notna().any(axis="columns")]
    swept = swept_columns(results)
    of_case: dict[str, Any] = dict.fromkeys(COLUMNS, lambda of: of.astype(float).mean())
    of_case["pulses_per_device_max"] = lambda of: of.astype(float).max()
    of_case |= dict.fromkeys(REASONS, lambda of: "; ".join(dict.fromkeys(of.dropna())))
    cases = on_devices.groupby(["label", *swept], sort=False, dropna=False)
    table = cases.agg(of_case).assign(n=cases.size()).reset_index()
    return table.rename(columns={"label": "case"})[["case", *swept, "n", *COLUMNS]]


def simulated_slot_s(method: DeviceRule) -> float:
    """Returns the length of the slots (s) in which devices lose charge in the simulation.

    It is `slot_seconds`, even where a pulse is longer, unless the devices remember their pulses.
    """
    remembers = method.simulated.pulse_physics is not None
    return max(method.tile.slot_seconds, shortest_slot_s(method.parameters) if remembers else 0.0)


def training_time(trial: Trial, method: DeviceRule, row: Row, slot_s: float) -> float | None:
    """Returns (slots x seconds per slot + idle time) x presentations x epochs, in seconds.

    The slots include the flush. In the ledger, a slot lasts as long as the study says, but no
    shorter than the pulse of the device (its preset's period, or width). Other phases of a slot
    (reads, both streams) are not added. In a network with convolutions, each cycle of a slot takes
    this long (`NetworkSpec.positions`).
    """
    presentations = number_in(row, "n_train")
    if presentations is None:
        return None
    settings, tile = trial.settings, method.tile
    cycles = method.slots(settings.network) * (number_in(row, "slot_cycles") or 1.0)
    return (cycles * slot_s + tile.idle_seconds) * presentations * settings.training.epochs


def number_in(source: Mapping[str, Any], name: str) -> float | None:
    """Returns the number of this name in a row or in parameters, or None if it is no number."""
    value = source.get(name)
    return float(value) if isinstance(value, int | float) else None


def _largest(row: Row, name: str) -> float | None:
    """Returns the largest value over the crossbars."""
    found = by_crossbar(row, name)
    return max((float(value) for value in found if isinstance(value, int | float)), default=None)


@cache
def _why_unknown(device: str, parameter: str) -> str:
    """Returns why the preset does not give a number, in the preset's own words if it has any."""
    try:
        known = get_device(device).parameters[parameter]
    except (InputError, KeyError):
        return f"the preset gives no {parameter}"
    return f"{parameter}: {known.assumption or 'not known to the preset'}"
