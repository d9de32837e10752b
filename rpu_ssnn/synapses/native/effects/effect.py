"""An effect is something that happens to devices beside their pulses; each has its own file.

A new effect is its file, its line in `registry.EFFECTS`, its settings in
`rpu_ssnn.spec.array_physics` and their field of `TileSpec`; `attribute` and the refusals of other
simulators follow from that.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rpu_ssnn.common.errors import require
from rpu_ssnn.common.training_state import State
from rpu_ssnn.spec.device_source import DeviceSource
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import Crossbar, Weights
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.population import Population


@dataclass(frozen=True)
class Setup:
    """Everything that an effect may need when it is made.

    Attributes:
        crossbar: what the layer asks for.
        device: the device of the library that the layer asks for.
        spec: the settings of the array.
        drawn: the devices that were drawn.
        seed: the seed of all numbers that effects draw.
    """

    crossbar: Crossbar
    device: DeviceSource
    spec: TileSpec
    drawn: Population
    seed: np.random.SeedSequence

    @property
    def batch_seconds(self) -> float:
        """Returns the physical time of one batch (s), idle time included."""
        physics, crossbar = self.device.pulse_physics, self.crossbar
        shortest = 0.0 if physics is None else physics.shortest_slot_s
        return self.spec.batch_seconds(crossbar.batch, crossbar.slots, shortest)


def refuse_several_arrays(setup: Setup, name: str) -> None:
    """Refuses replicas that work at the same time, as an effect acts on the lines of one array.

    Raises:
        InputError: the crossbar stands for several arrays.
    """
    allowed = f"must be serial, or replicas 1: tile.{name} acts on the lines of one array"
    require(setup.crossbar.arrays == 1, "network", "positions", "at_once", allowed)


class Effect:
    """An effect that does nothing; a subclass overrides what it does, and is made of a `Setup`."""

    name: ClassVar[str]
    """The effect has this name in checkpoints."""
    needs_all_spikes = False
    """This says whether slots without a coincidence matter too."""

    def read_errors(self, array: DeviceArray) -> list[Weights]:
        """Returns what reads see of the devices beyond their states.

        Each array [n_in, n_out] is for one device of a cell (states); there are none where reads
        see the states themselves.
        """
        return []

    def written(self, array: DeviceArray) -> None:
        """The initial weights have been written, and time begins."""

    def begin(self, array: DeviceArray) -> None:
        """The devices are in states that no pulse has led to: they are new, written or restored."""

    def after_pulses(self, array: DeviceArray, pulses: Pulses) -> bool:
        """Pulses have been applied; the effect says whether reads now see other devices.

        How often this is called in one commit depends on threads and memory, so that an effect
        counts here and acts in `after_commit`.
        """
        return False

    def after_commit(self, array: DeviceArray) -> bool:
        """All pulses of a commit have been applied; the effect says whether it moved devices."""
        return False

    def after_batch(self, array: DeviceArray) -> bool:
        """The time of a batch has passed; the effect says whether it moved devices."""
        return False

    def after_rest(self, array: DeviceArray, seconds: float) -> bool:
        """That time (s) has passed without pulses; the effect says whether it moved devices."""
        return False

    def state(self) -> State:
        """Returns everything that training has changed in the effect itself."""
        return {}

    def restore(self, state: State) -> None:
        """The effect goes on from that state."""

    def statistics(self) -> dict[str, float]:
        """Returns the effect's columns of a result row."""
        return {}
