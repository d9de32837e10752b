"""An effect is something that happens to devices besides pulses; each has its own file.

A new effect needs its file, a line in `registry.EFFECTS`, settings in `rpu_ssnn.spec.array_physics`
and their field in `TileSpec`; `attribute` and the refusals by other simulators follow from that.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rpu_ssnn.common.errors import require
from rpu_ssnn.common.training_state import State
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import Crossbar, Weights
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.population import Population


@dataclass(frozen=True)
class Setup:
    """Holds everything that an effect may need when it is made.

    Attributes:
        crossbar: the crossbar that the layer needs.
        device: the device in which the layer is built.
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
    """Refuses replicas that work at the same time, since an effect acts on the lines of one array.

    Raises:
        InputError: the crossbar consists of several arrays.
    """
    allowed = f"must be serial (or replicas 1), since tile.{name} acts on the lines of one array"
    require(setup.crossbar.arrays == 1, "network", "positions", "at_once", allowed)


class Effect:
    """Does nothing; an effect is a subclass, made from a `Setup`, that overrides what it needs."""

    name: ClassVar[str]
    """The effect has this name in checkpoints."""
    needs_all_spikes = False
    """This is True if slots without a coincidence matter too."""

    def read_errors(self, array: DeviceArray) -> list[Weights]:
        """Returns the errors that reads add to the states of devices.

        There is one array [n_in, n_out] for each device of a cell (in states), and none where reads
        see the exact states.
        """
        return []

    def written(self, array: DeviceArray) -> None:
        """Handles the beginning of time, when the initial weights have been written."""

    def begin(self, array: DeviceArray) -> None:
        """Handles devices in states that no pulse has led to: new, written or restored ones."""

    def after_pulses(self, array: DeviceArray, pulses: Pulses) -> bool:
        """Handles pulses that have been applied, and returns whether reads now see other states.

        How often this is called in one commit depends on threads and memory, so an effect only
        counts here, and acts in `after_commit`.
        """
        return False

    def after_commit(self, array: DeviceArray) -> bool:
        """Acts after all pulses of a commit, and returns whether it moved devices."""
        return False

    def after_batch(self, array: DeviceArray) -> bool:
        """Acts after the time of a batch has passed, and returns whether it moved devices."""
        return False

    def after_rest(self, array: DeviceArray, seconds: float) -> bool:
        """Acts after time (s) has passed without pulses, and returns whether it moved devices."""
        return False

    def state(self) -> State:
        """Returns everything that training has changed in the effect itself."""
        return {}

    def restore(self, state: State) -> None:
        """Continues from the `state` of an identically built effect."""

    def statistics(self) -> dict[str, float]:
        """Returns the effect's columns of a result row."""
        return {}
