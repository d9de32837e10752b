"""When each device was last pulsed: what gaps and charge loss follow from."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int8, Int64

from rpu_ssnn.compiled import compiled
from rpu_ssnn.synapses.base import Crossbar, PostSpikes, PreSpikes, PulseBlock, Signs, Starts
from rpu_ssnn.synapses.device_source import PulsePhysics
from rpu_ssnn.tile_spec import TileSpec
from rpu_ssnn.training_state import State


class Pulses(NamedTuple):
    """Pulses of some slots in physical order."""

    device: Int64[np.ndarray, " n"]
    """Input line x n_out + output line."""
    sign: Int8[np.ndarray, " n"]
    """+1 up, -1 down."""
    step_factor: Float64[np.ndarray, " n"]
    """Step over that of an isolated pulse, by the gap from the end of the device's last pulse to
    the start of this one; no gap for the second of two in one slot."""


class PulseHistory:
    """The slot of each device's last pulse, in slots since training began.

    The initial write counts as a pulse, one slot before the first. Time passes with every slot of
    every presentation, with or without pulses; a last, smaller batch takes the time of a full one.

    Args:
        crossbar: shape, batch and slots a presentation.
        physics: of the devices.
        spec: length of a slot, stretched to what the device's pulse needs, and idle time.
    """

    def __init__(self, crossbar: Crossbar, physics: PulsePhysics, spec: TileSpec) -> None:
        self.slot_s = max(spec.slot_seconds, physics.shortest_slot_s)
        self._n_out = crossbar.initial.shape[1]
        # Idle time counts in slots, rounded up to whole ones.
        self._slots = crossbar.slots + math.ceil(spec.idle_seconds / self.slot_s)
        self._batch = crossbar.batch
        self._physics = physics
        self._log_kept = np.zeros(crossbar.initial.size)
        self._pulses, self._factors = 0, 0.0
        self._last: Int64[np.ndarray, " devices"] = np.full(crossbar.initial.size, -1, np.int64)
        self._batch_began = 0
        self._now = 0

    def pulses(
        self, block: PulseBlock, kept: Bool[np.ndarray, " post_spikes"], first: int, end: int
    ) -> Pulses:
        """The pulses of block rows [first, end) by kept gradient spikes; they become the last."""
        rows = slice(first, end)
        at = self._batch_began + block.sample[rows].astype(np.int64) * self._slots
        at += block.slot[rows]
        device, sign, since = list_pulses(
            block.pre_start, block.pre, block.post_start, block.post, block.sign, kept, first, at,
            self._n_out, self._last,
        )  # fmt: skip
        if len(at):
            self._now = max(self._now, int(at[-1]) + 1)
        gap_s = self._seconds(since)
        factor, left = self._physics.step_factor(gap_s), self._physics.kept(gap_s)
        self._log_kept += np.bincount(device, _log(left), minlength=len(self._last))
        self._pulses += len(device)
        self._factors += float(factor.sum())
        return Pulses(device, sign, factor)

    def end_batch(self) -> None:
        """Go on to the first slot of the next batch."""
        self._batch_began += self._batch * self._slots
        self._now = self._batch_began

    def rest(self, seconds: float) -> None:
        """Let that time pass without a pulse, rounded up to whole slots."""
        self._batch_began += math.ceil(seconds / self.slot_s)
        self._now = self._batch_began

    def kept(self) -> Float64[np.ndarray, " devices"]:
        """Share of each device's charge that is left since its last pulse."""
        return self._physics.kept(self._seconds(self._now - self._last))

    def log_kept(self) -> Float64[np.ndarray, " devices"]:
        """Logarithm of the share that is left of a charge which was there from the start."""
        total: Float64[np.ndarray, " devices"] = self._log_kept + _log(self.kept())
        return total

    def state(self) -> State:
        """Last pulses, charge kept until them, and the clock."""
        return {
            "last": self._last.copy(),
            "log_kept": self._log_kept.copy(),
            "slots": np.array([self._batch_began, self._now, self._pulses]),
            "factors": np.array(self._factors),
        }

    def restore(self, state: State) -> None:
        """Go on from the state of a history built just as this."""
        self._last[:] = state["last"]
        self._log_kept[:] = state["log_kept"]
        self._batch_began, self._now, self._pulses = map(int, state["slots"])
        self._factors = float(state["factors"])

    def statistics(self) -> dict[str, float]:
        """Length of a slot (s), mean step factor of all pulses, mean share of charge kept."""
        return {
            "slot_s": self.slot_s,
            "step_factor": self._factors / self._pulses if self._pulses else 1.0,
            "charge_kept": float(np.exp(self.log_kept()).mean()),
        }

    def _seconds(self, slots: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """From the end of a pulse to the start of a slot, that many slots later (s)."""
        seconds = np.maximum(0.0, slots * self.slot_s - self._physics.pulse_width_s)
        return np.asarray(seconds, dtype=np.float64)


def _log(share: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Finite where nothing is left."""
    logarithm: Float64[np.ndarray, " n"] = np.log(np.maximum(share, 1e-300))
    return logarithm


@compiled
def list_pulses(
    pre_start: Starts,
    pre: PreSpikes,
    post_start: Starts,
    post: PostSpikes,
    sign: Signs,
    kept: Bool[np.ndarray, " post_spikes"],
    first: int,
    at: Int64[np.ndarray, " rows_from_first"],
    n_out: int,
    last: Int64[np.ndarray, " devices"],
) -> tuple[Int64[np.ndarray, " n"], Int8[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """(device, sign, slots since its last pulse) of every pulse; `last` is moved on."""
    total = 0
    for r in range(len(at)):
        row = first + r
        sent = 0
        for q in range(post_start[row], post_start[row + 1]):
            sent += kept[q]
        total += sent * (pre_start[row + 1] - pre_start[row])
    device = np.empty(total, np.int64)
    signs = np.empty(total, np.int8)
    since = np.empty(total, np.int64)
    n = 0
    for r in range(len(at)):
        row = first + r
        # Spikes outside: a line's up pulse comes before its down pulse, on all its devices.
        for q in range(post_start[row], post_start[row + 1]):
            if kept[q]:
                for p in range(pre_start[row], pre_start[row + 1]):
                    i = np.int64(pre[p]) * n_out + post[q]
                    device[n], signs[n], since[n] = i, sign[q], at[r] - last[i]
                    last[i] = at[r]
                    n += 1
    return device, signs, since
