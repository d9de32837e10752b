"""What the devices of one crossbar are built from, and the seeds of everything that is drawn."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.common.errors import require
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import Crossbar


class Seeds(NamedTuple):
    """Holds the seed of each thing that is drawn; the first four are those of `TileSynapses`."""

    devices: np.random.SeedSequence
    stuck: np.random.SeedSequence
    reference: np.random.SeedSequence
    thinning: np.random.SeedSequence
    noise: np.random.SeedSequence
    line_spread: np.random.SeedSequence
    effects: np.random.SeedSequence


class NoiseKeys(NamedTuple):
    """Holds the key of each noise."""

    pulses: np.uint64
    writes: np.uint64
    start: np.uint64
    """The key of the pulses of a pulsed start."""
    reads: np.uint64


@dataclass(frozen=True)
class Setup:
    """Holds what a crossbar of native devices is built from.

    Attributes:
        crossbar: the crossbar that the layer needs, and the threads that it lends.
        device: the device in which the layer is built.
        spec: the settings of the array.
    """

    crossbar: Crossbar
    device: DeviceSource
    spec: TileSpec

    @property
    def shape(self) -> tuple[int, int]:
        """Returns (n_in, n_out)."""
        return self.crossbar.initial.shape

    @property
    def seeds(self) -> Seeds:
        """Returns the seeds, new at each call, since a seed remembers what it has spawned."""
        return Seeds(*np.random.SeedSequence(self.crossbar.seed).spawn(len(Seeds._fields)))

    @property
    def keys(self) -> NoiseKeys:
        """Returns the keys of the noise."""
        return NoiseKeys(*self.seeds.noise.generate_state(len(NoiseKeys._fields), np.uint64))

    @property
    def tile_signs(self) -> Float32[np.ndarray, " tiles"]:
        """Returns the sign with which each tile of aihwkit would enter the weight: there are two
        where a weight is a differential pair."""
        pair = self.device.cell.pair or self.spec.reference.scheme == "differential_pair"
        return np.array([1.0, -1.0][: 2 if pair else 1], dtype=np.float32)

    @property
    def slot_s(self) -> float:
        """Returns the length of a slot (s), which is stretched to the shortest one that a device
        with a memory of its pulses allows."""
        physics = self.device.pulse_physics
        return max(self.spec.slot_seconds, 0.0 if physics is None else physics.shortest_slot_s)

    @property
    def batch_seconds(self) -> float:
        """Returns the physical time of one batch (s), idle time included."""
        crossbar = self.crossbar
        return self.spec.batch_seconds(crossbar.batch, crossbar.slots, self.slot_s)

    def refuse_several_arrays(self, name: str) -> None:
        """Refuses replicas that work at the same time, for settings that act on the lines of one
        array.

        Args:
            name: the key of the settings in `tile`.

        Raises:
            InputError: the crossbar consists of several arrays.
        """
        allowed = (
            f"must be serial (or replicas 1), since tile.{name} acts on the lines of one array"
        )
        require(self.crossbar.arrays == 1, "network", "positions", "at_once", allowed)
