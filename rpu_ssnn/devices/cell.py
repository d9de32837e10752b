"""What the synapses ask about the cell that holds one weight.

A cell of several devices is a subclass of `Cell` (`device_presets.compounds.kinds`). aihwkit is
imported only where tiles are built.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Integer

from rpu_ssnn.common.training_state import State

if TYPE_CHECKING:
    from aihwkit.simulator.configs import UpdateParameters
    from aihwkit.simulator.tiles import AnalogTile

PulsedDevice = Any
"""An aihwkit configuration of a device or of a cell of several (aihwkit ships no types)."""

type PulseCounts = Integer[np.ndarray, "n_in n_out"]


class Rounds:
    """Counts the slots of a round, after which a cell does something by itself.

    Attributes:
        slots_left: the slots with a pulse until the round ends, or None where there are no rounds.
    """

    def __init__(self, slots: int | None = None) -> None:
        self.slots_left = slots

    def after(self, slots: int) -> None:
        """Lets `slots` pass, at most `slots_left`."""

    def statistics(self) -> dict[str, float]:
        """Returns numbers for the result row."""
        return {}

    def state(self) -> State:
        """Returns what the slots have changed."""
        return {}

    def restore(self, state: State) -> None:
        """Continues from a state."""


class Cell:
    """Describes a cell of one device; a subclass describes one of several.

    Attributes:
        devices: the number of devices of a weight in one tile.
        pair: whether a weight is the difference of two tiles, whatever the tile's reference.
        in_parallel: the number of devices on one output line that all get every pulse of a weight;
            their mean is read.
        one_sided: whether a weight is the difference of two devices, each of which moves up only;
            the other cells refuse such devices.
        native: whether the native simulator has the cell.
        not_restored_because: why no checkpoint can be restored; None if one can.
    """

    devices = 1
    pair = False
    in_parallel = 1
    one_sided = False
    native = True
    not_restored_because: str | None = None

    def tile_config(
        self, device: PulsedDevice, trains: "UpdateParameters | None" = None, **reads: Any
    ) -> Any:
        """Returns aihwkit's configuration of a tile of such cells.

        Args:
            device: the configuration of the cell, which may be changed.
            trains: how numbers become pulse trains, or None for spikes: each row is then one slot,
                and each coincidence one pulse.
            reads: aihwkit's parameters of `forward` and `backward` reads.
        """
        from aihwkit.simulator.configs import SingleRPUConfig, UnitCellRPUConfig

        from rpu_ssnn.devices.certain_pulses import one_pulse_a_coincidence

        config = SingleRPUConfig if self.devices == 1 else UnitCellRPUConfig
        update = one_pulse_a_coincidence() if trains is None else trains
        return config(device=device, update=update, **reads)

    def pulsed_device(self, device: PulsedDevice) -> PulsedDevice:
        """Returns the configuration of the device that a coincidence pulses."""
        return device if self.devices == 1 else device.unit_cell_devices[0]

    def step(self, device: PulsedDevice) -> float:
        """Returns the mean step (device states) of the device that a coincidence pulses."""
        return float(self.pulsed_device(device).dw_min)

    def learning_rate(
        self, step: float, device_step: float, per_state: np.float32
    ) -> np.floating | float | None:
        """Returns aihwkit's learning rate with which a coincidence moves a weight by `step`, or
        None where thinned trains realise it.

        Args:
            step: the wanted mean change of the weight.
            device_step: the change of the weight by one step of a device.
            per_state: the weight of state 1.
        """
        return None

    def rounds(self, device: PulsedDevice, tile: "AnalogTile") -> Rounds:
        """Returns what counts the slots after which the cells of a tile act by themselves."""
        return Rounds()

    def statistics(
        self, device: PulsedDevice, up: PulseCounts, down: PulseCounts, tiles: int, rows: int
    ) -> dict[str, float]:
        """Returns the pulses of a crossbar, for the result row; unknown ones are NaN.

        Args:
            up, down: coincidences of each weight in the positive and the negative stream.
            tiles: 2 where a weight is a pair of tiles, one of which goes up where the other goes
                down.
            rows: slots with a pulse (one more where a line spiked in both streams).
        """
        ups, downs = (self.in_parallel * int(part.sum(dtype=np.int64)) for part in (up, down))
        if tiles == 2:
            ups = downs = ups + downs
        # Each stream of a one-sided pair has a device, which it pulses up.
        pulses = np.stack([up, down]) if self.one_sided else up.astype(np.int64) + down
        ups, downs = (ups + downs, 0) if self.one_sided else (ups, downs)
        return {
            "pulses_up_total": float(ups),
            "pulses_down_total": float(downs),
            "pulses_p99": float(np.percentile(pulses, 99)),
            "pulses_max": float(pulses.max()),
        }


SINGLE = Cell()
"""The cell of one device."""
