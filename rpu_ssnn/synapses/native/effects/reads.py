"""Reads through converters and noise, as aihwkit's tiles have them, seeded."""

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.tile_spec import ReadSpec

Lines = Float32[np.ndarray, "batch n"]


class NativeReads:
    """Currents with output noise, resolution and bound, one array of devices after the other.

    Args:
        spec: noise and converters; the spikes are exact in any DAC.
        rng: of the noise, in the order of the reads.
    """

    def __init__(self, spec: ReadSpec, rng: np.random.Generator) -> None:
        self._spec, self.rng = spec, rng

    def currents(
        self,
        lines: Lines,
        seen: list[Weights],
        per_state: np.float32,
        offset: Weights | None,
        transposed: bool,
    ) -> Lines:
        """Currents of one slot's spikes, in units of the weights.

        Args:
            lines: 0 and 1 (or -1), [batch, n_lines].
            seen: states [n_lines, n_others], one array a device of a cell.
            per_state: weight of a state of 1.
            offset: weights that a reference line subtracts, which is read without error.
            transposed: whether lines are the outputs.
        """
        parts = [self._converted(lines @ part, transposed) for part in seen]
        state = parts[0] if len(parts) == 1 else (parts[0] - parts[1]) / 2
        current = per_state * state
        if offset is not None:
            current = current - lines @ offset
        result: Lines = current.astype(np.float32)
        return result

    def _converted(self, sums: Lines, transposed: bool) -> Lines:
        spec = self._spec
        bound = spec.adc_bound
        if transposed and spec.adc_bound_transposed is not None:
            bound = spec.adc_bound_transposed
        if spec.read_noise > 0.0:
            noise = self.rng.standard_normal(sums.shape, dtype=np.float32)
            sums = sums + np.float32(spec.read_noise) * noise
        if spec.adc_bits is not None and bound is not None:
            step = np.float32(2.0 * bound / (2**spec.adc_bits - 2))
            sums = np.rint(sums / step) * step
        return sums if bound is None else np.clip(sums, -bound, bound)
