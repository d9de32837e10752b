"""Reads through converters and with noise, as aihwkit's tiles have them, but seeded."""

import math
from itertools import zip_longest

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.common.parallel import one_blas_thread
from rpu_ssnn.spec.tile import ReadSpec, TileSpec
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.effects.device_read_noise import STATES_OF_RANGE
from rpu_ssnn.synapses.weights_of_states import cell_mean

LineValues = Float32[np.ndarray, "batch n"]


class NativeReads:
    """Computes read currents with noise, a resolution and a bound.

    Args:
        spec: noise and converters; the DAC does not matter, since spikes are exact in any.
        in_parallel: devices on one output line of a weight, whose mean is read.
        seed: determines the noise of all reads in order, including those of inference.
    """

    def __init__(self, spec: TileSpec, in_parallel: int, seed: int) -> None:
        self._spec, self.rng = spec.reads or ReadSpec(), np.random.default_rng(seed)
        # The noises of devices are independent and normal, so those of all lines add up to one
        # normal number, whose variance is that of one device times the sum of the squared inputs.
        # Resistive lines let devices differ in their noise.
        white = STATES_OF_RANGE * spec.device_read_noise.white_of_range / math.sqrt(in_parallel)
        self._device_noise = np.float32(0.0 if spec.lines.acts else white)

    def currents(
        self,
        lines: LineValues,
        seen: list[Weights],
        variances: list[Weights],
        per_state: np.float32,
        offset: Weights | None,
        transposed: bool,
    ) -> LineValues:
        """Returns the currents of one slot's spikes, or of numbers, in units of the weights.

        Args:
            lines: [batch, n_lines]; spikes are 0 and 1 (or -1), numbers within +-1.
            seen: states [n_in, n_out], one array per output line of a cell.
            variances: as `seen`, the variances of white noise in which devices differ; empty
                without it.
            per_state: weight of a state of 1.
            offset: weights that a reference line subtracts; it is read without error.
            transposed: whether lines are the outputs.
        """

        def through(signals: LineValues, part: Weights) -> LineValues:
            product: LineValues = signals @ (part.T if transposed else part)
            return product

        squares = np.square(lines)
        power = squares.sum(axis=1, keepdims=True)  # for spikes this is their number
        with one_blas_thread():
            sums = [through(lines, part) for part in seen]
            reference = None if offset is None else through(lines, offset)
            further = [through(squares, part) for part in variances]
        parts = zip_longest(sums, further)
        current = per_state * cell_mean([self._converted(*p, power, transposed) for p in parts])
        if reference is not None:
            current = current - reference
        result: LineValues = current.astype(np.float32)
        return result

    def _converted(
        self,
        sums: LineValues,
        variances: LineValues | None,
        power: Float32[np.ndarray, "batch 1"],
        transposed: bool,
    ) -> LineValues:
        spec = self._spec
        bound = spec.adc_bound
        if transposed and spec.adc_bound_transposed is not None:
            bound = spec.adc_bound_transposed
        if spec.read_noise > 0.0 or self._device_noise > 0.0 or variances is not None:
            noise = self.rng.standard_normal(sums.shape, dtype=np.float32)
            deviation = np.hypot(np.float32(spec.read_noise), self._device_noise * np.sqrt(power))
            if variances is not None:
                deviation = np.hypot(deviation, np.sqrt(variances))
            sums = sums + deviation * noise
        if spec.adc_bits is not None and bound is not None:
            step = np.float32(2.0 * bound / (2**spec.adc_bits - 2))
            sums = np.rint(sums / step) * step
        return sums if bound is None else np.clip(sums, -bound, bound)
