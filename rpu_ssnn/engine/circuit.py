"""The imperfections of a network's neurons (`rpu_ssnn.spec.CircuitSpec`), as arrays.

There are three banks of neurons: the forward ones, and the positive and the negative gradient
neurons. Coupled gradient neurons share a membrane, and the positive bank then holds both.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt64

from rpu_ssnn.common.training_state import State, checked
from rpu_ssnn.spec import CircuitSpec

BANKS = 3
# numba would compile a function again for each plain int that it is given.
FORWARD, POSITIVE, NEGATIVE = (cast(int, np.int64(bank)) for bank in range(BANKS))
UP, DOWN = (cast(int, np.int64(direction)) for direction in range(2))
"""The directions in which a membrane may cross a threshold."""

LEAST_THRESHOLD = 0.1
"""No threshold falls below this share of the nominal one."""

DRIFT_IMAGES = 100_000
"""The number of training images to which `CircuitSpec.threshold_drift` refers."""

type Thresholds = Float64[np.ndarray, "banks directions neurons"]
type BankValues = Float32[np.ndarray, "banks neurons"]
type Fates = UInt64[np.ndarray, "banks directions blocks"]


class Circuit(NamedTuple):
    """Holds the circuits of all neurons, in the order of `WorkerState.membrane`."""

    forward: bool
    """This is True if forward neurons are imperfect."""
    gradient: bool
    threshold: Float32[np.ndarray, "banks directions neurons"]
    """The amount by which a spike up, or down, moves the membrane back; infinite where none can
    occur."""
    gain: BankValues
    offset: BankValues
    """A constant input per slot."""
    limit: BankValues
    """The largest absolute value of a membrane."""
    dead: Fates
    """These flags mark neurons that never fire."""
    always: Fates
    """These flags mark neurons that fire in every slot."""
    noise: np.float32
    keep_of_threshold: np.float32
    """The share of the threshold that a spike takes off the membrane."""
    leak: np.float32
    """The factor on a membrane per slot."""
    refractory: int
    delay: int
    missed: np.float64
    spurious: np.float64


class Circuits(NamedTuple):
    """Holds the state of circuits in the presentation that a worker runs."""

    drawn: Circuit
    key: UInt64[np.ndarray, "1"]
    """The presentation's key for random numbers."""
    last: Int32[np.ndarray, "banks neurons"]
    """The slot of each neuron's last spike."""
    jitter: Float32[np.ndarray, "banks neurons"]
    """Each neuron's threshold until its next spike, relative to the drawn one."""
    late: UInt64[np.ndarray, "banks directions blocks delay"]
    """Flags of spikes that have not yet left their neurons."""


@dataclass(frozen=True)
class DrawnCircuit:
    """Holds a circuit, and lets its thresholds drift.

    Attributes:
        nominal: thresholds without a spread, of the shape of `Circuit.threshold`.
        spread: the deviation drawn for each threshold, as a share of the nominal one.
        drift: the change of that share in `DRIFT_IMAGES` training images.
        images: training images so far.
    """

    circuit: Circuit
    nominal: Thresholds
    spread: Thresholds
    drift: Thresholds
    images: Int64[np.ndarray, "1"] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    def age(self, images: int) -> None:
        """Moves the thresholds by their drift over `images` more training images."""
        self.images[:] += images
        share = 1.0 + self.spread + self.drift * (self.images / DRIFT_IMAGES)
        self.circuit.threshold[:] = self.nominal * np.maximum(share, LEAST_THRESHOLD)

    def state(self) -> State:
        """Returns what training has changed."""
        return {"images": self.images.copy()}

    def restore(self, state: State) -> None:
        """Continues from a state, and raises a StateError if it belongs to another circuit."""
        self.images[:] = 0
        self.age(int(checked(state, self.state())["images"][0]))


def draw_circuit(
    spec: CircuitSpec,
    forward: Float64[np.ndarray, " neurons"],
    gradient: Float64[np.ndarray, " neurons"],
    *,
    pairs: bool,
    cycles: int,
    seed: np.random.SeedSequence,
) -> DrawnCircuit:
    """Draws the circuits of a network's neurons, including the padding of blocks.

    Args:
        forward, gradient: nominal thresholds of all neurons.
        pairs: whether gradient neurons are coupled.
        cycles: number of cycles of a slot, each of which is `slot_seconds` long.
        seed: determines the draws; those of one setting do not depend on the other settings.
    """
    n = len(forward)
    common, polarity, drifts, gains, offsets, fates = map(np.random.default_rng, seed.spawn(6))
    nominal = np.stack([np.stack([level] * 2) for level in (forward, gradient, gradient)])
    if not pairs:
        nominal[:, DOWN] = np.inf
    nominal[FORWARD, DOWN] = np.inf
    drift = np.repeat(_unit_draws(drifts, n, spec.threshold_drift)[:, None], 2, axis=1)
    level = np.stack([forward, gradient * (0.5 if pairs else 1.0), gradient])
    level[NEGATIVE] = level[POSITIVE]
    offset = _unit_draws(offsets, n, spec.input_offset) * np.stack([forward, gradient, gradient])
    offset[NEGATIVE] *= -1.0
    uniform = fates.random((BANKS, n))
    dead, always = uniform < spec.dead_share, uniform >= 1.0 - spec.always_share
    limit = np.inf if spec.saturation is None else spec.saturation
    leak = spec.slot_seconds * cycles / (spec.leak_time_constant_s or np.inf)
    drawn = Circuit(
        forward=spec.acts and spec.neurons != "gradient",
        gradient=spec.acts and spec.neurons != "forward",
        threshold=nominal.astype(np.float32),
        gain=(1.0 + _unit_draws(gains, n, spec.gain_spread)).astype(np.float32),
        offset=offset.astype(np.float32),
        limit=(limit * level).astype(np.float32),
        dead=_flags(dead, pairs=pairs),
        always=_flags(always, pairs=pairs),
        noise=np.float32(spec.threshold_noise),
        keep_of_threshold=np.float32(1.0 - spec.reset_rest),
        leak=np.float32(np.exp(-leak)),
        refractory=spec.refractory_slots,
        delay=spec.delay_slots,
        missed=np.float64(spec.missed),
        spurious=np.float64(spec.spurious),
    )
    circuit = DrawnCircuit(drawn, nominal, _spread(spec, n, common, polarity), drift)
    circuit.age(0)
    return circuit


def _spread(
    spec: CircuitSpec, n: int, common: np.random.Generator, polarity: np.random.Generator
) -> Thresholds:
    """Draws the deviation of each threshold, as a share of the nominal one."""
    half = 0.5 * spec.polarity_spread * polarity.standard_normal(n)
    spread = np.repeat(_unit_draws(common, n, spec.threshold_spread)[:, None], 2, axis=1)
    spread[POSITIVE] += np.stack([half, -half])
    spread[NEGATIVE] -= half
    return spread


def _unit_draws(
    rng: np.random.Generator, n: int, deviation: float
) -> Float64[np.ndarray, "banks n"]:
    """Returns one draw for each forward neuron, and one that two gradient neurons share."""
    return deviation * rng.standard_normal((2, n))[[0, 1, 1]]


def _flags(chosen: Bool[np.ndarray, "banks n"], *, pairs: bool) -> Fates:
    """Returns the flags of the chosen neurons, for each direction of their membrane."""
    packed = np.packbits(chosen, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    down = np.zeros_like(packed)
    if pairs:
        down[POSITIVE] = packed[NEGATIVE]
    return np.stack([packed, down], axis=1)
