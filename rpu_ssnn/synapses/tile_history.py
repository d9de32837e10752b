"""Memory of pulses for aihwkit's tiles, whose devices remember no gap and lose no log-time charge.

Two things stand in for it, both between updates and both counted in the row as device physics:

* Before the pulses of a block of slots reach the tile, each device's step up and step down are
  multiplied by the mean step factor of its own up and down pulses in that block, from the gaps
  that were measured on it (`step_rewrites`). Within a block the order is lost: a device's steps
  are all of one size there. After each batch the steps are the drawn ones again.
* Between batches, the charge that each device has lost since the last such write is taken from
  its weight (`charge_writes`), as soon as one device has lost `WRITE_AT` of it.

Our own devices (`rpu_ssnn.synapses.native`) do neither, and show what that costs.
"""

import numpy as np
import torch
from aihwkit.simulator.tiles import AnalogTile
from jaxtyping import Bool, Float64

from rpu_ssnn.synapses.base import Crossbar, PulseBlock
from rpu_ssnn.synapses.device_source import PulsePhysics
from rpu_ssnn.synapses.pulse_history import PulseHistory
from rpu_ssnn.tile_spec import TileSpec
from rpu_ssnn.training_state import State, joined, part_of

WRITE_AT = 1e-4
"""Largest share of a device's charge that may wait to be taken off its weight. A weight in single
precision rounds at 6e-8, and a write for each batch would often take off little more than that."""

_STEPS = {1: ("dwmin_up", "slope_up"), -1: ("dwmin_down", "slope_down")}
"""aihwkit's parameters of a step by direction; LinearStepDevice's slope is absolute, no share."""


class TileHistory:
    """Steps and charge of the devices of one tile, or of the two of a differential pair.

    Args:
        crossbar: shape and physical time.
        physics: of the devices.
        spec: length of a slot.
        tiles: the second one gets every pulse in the other direction.
    """

    def __init__(
        self, crossbar: Crossbar, physics: PulsePhysics, spec: TileSpec, tiles: list[AnalogTile]
    ) -> None:
        self._history = PulseHistory(crossbar, physics, spec)
        self._shape = crossbar.initial.shape
        self._rest_state = physics.rest_state
        self._tiles = tiles
        self._drawn = [tile.get_hidden_parameters() for tile in tiles]
        self._scaled = False
        self._taken: Float64[np.ndarray, " devices"] = np.zeros(crossbar.initial.size)
        self._step_rewrites, self._charge_writes = 0, 0

    def before(
        self, block: PulseBlock, kept: Bool[np.ndarray, " post_spikes"], first: int, end: int
    ) -> None:
        """Set each device's steps for the pulses of block rows [first, end)."""
        pulses = self._history.pulses(block, kept, first, end)
        factors = {}
        for sign in (1, -1):
            mine = pulses.sign == sign
            device, n = pulses.device[mine], len(self._taken)
            count = np.bincount(device, minlength=n)
            total = np.bincount(device, pulses.step_factor[mine], minlength=n)
            factors[sign] = np.divide(total, count, out=np.ones(n), where=count > 0)
        if not self._scaled and all((factor == 1.0).all() for factor in factors.values()):
            return
        for direction, tile, drawn in zip((1, -1), self._tiles, self._drawn, strict=False):
            steps = drawn.copy()
            for sign in (1, -1):
                factor = self._as_tile(factors[direction * sign])
                for name in _STEPS[sign]:
                    steps[name] = drawn[name] * factor
            tile.set_hidden_parameters(steps)
        self._scaled = True
        self._step_rewrites += 1

    def end_batch(self) -> bool:
        """Let the rest of the batch's time pass; whether a weight was changed."""
        if self._scaled:
            for tile, drawn in zip(self._tiles, self._drawn, strict=True):
                tile.set_hidden_parameters(drawn)
            self._scaled = False
        self._history.end_batch()
        return self._take_off(WRITE_AT)

    def rest(self, seconds: float) -> bool:
        """Let that time (s) pass without pulses; whether a weight was changed."""
        self._history.rest(seconds)
        return self._take_off(0.0)

    def state(self) -> State:
        """What training has changed, beside the tiles."""
        return {
            **joined({"history": self._history.state()}),
            "taken": self._taken.copy(),
            "writes": np.array([self._step_rewrites, self._charge_writes]),
        }

    def restore(self, state: State) -> None:
        """Go on from the state of a history built just as this."""
        self._history.restore(part_of(state, "history"))
        self._taken[:] = state["taken"]
        self._step_rewrites, self._charge_writes = map(int, state["writes"])

    def statistics(self) -> dict[str, float]:
        """As `PulseHistory.statistics`, and how often steps and weights were rewritten."""
        return {
            **self._history.statistics(),
            "step_rewrites": float(self._step_rewrites),
            "charge_writes": float(self._charge_writes),
        }

    def _take_off(self, least: float) -> bool:
        """Take the charge lost since the last time off the weights, where it is that share."""
        kept = self._history.log_kept()
        lost = self._taken - kept
        if not lost.max() > least:
            return False
        share = self._as_tile(np.exp(-lost))
        for tile in self._tiles:
            state = tile.tile.get_weights()
            tile.tile.set_weights(self._rest_state + (state - self._rest_state) * share)
        self._taken = kept
        self._charge_writes += 1
        return True

    def _as_tile(self, values: Float64[np.ndarray, " devices"]) -> torch.Tensor:
        """[n_out, n_in] in single precision, as a tile holds its devices."""
        ordered = np.ascontiguousarray(values.reshape(self._shape).T, dtype=np.float32)
        return torch.from_numpy(ordered)
