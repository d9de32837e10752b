"""Reads through converters and with noise, as aihwkit's tiles have them, but seeded."""

import math
from typing import Self

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.common.parallel import one_blas_thread
from rpu_ssnn.spec.tile import ReadSpec, TileSpec
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.effects.device_read_noise import STATES_OF_RANGE
from rpu_ssnn.synapses.weights_of_states import of_cell

Lines = Float32[np.ndarray, "batch n"]


class NativeReads:
    """Computes read currents with noise, a resolution and a bound.

    Args:
        spec: noise and converters; the DAC does not matter, since spikes are exact in any.
        device_noise: standard deviation of each device's current in a read (states), at an input of
            1. These noises are independent and normal, so those of all lines add up to one normal
            number, whose variance is that of one device times the sum of the squared inputs. It is
            zero where devices differ in their noise.
        rng: draws the noise of all reads in order, including those of inference.
    """

    def __init__(self, spec: ReadSpec, device_noise: float, rng: np.random.Generator) -> None:
        self._spec, self._device_noise, self.rng = spec, np.float32(device_noise), rng

    @classmethod
    def of(cls, spec: TileSpec, in_parallel: int, seed: int) -> Self | None:
        """Returns the reads for these settings, or None where a read is an exact product with a
        matrix."""
        noise = spec.device_read_noise
        if spec.reads is None and not noise.is_white:
            return None
        white = STATES_OF_RANGE * noise.white_of_range / math.sqrt(in_parallel)
        rng = np.random.default_rng(seed)
        return cls(spec.reads or ReadSpec(), 0.0 if spec.lines.acts else white, rng)

    def currents(
        self,
        lines: Lines,
        seen: list[Weights],
        variances: list[Weights],
        per_state: np.float32,
        offset: Weights | None,
        transposed: bool,
    ) -> Lines:
        """Returns the currents of one slot's spikes, or of numbers, in units of the weights.

        Args:
            lines: [batch, n_lines]; spikes are 0 and 1 (or -1), numbers within +-1.
            seen: states [n_lines, n_others], one array per output line of a cell.
            variances: as `seen`, the variances of white noise in which devices differ; empty
                without it.
            per_state: weight of a state of 1.
            offset: weights that a reference line subtracts; it is read without error.
            transposed: whether lines are the outputs.
        """
        squares = np.square(lines)
        power = squares.sum(axis=1, keepdims=True)  # for spikes this is their number
        with one_blas_thread():
            sums = [lines @ part for part in seen]
            reference = None if offset is None else lines @ offset
            further = [squares @ part for part in variances] or [None] * len(seen)
        parts = zip(sums, further, strict=True)
        current = per_state * of_cell([self._converted(*p, power, transposed) for p in parts])
        if reference is not None:
            current = current - reference
        result: Lines = current.astype(np.float32)
        return result

    def _converted(
        self,
        sums: Lines,
        further: Lines | None,
        power: Float32[np.ndarray, "batch 1"],
        transposed: bool,
    ) -> Lines:
        spec = self._spec
        bound = spec.adc_bound
        if transposed and spec.adc_bound_transposed is not None:
            bound = spec.adc_bound_transposed
        if spec.read_noise > 0.0 or self._device_noise > 0.0 or further is not None:
            noise = self.rng.standard_normal(sums.shape, dtype=np.float32)
            deviation = np.hypot(np.float32(spec.read_noise), self._device_noise * np.sqrt(power))
            if further is not None:
                deviation = np.hypot(deviation, np.sqrt(further))
            sums = sums + deviation * noise
        if spec.adc_bits is not None and bound is not None:
            step = np.float32(2.0 * bound / (2**spec.adc_bits - 2))
            sums = np.rint(sums / step) * step
        return sums if bound is None else np.clip(sums, -bound, bound)
