"""Leak in seconds: physical time passes, and the devices of a tile decay as exp(-t / tau).

aihwkit removes a fixed share 1/lifetime of each weight on request (`decay_weights`), and keeps the
factor 1 - share in single precision. Two things follow. A share far below 1 is rounded (spacing
below one: 6e-8), so short times are gathered until their leak shows. And a spread of lifetimes is a
spread of time constants only while the share is small, so devices are built for a short time, and
the factor of each is read back and raised to the power that the elapsed time needs.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from aihwkit.simulator.tiles import AnalogTile

from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.synapses.tiles.tile import built_seconds, set_drawn

LEAST_SHARE = 2e-5
"""The least share of a weight that one decay removes: the factor's rounding (3e-8) and the weight's
(3e-8 of its own size) then change a leak by less than 0.5 %."""


class DecayTimes:
    """Tells when the devices of one crossbar decay, and for what time.

    Args:
        tau: time constant (s) of the devices, infinite without a leak.
        batch_seconds: physical time of one batch, idle time included.

    Attributes:
        batches: number of batches whose leak is still to come.
        step_seconds: the time (s) that a decay after batches stands for.
    """

    def __init__(self, tau: float, batch_seconds: float) -> None:
        self.acts, self._batch_seconds, self.batches = math.isfinite(tau), batch_seconds, 0
        shortest = -math.log1p(-LEAST_SHARE) * tau if self.acts else 0.0
        self._batches_a_step = max(1, math.ceil(shortest / batch_seconds))
        self.step_seconds = batch_seconds * self._batches_a_step

    def end_batch(self) -> bool:
        """Lets the time of one batch pass, and says whether the devices decay now."""
        self.batches += self.acts
        ended = self.batches >= self._batches_a_step
        self.batches = 0 if ended else self.batches
        return ended

    def wait(self, seconds: float) -> float:
        """Lets time (s) pass; returns it plus what batches have left, or 0 if nothing decays."""
        seconds += self.batches * self._batch_seconds
        self.batches = 0
        return seconds if self.acts else 0.0


class Leak:
    """Applies the leak of the tiles of one crossbar.

    Args:
        source: gives the time constant.
        tiles: made from `source.device(built_seconds(source))`.
        batch_seconds: physical time of one batch, idle time included.
    """

    def __init__(
        self, source: DeviceSource, tiles: Sequence[AnalogTile], batch_seconds: float
    ) -> None:
        self.times = DecayTimes(source.leak_time_constant_s, batch_seconds)
        self._tiles, self._built_seconds = tiles, built_seconds(source)
        if self.times.acts:
            self._built = [_factors(tile) for tile in tiles]
            self._set_time(self.times.step_seconds)

    def end_batch(self) -> bool:
        """Lets the time of one batch pass, and says whether the weights decayed now."""
        decays = self.times.end_batch()
        if decays:
            self._decay()
        return decays

    def wait(self, seconds: float) -> bool:
        """Lets any time (s) pass, with what batches have left, and says whether weights decayed."""
        passed = self.times.wait(seconds)
        if passed > 0.0:
            self._set_time(passed)
            self._decay()
            self._set_time(self.times.step_seconds)
        return passed > 0.0

    def _set_time(self, seconds: float) -> None:
        """Sets the time (s) that one decay represents from here on."""
        power = seconds / self._built_seconds
        for tile, built in zip(self._tiles, self._built, strict=True):
            hidden = tile.get_hidden_parameters()
            for name, factor in built.items():
                hidden[name] = torch.from_numpy((factor**power).astype(np.float32))
            set_drawn(tile, hidden)

    def _decay(self) -> None:
        for tile in self._tiles:
            tile.tile.decay_weights(1.0)


def _factors(tile: AnalogTile) -> dict[str, np.ndarray]:
    """Returns each device's factor of one decay, one array for each device of a cell."""
    hidden = tile.get_hidden_parameters()
    return {
        name: values.numpy().astype(np.float64)
        for name, values in hidden.items()
        if name.startswith("decay_scales")
    }
