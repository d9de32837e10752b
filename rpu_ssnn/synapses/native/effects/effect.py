"""An effect is something that happens to devices besides pulses; each has its own file.

A new effect needs its file, a line in `registry.EFFECTS`, settings in `rpu_ssnn.spec.array_physics`
and their field in `TileSpec`; `attribute` and the refusals by other simulators follow from that.
"""

from typing import ClassVar

from rpu_ssnn.common.training_state import State
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.setup import Setup


class Effect:
    """Does nothing; an effect is a subclass that overrides what it needs.

    Args:
        setup: what the devices are built from.
        array: the devices.
    """

    name: ClassVar[str]
    """The effect has this name in checkpoints."""
    needs_all_spikes = False
    """This is True if slots without a coincidence matter too."""

    def __init__(self, setup: Setup, array: DeviceArray) -> None:
        self.setup, self.array = setup, array

    def read_errors(self) -> list[Weights]:
        """Returns the errors that reads add to the states of devices.

        There is one array [n_in, n_out] for each device of a cell (in states), and none where reads
        see the exact states.
        """
        return []

    def written(self) -> None:
        """Handles the beginning of time, when the initial weights have been written."""

    def begin(self) -> None:
        """Handles devices in states that no pulse has led to: new, written or restored ones."""

    def after_pulses(self, pulses: Pulses) -> bool:
        """Handles pulses that have been applied, and returns whether reads now see other states.

        How often this is called in one commit depends on threads and memory, so an effect only
        counts here, and acts in `after_commit`.
        """
        return False

    def after_commit(self) -> bool:
        """Acts after all pulses of a commit, and returns whether it moved devices."""
        return False

    def after_batch(self) -> bool:
        """Acts after the time of a batch has passed, and returns whether it moved devices."""
        return False

    def after_rest(self, seconds: float) -> bool:
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
