"""What an effect is: something that happens to devices beside their pulses, each in its own file.

A new one is its file, its line in `registry.EFFECTS`, its settings in
`rpu_ssnn.spec.array_physics` and their field of `TileSpec`; `attribute` and the refusals of other
simulators follow from that.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rpu_ssnn.device_source import DeviceSource
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import Crossbar, Weights
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.population import Population
from rpu_ssnn.training_state import State


@dataclass(frozen=True)
class Setup:
    """What an effect is made of.

    Attributes:
        crossbar: what the layer asks for.
        spec: settings of the array.
        drawn: the devices.
        seed: of what effects draw.
    """

    crossbar: Crossbar
    device: DeviceSource
    spec: TileSpec
    drawn: Population
    seed: np.random.SeedSequence

    @property
    def batch_seconds(self) -> float:
        """Physical time of one batch, idle time included."""
        physics, crossbar = self.device.pulse_physics, self.crossbar
        shortest = 0.0 if physics is None else physics.shortest_slot_s
        return self.spec.batch_seconds(crossbar.batch, crossbar.slots, shortest)


class Effect:
    """Does nothing; a subclass overrides what it does, and is made of a `Setup`."""

    name: ClassVar[str]
    """Of its part of a checkpoint."""
    needs_all_spikes = False
    """Whether slots without a coincidence matter too."""

    def read_errors(self, array: DeviceArray) -> list[Weights]:
        """What reads see of the devices beyond their states [n_in, n_out], one array a device of a
        cell; none where reads see the states themselves."""
        return []

    def written(self, array: DeviceArray) -> None:
        """The initial weights are written: time begins."""

    def begin(self, array: DeviceArray) -> None:
        """The devices are in states that nothing before has led to: new ones, written, restored."""

    def after_pulses(self, array: DeviceArray, pulses: Pulses) -> bool:
        """Pulses were applied; whether reads see the devices otherwise.

        How many times a commit has that depends on threads and memory; what acts is `after_commit`.
        """
        return False

    def after_commit(self, array: DeviceArray) -> bool:
        """All pulses of a commit were applied; whether the effect moved devices."""
        return False

    def after_batch(self, array: DeviceArray) -> bool:
        """The time of a batch has passed; whether the effect moved devices."""
        return False

    def after_rest(self, array: DeviceArray, seconds: float) -> bool:
        """Time (s) has passed without pulses; whether the effect moved devices."""
        return False

    def state(self) -> State:
        """All that training has changed in the effect itself."""
        return {}

    def restore(self, state: State) -> None:
        """Go on from that state."""

    def statistics(self) -> dict[str, float]:
        """Numbers for the result row."""
        return {}
