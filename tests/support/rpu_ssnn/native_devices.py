"""Makes native devices of a small crossbar, and pulses on all of them or on those of some lines."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from device_presets import Preset, TableDevice
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses import Crossbar, PulseBlock
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from support.rpu_ssnn.networks import make_block, make_crossbar

SCALE = 4.0 * 0.25
"""The weight of state 1 is the weight range times the he_std of `make_crossbar`."""


def native_spec(**tile: object) -> TileSpec:
    """Returns the settings of native devices of weight range 4."""
    return TileSpec.model_validate({"weight_range": 4.0, "simulator": "native", **tile})


def native(
    device: Preset | TableDevice,
    crossbar: Crossbar | None = None,
    rate: float = 1e6,
    **tile: object,
) -> NativeSynapses:
    """Makes native devices; with the default learning rate every coincidence is a pulse."""
    return NativeSynapses(crossbar or make_crossbar(), device, native_spec(**tile), rate)


def all_at(state: float, n_in: int = 20, n_out: int = 8) -> Crossbar:
    """Returns a crossbar whose devices all start in one state."""
    initial = np.full((n_in, n_out), state * SCALE, np.float32)
    return replace(make_crossbar(n_in, n_out), initial=initial)


def on_lines(
    rows: int, forward: Iterable[int], up: Iterable[int], down: Iterable[int]
) -> PulseBlock:
    """Returns a block in which the same lines of the small crossbar spike in each slot."""
    dense = tuple(np.zeros((rows, n), bool) for n in (20, 8, 8))
    for part, lines in zip(dense, (forward, up, down), strict=True):
        part[:, list(lines)] = True
    return make_block(*dense)


def on_all(rows: int, up: bool = True, n_in: int = 20, n_out: int = 8) -> PulseBlock:
    """Returns a block with a pulse on every device in each slot."""
    every, none = np.ones((rows, n_out), bool), np.zeros((rows, n_out), bool)
    return make_block(np.ones((rows, n_in), bool), *((every, none) if up else (none, every)))


def pulse(synapses: NativeSynapses, block: PulseBlock) -> np.ndarray:
    """Applies and commits the pulses of a presentation; returns the changes, in states."""
    before = synapses.weights().copy()
    synapses.update(block)
    synapses.commit(range(1))
    change: np.ndarray = (synapses.weights() - before) / SCALE
    return change
