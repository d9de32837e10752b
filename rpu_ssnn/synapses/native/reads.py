"""What reads of native devices see: exact weights, or currents with noise and through converters.

Noise and converters are those of aihwkit's tiles, but seeded.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.common.parallel import one_blas_thread
from rpu_ssnn.spec.tile import ReadSpec
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.synapses.native.device_array import STATES_OF_RANGE, DeviceArray, conductance
from rpu_ssnn.synapses.native.effects.effect import Effect
from rpu_ssnn.synapses.native.setup import Setup
from rpu_ssnn.synapses.weights_of_states import cell_mean

LineValues = Float32[np.ndarray, "batch n"]


class NativeReads:
    """Reads the devices of one crossbar.

    Args:
        setup: gives noise and converters; the DAC does not matter, since spikes are exact in any.
        array: the devices.
        effects: those that act on the devices.

    Attributes:
        linear: whether a read is a matrix product, without converters and white noise.
        rng: draws the noise of all reads in order, including those of inference.
    """

    def __init__(self, setup: Setup, array: DeviceArray, effects: Sequence[Effect]) -> None:
        spec, self._noise = setup.spec, setup.spec.device_read_noise
        self._array, self._effects = array, effects
        self._reads, self._zero = spec.reads or ReadSpec(), spec.reference.zero
        self.linear = spec.reads is None and not self._noise.is_white
        self.rng = np.random.default_rng(int(setup.keys.reads))
        # The noises of devices are independent and normal, so those of all lines add up to one
        # normal number, whose variance is that of one device times the sum of the squared inputs.
        # Resistive lines let devices differ in their noise.
        white = STATES_OF_RANGE * self._noise.white_of_range / math.sqrt(array.in_parallel)
        self._device_noise = np.float32(0.0 if spec.lines.acts else white)
        self._seen: list[tuple[Weights, Weights | None]] | None = None

    def errors(self) -> list[list[Weights]]:
        """Returns the errors that each effect with `Effect.read_errors` adds to the states on the
        output lines of a weight, [n_in, n_out] each."""
        by_effect = (effect.read_errors() for effect in self._effects)
        return [self._array.lines(errors) for errors in by_effect if errors]

    def weights(self) -> Weights:
        """Returns the weights that an exact read sees."""
        weights = self._array.weights()
        for errors in self.errors():
            weights = weights + self._array.cells.per_state * cell_mean(errors)
        return weights

    def forget(self) -> None:
        """Lets the next read see the states that devices then have."""
        self._seen = None

    def currents(self, lines: LineValues, transposed: bool) -> LineValues:
        """Returns the currents of one slot's spikes, or of numbers, in units of the weights.

        Reads see the states of the first read after `forget`; pulses may have been applied since.

        Args:
            lines: [batch, n_lines]; spikes are 0 and 1 (or -1), numbers within +-1.
            transposed: whether lines are the outputs.
        """
        array, offset = self._array, self._array.offset()
        if self._seen is None:
            self._seen = self._states_and_variances()

        def through(signals: LineValues, part: Weights) -> LineValues:
            product: LineValues = signals @ (part.T if transposed else part)
            return product

        squares = np.square(lines)
        power = squares.sum(axis=1, keepdims=True)  # for spikes this is their number
        with one_blas_thread():
            sums = [
                (through(lines, states), None if variance is None else through(squares, variance))
                for states, variance in self._seen
            ]
            reference = None if offset is None else through(lines, offset)
        converted = [self._converted(*each, power, transposed) for each in sums]
        current = array.cells.per_state * cell_mean(converted)
        if reference is not None:  # the reference line is read without error
            current = current - reference
        result: LineValues = current.astype(np.float32)
        return result

    def _states_and_variances(self) -> list[tuple[Weights, Weights | None]]:
        """Returns, for each output line of a weight, the states that a read sees, and the variance
        of the white noise where devices differ in it: by their current, or by the share of the
        voltage that the lines let through."""
        array, noise, shares = self._array, self._noise, self._array.read_shares
        seen = array.seen()
        for errors in self.errors():
            seen = [line + error for line, error in zip(seen, errors, strict=True)]
        if not (noise.white_of_current or (shares is not None and noise.white_of_range)):
            return [(line, None) for line in seen]
        currents = [conductance(states, self._zero) for states in array.states()]
        variances = [np.square(noise.white_of_current * current) for current in currents]
        if shares is not None:
            of_range = np.float32((STATES_OF_RANGE * noise.white_of_range) ** 2)
            each = zip(shares.devices, variances, strict=True)
            variances = [np.square(share) * (of_range + variance) for share, variance in each]
        of_lines = [part / np.float32(array.in_parallel) for part in array.lines(variances)]
        return list(zip(seen, of_lines, strict=True))

    def _converted(
        self,
        sums: LineValues,
        variances: LineValues | None,
        power: Float32[np.ndarray, "batch 1"],
        transposed: bool,
    ) -> LineValues:
        reads = self._reads
        bound = reads.adc_bound
        if transposed and reads.adc_bound_transposed is not None:
            bound = reads.adc_bound_transposed
        if reads.read_noise > 0.0 or self._device_noise > 0.0 or variances is not None:
            noise = self.rng.standard_normal(sums.shape, dtype=np.float32)
            deviation = np.hypot(np.float32(reads.read_noise), self._device_noise * np.sqrt(power))
            if variances is not None:
                deviation = np.hypot(deviation, np.sqrt(variances))
            sums = sums + deviation * noise
        if reads.adc_bits is not None and bound is not None:
            step = np.float32(2.0 * bound / (2**reads.adc_bits - 2))
            sums = np.rint(sums / step) * step
        return sums if bound is None else np.clip(sums, -bound, bound)
