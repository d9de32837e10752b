"""Crossbars of numbers instead of spikes, in aihwkit's tiles or in native devices."""

import math
from abc import abstractmethod

import numpy as np
import torch
from aihwkit.simulator.configs import UpdateParameters
from aihwkit.simulator.parameters.enums import PulseType
from jaxtyping import Float32

from rpu_ssnn.baselines.control_settings import READS_A_PRESENTATION, AnalogSgdSpec
from rpu_ssnn.baselines.convolution import Patches
from rpu_ssnn.baselines.number_trains import Numbers, TrainLaw, number_trains
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.spec import Connection
from rpu_ssnn.synapses.base import Crossbar, Synapses, Weights, normal_weights
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses

SeedPair = tuple[np.random.SeedSequence, np.random.SeedSequence]
"""The seeds of the initial weights and of the devices of one crossbar."""


class NumberLayer(Synapses):
    """Trains one crossbar by plain gradient descent, for a dense layer or a convolution.

    The patches of an image come one after the other, each as its own row of numbers, as in
    aihwkit's `AnalogConv2d`. Layers are [n, lines].
    """

    patches: Patches

    def outputs(self, x: Numbers) -> Numbers:
        """Returns x W, through the converters where the reads have any."""
        return self.patches.chosen(self._read(self.patches.rows(torch.from_numpy(x)))).numpy()

    def errors_below(self, d: Numbers) -> Numbers:
        """Returns d W^T, through the converters where the reads have any."""
        spread = self.patches.spread(torch.from_numpy(d))
        return self.patches.added(self._read(spread, transposed=True)).numpy()

    def _read(self, rows: torch.Tensor, transposed: bool = False) -> torch.Tensor:
        weights = self.linear_read()
        if weights is None:
            return torch.from_numpy(self.currents(rows.numpy(), transposed))
        # The caller has set the threads of torch, which multiplies the matrices.
        return rows @ torch.from_numpy(weights.T if transposed else weights)

    def learn(self, x: Numbers, d: Numbers) -> None:
        """Sends the trains of W - learning_rate x^T d, row by row; x is 0 or above."""
        rows = self.patches.rows(torch.from_numpy(x)).numpy()
        self.learn_rows(rows, self.patches.spread(torch.from_numpy(d)).numpy())

    @abstractmethod
    def learn_rows(self, x: Numbers, d: Numbers) -> None:
        """Sends the trains of these rows of input and output lines."""

    @abstractmethod
    def weights(self) -> Weights:
        """Returns the signed weights that the devices stand for, [n_in, n_out]."""


class AihwkitLayer(TileSynapses, NumberLayer):
    """Trains a crossbar in a tile of aihwkit, which draws the trains.

    Args:
        connection: the connection of the layers.
        crossbar: that of `number_crossbar`.
        device: the device, which must not remember its pulses.

    Raises:
        InputError: see `rpu_ssnn.spec.tile.check_device`.
    """

    def __init__(
        self, connection: Connection, crossbar: Crossbar, device: DeviceSource, spec: AnalogSgdSpec
    ) -> None:
        self.patches = Patches(connection)
        trains = UpdateParameters(
            desired_bl=spec.trains.train_length,
            fixed_bl=True,
            update_management=spec.trains.update_management,
            update_bl_management=spec.trains.length_management,
            pulse_type=PulseType.STOCHASTIC_COMPRESSED,
        )
        super().__init__(crossbar, device, spec.tile, spec.learning_rate, trains)

    def set_step_scale(self, scale: float) -> None:
        """Scales the learning rate, relative to the first; numbers need no thinning."""
        self.keep = 1.0
        for tile in self.tiles:
            tile.set_learning_rate(float(self._wanted_step * scale / self._per_state))

    def learn_rows(self, x: Numbers, d: Numbers) -> None:
        """Sends the trains; the second device of a pair gets its own, of the opposite sign."""
        lines, errors = torch.from_numpy(x), torch.from_numpy(d)
        for sign, tile in zip((1.0, -1.0), self.tiles, strict=False):
            tile.update(lines, sign * errors)
        self._rows_sent += len(x)
        self._stale = True

    def statistics(self) -> dict[str, float]:
        """Counts devices, saturation and leak; aihwkit counts the pulses of trains on GPUs only
        (NaN)."""
        counts = super().statistics()
        kept = ("devices_total", "saturated_total", "initial_clipped_total", "leak_steps")
        blank = dict.fromkeys(("pulses_up_total", "pulses_down_total"), math.nan)
        return {name: counts[name] for name in kept} | blank | {"device_step": self.device_step}


class NativeLayer(NativeSynapses, NumberLayer):
    """Trains a crossbar in native devices, seeded and with every effect that devices have under
    spikes.

    The trains go into the same pulse blocks as spikes, so devices and effects see no difference.
    Both devices of a pair get the same trains, in opposite directions.

    Args:
        connection: the connection of the layers.
        crossbar: that of `number_crossbar`.

    Raises:
        InputError: see `NativeSynapses`.
    """

    def __init__(
        self, connection: Connection, crossbar: Crossbar, device: DeviceSource, spec: AnalogSgdSpec
    ) -> None:
        self.patches = Patches(connection)
        super().__init__(crossbar, device, spec.tile, spec.learning_rate)
        self._positions, self._arrays = crossbar.positions, crossbar.arrays
        trains = spec.trains
        self._law = TrainLaw(
            longest=trains.train_length,
            balanced=trains.update_management,
            shortened=trains.length_management,
            lead=READS_A_PRESENTATION,
            key=self._rng.integers(2**64, dtype=np.uint64),
        )

    def set_step_scale(self, scale: float) -> None:
        """Scales the learning rate, relative to the first; numbers need no thinning."""
        self.keep, self._step = 1.0, self._wanted_step * scale

    def currents(self, lines: Numbers, transposed: bool = False) -> Numbers:
        """Reads numbers as aihwkit's converters do, which scale the largest number of a row to
        1."""
        converted, scale = self._converted(lines)
        current: Numbers = scale * super().currents(converted, transposed)
        return current

    def learn_rows(self, x: Numbers, d: Numbers) -> None:
        first = self._clock.batch_began // self._clock.slots * self._positions
        steps = self._step / self.device_step
        block = number_trains(self._law, x, d, steps, first, self.needs_all_spikes)
        image, position = np.divmod(block.sample, np.int32(self._positions))
        began = position // np.int32(self._arrays) * np.int32(self._law.lead + self._law.longest)
        self.update(block._replace(sample=image, slot=began + block.slot))
        self.commit(range(len(x) // self._positions))

    def statistics(self) -> dict[str, float]:
        """Returns the numbers of `NativeSynapses.statistics` except those about thinned trains."""
        without = ("step_wanted", "thinning", "thinning_last")
        return {n: value for n, value in super().statistics().items() if n not in without}

    def _converted(self, numbers: Numbers) -> tuple[Numbers, Float32[np.ndarray, "batch 1"]]:
        """Returns numbers within +-1 as the DAC gives them, and their scale."""
        scale = np.abs(numbers).max(axis=1, keepdims=True)
        lines = numbers / np.where(scale > 0, scale, np.float32(1.0))
        bits = None if self.spec.reads is None else self.spec.reads.dac_bits
        if bits is not None:
            step = np.float32(2.0 / (2**bits - 2))
            lines = np.rint(lines / step) * step
        return lines, scale


def number_layer(
    connection: Connection, device: DeviceSource, spec: AnalogSgdSpec, cycles: int, seeds: SeedPair
) -> NumberLayer:
    """Returns a layer in the simulator that the tile asks for.

    Args:
        cycles: the patches that an image takes, one after the other (`slot_cycles`).

    Raises:
        InputError: the layer refuses the device or the settings.
    """
    made = NativeLayer if spec.tile.simulator == "native" else AihwkitLayer
    return made(connection, number_crossbar(connection, spec, cycles, seeds), device, spec)


def number_crossbar(
    connection: Connection, spec: AnalogSgdSpec, cycles: int, seeds: SeedPair
) -> Crossbar:
    """Returns the crossbar of such a layer, with weights of He initialisation and a threshold of 1.

    All crossbars of a network exist for the same time: in each cycle, a patch has its reads and a
    train, and a crossbar with fewer patches waits.
    """
    he_std = math.sqrt(2.0 / connection.shape[0])
    return Crossbar(
        initial=normal_weights(connection, spec.initial_scale * he_std, seeds[0]),
        theta=1.0,
        he_std=he_std,
        gain=float(spec.batch),  # the errors are means over the batch already
        T=1,
        slots=(spec.trains.train_length + READS_A_PRESENTATION) * cycles,
        batch=spec.batch,
        seed=int(seeds[1].generate_state(1, np.uint64)[0]),
        positions=connection.positions,
        replicas=connection.replicas,
        at_once=spec.at_once,
    )
