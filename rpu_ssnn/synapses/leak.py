"""Leak in seconds: physical time passes, and the devices of a tile decay as exp(-t / tau).

aihwkit removes a fixed share 1/lifetime of each weight when it is told to (`decay_weights`), and
keeps the factor 1 - share in single precision. Two things follow. A share far below 1 is rounded
(spacing below one: 6e-8), so short times are gathered until their leak shows. And a spread of
lifetimes is one of time constants only while the share is small, so devices are built for a short
time, each one's own factor is read back, and raised to the power that the elapsed time asks for.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from aihwkit.simulator.tiles import AnalogTile

from rpu_ssnn.synapses.aihwkit_tile import set_drawn
from rpu_ssnn.synapses.device_source import DeviceSource

LEAST_SHARE = 2e-5
"""Least share of a weight that one decay removes: the factor's rounding (3e-8) and the weight's
(3e-8 of its own size) then change a leak by less than 0.5 %."""

BUILT_SHARE = 1e-3
"""Time that devices are built for, in time constants: long enough for a factor precise to 3e-5 of
its leak, short enough that a spread of lifetimes is one of time constants within 0.1 %."""

NO_TIME = 1.0
"""Time (s) that a device without a leak is built for; any does."""


def built_seconds(source: DeviceSource) -> float:
    """Time (s) that a decay of freshly built devices stands for."""
    tau = source.leak_time_constant_s
    return NO_TIME if math.isinf(tau) else BUILT_SHARE * tau


class LeakSchedule:
    """When the devices of a crossbar decay, and for how much time at once.

    Attributes:
        acts: whether they leak at all.
        step_seconds: time of the batches that a decay stands for.
        batches: whose leak is still to come.
    """

    def __init__(self, time_constant_s: float, batch_seconds: float) -> None:
        self.acts = math.isfinite(time_constant_s)
        self._batch_seconds = batch_seconds
        self.batches = self._batches_a_step = 0
        if self.acts:
            shortest = -math.log1p(-LEAST_SHARE) * time_constant_s
            self._batches_a_step = max(1, math.ceil(shortest / batch_seconds))
        self.step_seconds = batch_seconds * self._batches_a_step

    def due_after_batch(self) -> float:
        """Let the time of one batch pass; time (s) that devices decay for now, or 0."""
        if not self.acts:
            return 0.0
        self.batches += 1
        if self.batches < self._batches_a_step:
            return 0.0
        self.batches = 0
        return self.step_seconds

    def due_after(self, seconds: float) -> float:
        """The same of any time (s), with what batches have left."""
        if not self.acts:
            return 0.0
        seconds += self.batches * self._batch_seconds
        self.batches = 0
        return seconds


class Leak:
    """The leak of the tiles of one crossbar.

    Args:
        source: gives the time constant.
        tiles: made from `source.device(built_seconds(source))`.
        batch_seconds: physical time of one batch, idle time included.
    """

    def __init__(
        self, source: DeviceSource, tiles: Sequence[AnalogTile], batch_seconds: float
    ) -> None:
        self.schedule = LeakSchedule(source.leak_time_constant_s, batch_seconds)
        self._tiles = tiles
        self._built_seconds = built_seconds(source)
        if self.schedule.acts:
            self._built = [_factors(tile) for tile in tiles]
            self._set_time(self.schedule.step_seconds)

    def end_batch(self) -> bool:
        """Let the time of one batch pass; whether the weights decayed now."""
        return self._decay(self.schedule.due_after_batch())

    def wait(self, seconds: float) -> bool:
        """Let any time (s) pass at once; whether weights decayed."""
        return self._decay(self.schedule.due_after(seconds))

    def _decay(self, seconds: float) -> bool:
        if seconds == 0.0:
            return False
        usual = seconds == self.schedule.step_seconds
        if not usual:
            self._set_time(seconds)
        for tile in self._tiles:
            tile.tile.decay_weights(1.0)
        if not usual:
            self._set_time(self.schedule.step_seconds)
        return True

    def _set_time(self, seconds: float) -> None:
        """What a decay stands for from here on."""
        power = seconds / self._built_seconds
        for tile, built in zip(self._tiles, self._built, strict=True):
            hidden = tile.get_hidden_parameters()
            for name, factor in built.items():
                hidden[name] = torch.from_numpy((factor**power).astype(np.float32))
            set_drawn(tile, hidden)


def _factors(tile: AnalogTile) -> dict[str, np.ndarray]:
    """Each device's factor of one decay; one array for each device of a cell."""
    hidden = tile.get_hidden_parameters()
    return {
        name: values.numpy().astype(np.float64)
        for name, values in hidden.items()
        if name.startswith("decay_scales")
    }
