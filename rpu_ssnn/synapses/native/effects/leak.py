"""Leak in seconds, at the times and with the roundings of `rpu_ssnn.synapses.leak`."""

import math

import numpy as np

from rpu_ssnn.synapses.array import DeviceSource
from rpu_ssnn.synapses.leak import LEAST_SHARE, built_seconds
from rpu_ssnn.synapses.native.population import OfDevices


class NativeLeak:
    """When devices decay, and how much of each is left then.

    Args:
        source: gives the time constant.
        built: share of each device that is left after `leak.built_seconds`.
        batch_seconds: physical time of one batch, idle time included.

    Attributes:
        batches: whose leak is still to come.
    """

    def __init__(self, source: DeviceSource, built: OfDevices, batch_seconds: float) -> None:
        tau = source.leak_time_constant_s
        self._acts = math.isfinite(tau)
        self._built, self._built_seconds = built, built_seconds(source)
        self._batch_seconds = batch_seconds
        self.batches = 0
        if self._acts:
            shortest = -math.log1p(-LEAST_SHARE) * tau
            self._batches_a_step = max(1, math.ceil(shortest / batch_seconds))
            self._shares = self._after(batch_seconds * self._batches_a_step)

    def end_batch(self) -> OfDevices | None:
        """Let the time of one batch pass; the shares left, where devices decay now."""
        if not self._acts:
            return None
        self.batches += 1
        if self.batches < self._batches_a_step:
            return None
        self.batches = 0
        return self._shares

    def wait(self, seconds: float) -> OfDevices | None:
        """Let any time (s) pass at once, with what batches have left; the shares left."""
        seconds += self.batches * self._batch_seconds
        if not self._acts or seconds == 0.0:
            return None
        self.batches = 0
        return self._after(seconds)

    def _after(self, seconds: float) -> OfDevices:
        power = seconds / self._built_seconds
        return (self._built.astype(np.float64) ** power).astype(np.float32)
