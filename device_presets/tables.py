"""Presets as tables: all of them in a row each, one number by number, or several side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from device_presets.preset import Parameter, Preset
from device_presets.preset_lookup import get_preset, preset_names
from device_presets.steps_at_zero import (
    asymmetry_at_zero,
    mean_steps,
    noise_at_zero,
    reading_noise_at_zero,
    shrinkage_at_bounds,
    states_at_zero,
)
from rpu_ssnn.devices.laws import LAWS

if TYPE_CHECKING:
    import pandas as pd


type Standing = Literal["sourced", "assumed", "not known", "none"]
"""Where a number comes from; none: the device or its model has nothing of the kind."""

_SOURCE_CHARACTERS = 23

_COMPARED = (
    ("spread of steps", "step_spread"),
    ("spread of asymmetry", "asymmetry_spread"),
    ("spread of upper bounds", "w_max_spread"),
    ("spread of lower bounds", "w_min_spread"),
    ("devices that never move", "failed_share"),
    ("retention (time constant)", "leak_time_constant_s"),
    ("loss of charge a decade of time", "loss_per_decade"),
    ("pulse width", "pulse_width_s"),
    ("pulse period", "pulse_period_s"),
    ("energy a pulse", "energy_per_pulse_j"),
    ("endurance", "endurance_cycles"),
    ("on/off ratio", "on_off_ratio"),
)
"""What a parameter says alone, in words, and its name."""

_UNITS = {name: rule.unit for law in LAWS.values() for name, rule in law.parameters.items()}


def overview_rows() -> list[dict[str, object]]:
    """All presets, one row each, as mappings: pandas takes longer to import than they to be made.

    Keys: ``name``, ``states_up``, ``states_down`` (range over the step of one pulse at weight
    zero), ``asymmetry`` (share by which the smaller of the two steps at weight zero is below the
    other, negative where that is the up step: what a pulse does, which nonlinearity shapes beside
    the parameter of that name), ``noise`` (of an up pulse, share of its step at weight zero),
    ``step_spread`` (share of the step), ``source``. The steps are those of the mean device
    without noise; NaN where a device has no gradual down step.
    """
    rows: list[dict[str, object]] = []
    for preset in map(get_preset, preset_names()):
        states_up, states_down = states_at_zero(preset)
        rows.append(
            {
                "name": preset.name,
                "states_up": states_up,
                "states_down": states_down,
                "asymmetry": asymmetry_at_zero(preset),
                "noise": noise_at_zero(preset)[0],
                "step_spread": preset.number("step_spread"),
                "source": preset.citation,
            }
        )
    return rows


def listing() -> str:
    """The overview as text of at most 100 columns, with what its numbers are."""
    from tabulate import tabulate

    rows = [
        {
            "name": row["name"],
            "states\nup / down": f"{row['states_up']:.5g} / {row['states_down']:.5g}",
            "asymmetry\n(share)": row["asymmetry"],
            "noise\n(steps)": row["noise"],
            "spread\n(steps)": row["step_spread"],
            "source": row["source"],
        }
        for row in overview_rows()
    ]
    widths = [None, None, None, None, None, _SOURCE_CHARACTERS]
    return (
        tabulate(rows, headers="keys", floatfmt=".3g", maxcolwidths=widths)
        + "\n\nstates: range over the step at weight zero; asymmetry: share by which the down step"
        "\nis smaller (negative: the up step); noise: from pulse to pulse; spread: of the step,"
        "\nfrom device to device. More, with units and sources: rpu-ssnn presets show NAME"
    )


def describe(preset: Preset) -> pd.DataFrame:
    """Every parameter of a preset: ``parameter``, ``value``, ``unit``, ``source``, ``assumption``.

    The value column holds numbers, flags, lists of numbers, and None for what is not known.
    """
    import pandas as pd

    rows = [
        (name, p.value, p.unit, p.source, p.assumption) for name, p in preset.parameters.items()
    ]
    columns = ["parameter", "value", "unit", "source", "assumption"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def origins(preset: Preset, names: tuple[str, ...]) -> list[Parameter]:
    """Those of the named parameters that the preset's model has."""
    return [preset.parameters[name] for name in names if name in preset.parameters]


def standing_of(*given: Parameter) -> Standing:
    """Where a number comes from that follows from these parameters."""
    if any(parameter.value is None for parameter in given):
        return "not known"
    return "sourced" if all(parameter.source for parameter in given) else "assumed"


def comparison(presets: Mapping[str, Preset]) -> pd.DataFrame:
    """Several presets side by side, a quantity a row.

    Args:
        presets: by the names that the columns get.

    Returns:
        Columns ``quantity``, ``unit``, and for each preset ``NAME`` (a number to four digits, or
        None) and ``NAME origin`` (`Standing`). Steps, states, asymmetry and noise are those of
        the mean device at weight zero.
    """
    import pandas as pd

    columns = {name: _compared(preset) for name, preset in presets.items()}
    first = next(iter(columns.values()))
    table: dict[str, list[object]] = {
        "quantity": [quantity for quantity, *_ in first],
        "unit": [unit for _, unit, *_ in first],
    }
    for name, rows in columns.items():
        table[name] = [value for *_, value, _ in rows]
        table[f"{name} origin"] = [standing for *_, standing in rows]
    return pd.DataFrame(table, dtype=object)


def comparison_text(table: pd.DataFrame) -> str:
    """A table of `comparison` for print: a star at each assumed number."""
    marks = {"sourced": "", "assumed": "*", "not known": "", "none": ""}
    shown = table[["quantity", "unit"]].copy()
    for name in table.columns[2::2]:
        pairs = zip(table[name], table[f"{name} origin"], strict=True)
        shown[name] = [
            standing if value is None else f"{value:g}{marks[standing]}"
            for value, standing in pairs
        ]
    return (
        shown.to_markdown(index=False, disable_numparse=True)
        + "\n\n*: assumed; without a star: from a source. none: the device or its model has none."
        "\nSteps, states, asymmetry, noises: mean device at weight 0. Asymmetry: share by"
        "\nwhich the down step is smaller (negative: the up step). Shrinkage: share by which a step"
        "\nis smaller at its bound than at weight 0. Spreads: from device to device."
    )


def _compared(preset: Preset) -> list[tuple[str, str, float | None, Standing]]:
    """Quantity, unit, value and standing, in the order of display."""
    levels, asymmetry = origins(preset, ("levels", "asymmetry"))
    by_shape = origins(preset, preset.law.shape)
    at_zero = [] if "slope_up" in preset.parameters else by_shape  # slopes are 1 at weight zero
    noise, shape = preset.parameters["cycle_to_cycle"], standing_of(*(by_shape or [levels]))
    rows: list[tuple[str, str, float, Standing]] = []
    for quantity, unit, pair, standing in (
        ("step", "weight", mean_steps(preset), standing_of(levels)),
        ("states", "states", states_at_zero(preset), standing_of(levels)),
        ("noise of a pulse", "step at 0", noise_at_zero(preset), standing_of(noise)),
        ("shrinkage", "step at 0", shrinkage_at_bounds(preset), shape),
    ):
        for way, value in zip(("up", "down"), pair, strict=True):
            rows.append((f"{quantity} {way}", unit, value, standing))
    share = asymmetry_at_zero(preset) if preset.bidirectional else math.nan
    rows.insert(4, ("asymmetry", "larger step", share, standing_of(asymmetry, *at_zero)))
    found: list[tuple[str, str, float | None, Standing]] = [
        (quantity, unit, None, "none")
        if math.isnan(value)
        else (quantity, unit, float(f"{value:.4g}"), standing)
        for quantity, unit, value, standing in rows
    ]
    found.append(_noise_of_a_reading(preset))
    for quantity, name in _COMPARED:
        unit = _UNITS[name]
        parameter = preset.parameters.get(name)
        if parameter is None:
            found.append((quantity, unit, None, "none"))
        elif parameter.value is None:
            found.append((quantity, unit, None, "not known"))
        else:
            value = float(f"{preset.number(name):.4g}")
            found.append((quantity, unit, value, standing_of(parameter)))
    return found


def _noise_of_a_reading(preset: Preset) -> tuple[str, str, float | None, Standing]:
    quantity, unit = "noise of a reading", "larger step at 0"
    if "write_noise" not in preset.parameters:
        return quantity, unit, None, "none"
    share = reading_noise_at_zero(preset)
    value = None if math.isnan(share) else float(f"{share:.4g}")
    standing = standing_of(preset.parameters["write_noise"])
    return quantity, unit, value, "none" if value is None else standing
