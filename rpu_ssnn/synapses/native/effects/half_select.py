"""Disturb of half-selected devices, by the counts of spikes on their lines.

Applied once for all spikes since the last commit, after their pulses: a disturb is a small part of
a step, and which comes first changes it by its product with the change of one step. A spike counts
also in a slot in which it meets another, where a device is selected in full (in a hidden layer of
the paper's network 0.2 % of the spikes).
"""

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.array_physics import HalfSelectSpec
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.compiled import compiled_in_place, compiled_inside
from rpu_ssnn.synapses.native.cells import Cells, Pulses, Room, bounded
from rpu_ssnn.synapses.native.effects.effect import Effect, Setup
from rpu_ssnn.synapses.native.step_models import change
from rpu_ssnn.tile_spec import NO_HALF_SELECT
from rpu_ssnn.training_state import State

if TYPE_CHECKING:
    from rpu_ssnn.synapses.native.device_array import DeviceArray


class Disturb(NamedTuple):
    """Steps by which devices are moved, by line and direction."""

    input_up: Float32[np.ndarray, " n_in"]
    input_down: Float32[np.ndarray, " n_in"]
    output_up: Float32[np.ndarray, " n_out"]
    output_down: Float32[np.ndarray, " n_out"]


def disturb_of(spec: HalfSelectSpec, pulses: Pulses, n_in: int) -> Disturb:
    """What the spikes of some slots do."""
    forward = np.bincount(pulses.pre, minlength=n_in)
    n_out = len(pulses.start) - 1
    lines = np.repeat(np.arange(n_out), np.diff(pulses.start))
    up = np.bincount(lines[pulses.up], minlength=n_out)
    down = np.bincount(lines[~pulses.up], minlength=n_out)
    return Disturb(
        (spec.forward_up * forward).astype(np.float32),
        (spec.forward_down * forward).astype(np.float32),
        (spec.gradient * up).astype(np.float32),
        (spec.gradient * down).astype(np.float32),
    )


@compiled_inside
def _part_steps(cells: Cells, device, w, steps, up: bool):  # type: ignore[no-untyped-def]
    """State after some steps without noise, at most one of them at a time."""
    while steps > np.float32(0.0):
        part = min(steps, np.float32(1.0))
        move = change(cells.model, cells.rules, device, w, up, np.float32(0.0))
        w = bounded(device, w + part * move)
        steps -= part
    return w


@compiled_in_place
def disturb_lines(cells: Cells, disturb: Disturb, n_in: int, first: int, stop: int) -> None:
    """Move all devices of output lines [first, stop)."""
    for line in range(first, stop):
        for d in range(len(cells.signs)):
            straight = cells.signs[d] > np.float32(0.0)  # of a pair, the second mirrors its column
            rising = disturb.output_up[line] if straight else disturb.output_down[line]
            falling = disturb.output_down[line] if straight else disturb.output_up[line]
            for p in range(n_in):
                device = cells.records[d, line * n_in + p]
                reference = device.a if cells.rules.has_reference else np.float32(0.0)
                w = device.state + reference
                w = _part_steps(cells, device, w, disturb.input_up[p] + rising, True)
                w = _part_steps(cells, device, w, disturb.input_down[p] + falling, False)
                device.state = w - reference


class HalfSelect(Effect):
    """The disturb of one crossbar, and the steps by which it has moved a device on average."""

    name = "half_select"
    needs_all_spikes = True

    def __init__(self, spec: HalfSelectSpec) -> None:
        self._spec, self._steps = spec, 0.0

    @classmethod
    def of(cls, setup: Setup) -> Self | None:
        """None where it is off.

        Raises:
            InputError: the device remembers its pulses.
        """
        spec = setup.spec.half_select
        if not spec.acts:
            return None
        if setup.device.pulse_physics is not None:
            raise InputError("tile", "half_select", spec, NO_HALF_SELECT)
        return cls(spec)

    def after_pulses(self, array: "DeviceArray", pulses: Pulses) -> bool:
        cells, n_in = array.cells, array.shape[0]
        disturb = disturb_of(self._spec, pulses, n_in)
        self._steps += float(sum(part.mean(dtype=np.float64) for part in disturb))

        def move(first: int, stop: int, _: Room) -> None:
            disturb_lines(cells, disturb, n_in, first, stop)

        array.slices.call(move)
        return True

    def state(self) -> State:
        return {"steps": np.array(self._steps)}

    def restore(self, state: State) -> None:
        self._steps = float(state["steps"])

    def statistics(self) -> dict[str, float]:
        """Steps, up plus down, on average over all devices."""
        return {"disturb_steps": self._steps}
