"""The settings of imperfect neuron circuits, validated and frozen."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.spec.base import InSingle, Positive, Share, Spec

# Ranges: wider than those of any circuit that learns. They are assumptions.
Spread = Annotated[float, Field(ge=0.0, le=1.0), InSingle]
Chance = Annotated[float, Field(ge=0.0, le=0.5), InSingle]
Slots = Annotated[int, Field(ge=0, le=1000)]


class CircuitSpec(Spec):
    """Describes the imperfections of the neurons' circuits, which are perfect by default.

    Forward neurons have all of them, and so have the two gradient neurons of each unit; in a
    convolution every position has its own neurons. Spreads are drawn once from the trial's seed.
    Input lines and the wires of the winner-take-all output stay perfect, and so do label relays
    except for their delay.

    >>> CircuitSpec(threshold_spread=0.05).acts
    True
    """

    neurons: Literal["all", "forward", "gradient"] = "all"
    """The neurons that are imperfect; all others are perfect."""

    threshold_spread: Spread = 0.0
    """The standard deviation of the threshold from neuron to neuron, as a share of it. The two
    gradient neurons of a unit share one draw. No threshold falls below a tenth of the nominal
    one."""

    threshold_noise: Spread = 0.0
    """The standard deviation of the threshold from spike to spike, as a share of it."""

    threshold_drift: Spread = 0.0
    """How far thresholds drift in 100,000 training images: the standard deviation from neuron to
    neuron of the relative change. Each neuron drifts evenly and in its own direction."""

    polarity_spread: Spread = 0.0
    """The mismatch of the positive and the negative gradient neuron of a unit: the standard
    deviation, from unit to unit, of the difference of their thresholds, as a share of the nominal
    one. It biases every weight of the unit."""

    gain_spread: Spread = 0.0
    """The standard deviation of the integrator's gain from neuron to neuron, as a share of it."""

    input_offset: Spread = 0.0
    """The standard deviation from neuron to neuron of a constant input, in thresholds per slot."""

    reset_rest: Share = 0.0
    """The share of the threshold that a reset leaves on the membrane."""

    saturation: Annotated[float, Field(ge=1.0, le=1e6)] | None = None
    """The largest absolute value of a membrane, relative to the level at which the neuron fires;
    null means no limit."""

    leak_time_constant_s: Positive | None = None
    """The time (s) in which a membrane falls to 1/e of its value; null means no leak."""

    slot_seconds: Annotated[float, Field(ge=1e-15, le=10.0)] = 5e-7
    """The length of a slot (s), which the leak needs; in a device it is the tile's."""

    refractory_slots: Slots = 0
    """The number of slots after a spike in which the neuron does not fire, and loses its input."""

    delay_slots: Slots = 0
    """The number of slots by which a spike leaves the neuron late (its comparator's delay)."""

    relay_delay_slots: Slots = 0
    """The number of slots by which each label relay (`gradient.relay`) sends late. Label spikes
    that arrive after the last slot of the presentation are lost."""

    missed: Chance = 0.0
    """The probability that a spike is lost: the membrane falls back, and nothing is sent. Then a
    winner-take-all output (`inhibition.clocked`) spikes less than its label, and the error does not
    vanish."""

    spurious: Chance = 0.0
    """The probability that a neuron sends a spike in a slot for no reason. Its membrane stays as it
    is, and a gradient neuron sends nothing before its unit's first forward spike."""

    dead_share: Spread = 0.0
    """The share of the neurons that never fire."""

    always_share: Spread = 0.0
    """The share of the neurons that fire in every slot."""

    @property
    def acts(self) -> bool:
        """Returns whether a setting makes neurons imperfect."""
        return self.model_dump(exclude={"neurons", "slot_seconds"}) != PERFECT

    @model_validator(mode="after")
    def _neurons_have_one_fate(self) -> Self:
        if self.dead_share + self.always_share > 1.0:
            raise ValueError("always_share and dead_share must be at most 1 together")
        return self


PERFECT = CircuitSpec().model_dump(exclude={"neurons", "slot_seconds"})
"""The settings of perfect neurons."""
