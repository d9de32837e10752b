"""What synapses ask of a device, whichever simulator holds it."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from rpu_ssnn.devices.laws.jump_table import JumpTable

PulsedDevice = Any
"""An aihwkit configuration of a device or of a cell of several (aihwkit ships no types)."""


class PulsePhysics(Protocol):
    """A device whose step and charge follow its last pulse; times in seconds.

    `rpu_ssnn.devices.laws.charge_trap.ChargeTrapPhysics` is one.
    """

    @property
    def remembers(self) -> bool:
        """Whether a step follows the gap, or charge fades; if not, aihwkit has such a device."""

    @property
    def pulse_width_s(self) -> float:
        """Width of every pulse."""

    @property
    def shortest_slot_s(self) -> float:
        """Least time from pulse to pulse."""

    @property
    def rest_state(self) -> float:
        """State (1: upper end of the nominal range) of a device that has lost all charge."""

    @property
    def recovery(self) -> float:
        """Step without a gap over that of an isolated pulse, minus 1."""

    @property
    def gap_time_constant_s(self) -> float:
        """How fast the step falls to that of an isolated pulse with the gap, exponentially."""

    @property
    def loss_per_decade(self) -> float:
        """Share of the charge left at an age is 1 - this x log10(1 + age / loss_onset_s), or 0."""

    @property
    def loss_onset_s(self) -> float:
        """See `loss_per_decade`."""


class DeviceSource(Protocol):
    """What a tile asks of a device; `device_presets.Preset`, `CompoundDevice` and `TableDevice` are
    ones."""

    @property
    def pulse_physics(self) -> PulsePhysics | None:
        """What the device does beyond aihwkit; None where it does nothing beyond."""

    @property
    def jump_tables(self) -> Sequence[JumpTable] | None:
        """Measured jumps, of which each device has those of one table; None: a step model."""

    @property
    def leak_time_constant_s(self) -> float:
        """A weight left alone decays as exp(-t / this) (s); infinite where it does not leak."""

    @property
    def pair(self) -> bool:
        """Whether each weight is a differential pair, whatever the tile's reference scheme."""

    @property
    def in_parallel(self) -> int:
        """Devices on one output line that all get every pulse of a weight; their mean is read."""

    def device(self, seconds_between_steps: float | None = None) -> PulsedDevice:
        """A fresh aihwkit device configuration whose leak acts once in that time (s)."""


def loses_charge(device: DeviceSource) -> bool:
    """Whether a device that gets no pulse changes by itself: it leaks, or loses in log-time."""
    physics = device.pulse_physics
    in_log_time = physics is not None and physics.loss_per_decade > 0.0
    return in_log_time or math.isfinite(device.leak_time_constant_s)
