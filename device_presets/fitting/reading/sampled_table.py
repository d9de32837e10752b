"""Draws sweeps for a fit from a lookup table, which does not record the order of pulses."""

import math

import numpy as np

from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.units import ARBITRARY
from device_presets.jump_tables.lookup_table import LookupTable

_SWEEPS_OF = (60, 600)
_PULSES = 6000

_ENOUGH = 1.5
"""Sweeps are long enough if their mean steps would cross the range this many times."""


def sampled(table: LookupTable, seed: int = 0) -> Measurement:
    """Returns sweeps up and down of one device drawn from a table, about ``_PULSES`` pulses in all.

    A sweep has 1.5 times the pulses that the mean step needs to cross the range, within limits.
    There is no read noise, and a pulse does not depend on earlier ones.

    Args:
        table: The table of the device.
        seed: The seed of the draw.
    """
    rng = np.random.default_rng(seed)
    lengths = [_length(table, up) for up in (True, False)]
    cycles = max(2, math.ceil(_PULSES / sum(lengths)))
    train = np.concatenate([np.ones(lengths[0]), -np.ones(lengths[1])])
    pulse = np.concatenate([[0.0], np.tile(train, cycles)])
    conductance = np.empty(len(pulse))
    conductance[0] = table.conductance[0]
    for row, share in enumerate(rng.random(len(pulse) - 1), 1):
        conductance[row] = table.after(float(conductance[row - 1]), bool(pulse[row] > 0), share)
    cycle = np.concatenate([[0], np.repeat(np.arange(cycles), len(train))])
    drawn = f"{len(pulse) - 1} pulses were drawn from CrossSim's table (seed {seed}), not measured"
    return Measurement(
        name=table.name, column="dG", conductance=conductance, pulse=pulse.astype(np.int8),
        begins=pulse == 0, device=np.zeros(len(pulse), dtype=np.int32), labels=("device 1",),
        cycle=cycle.astype(np.int32), unit=ARBITRARY if table.normalised else "uS", notes=(drawn,),
    )  # fmt: skip


def _length(table: LookupTable, up: bool) -> int:
    """Returns the number of pulses in a sweep."""
    step = np.abs(table.mean_step(up))
    span = float(table.conductance[-1] - table.conductance[0])
    slow = np.maximum(step, 1e-3 * float(step.max()))
    needed = float(np.trapezoid(1.0 / slow, table.conductance)) if step.max() > 0 else math.inf
    least = span / max(float(step.max()), 1e-30)
    return int(np.clip(_ENOUGH * min(needed, 4 * least), *_SWEEPS_OF))
