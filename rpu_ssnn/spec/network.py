"""Settings of a network.

Every number that the paper (Biswas et al., SSNN-BP) leaves open is a field here, with its
default and its effect. Symbols of the paper: T the slots an image is shown, tau the time
constant of the Spike Response kernel (Eq. 3), theta, theta_b and theta_N the thresholds of the
forward, hidden-gradient and output-gradient neurons.

Weights are in units of the threshold current: a weight W adds W to the membrane that fires at
theta. He initialisation (He et al., ICCV 2015) is scaled by theta, so that a unit rate gives a unit
gain.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.spec.base import SMALLEST_NORMAL, InSingle, Spec
from rpu_ssnn.spec.layers import ConvLayer, Layer, Neurons
from rpu_ssnn.spec.neuron_circuit import CircuitSpec

MOST_SLOTS = 2_000_000
"""The largest number of slots of one presentation, including the flush."""

MOST_TAU = 1e7
"""The longest time constant in slots; with a longer one the kernel would not decay in single
precision."""

# Ranges of the neurons: far wider than in any network that learns, and small enough for sums in
# single precision. They are assumptions.
Threshold = Annotated[float, Field(ge=1e-3, le=1e6)]
KernelFraction = Annotated[float, Field(ge=1e-4, le=1e3)]
Gain = Annotated[float, Field(ge=1e-6, le=1e6)]
Strength = Annotated[float, Field(ge=0.0, le=1e3), InSingle]
Flush = Annotated[float, Field(ge=0.0, le=1e4), InSingle]
Slots = Annotated[int, Field(ge=1, le=1_000_000)]
InitialScale = Annotated[float, Field(ge=1e-3, le=10.0)]
MOST_LAYERS = 32

Contrast = Literal["none", "on_off", "signed", "complement"]
"""What an input line carries: a pixel, its distance above or below its mean or zero, or its
complement to 1."""


class NeuronSpec(Spec):
    """Describes the composite spiking neuron (Eq. 1, 3, 4, 5).

    >>> NeuronSpec(theta=10.0).theta_b
    2.0
    """

    theta: Threshold = 5.0
    """The forward threshold theta (the paper's 5)."""

    theta_b: Threshold = 2.0
    """The threshold of the hidden gradient branches. It amplifies the gradient spikes by
    theta/theta_b, and the step of the layer below is divided by that factor. With coupled branches
    and random starts, any value up to theta trains equally well; a high one lets opposite errors
    cancel in the membrane instead of in the device, and 0.1 saturates at one spike per slot."""

    theta_n: Threshold = 1.0
    """The threshold theta_N of the output error (Eq. 6, 7)."""

    kernel_fraction: KernelFraction = 0.1
    """The kernel's time constant tau over T (the paper's 1/10)."""

    reset: Literal["subtract", "zero"] = "subtract"
    """At a spike the membrane falls by its threshold (`subtract`), or to rest (`zero`, which loses
    what exceeds the threshold)."""

    random_start: bool = True
    """Whether membranes start at a random fraction of their threshold, which makes spike counts
    unbiased, instead of at rest."""

    circuit: CircuitSpec = CircuitSpec()
    """The imperfections of the neurons' circuits, which are perfect by default."""


class EncodingSpec(Spec):
    """Says how values and labels become spike trains (Section 3.1).

    >>> EncodingSpec(contrast="on_off").input_rate
    0.4
    """

    trains: Literal["poisson", "regular"] = "poisson"
    """With `poisson` each input line spikes in each slot by chance (the paper's way). With
    `regular` each line integrates its rate from a random start and spikes at 1, as a neuron does,
    so that its count is the rate's to within one spike. The label train is always Poisson."""

    input_rate: Annotated[float, Field(gt=0.0, le=1.0), InSingle] = 0.4
    """The average number of spikes per slot of a white pixel (the paper's 0.3 to 0.5)."""

    front_loading: Annotated[float, Field(ge=0.0, le=1.0), InSingle] = 1.0
    """At 1 the rate falls linearly from twice its average to 0; at 0 it is flat."""

    label_rate: Annotated[float, Field(gt=0.0, le=1.0), InSingle] = 0.5
    """The average number of spikes per slot of the label train of the correct class."""

    label_front_loading: Annotated[float, Field(ge=0.0, le=1.0), InSingle] | None = None
    """The front loading of the label train; null means that of the input."""

    contrast: Contrast = "none"
    """With `none` a pixel has one input line. With `on_off` it has two, for its distance above and
    below its mean over the training images, which removes what all images have in common; this
    helps on dense images (Fashion-MNIST), not on sparse ones (MNIST). With `signed` it has two, for
    its positive and its negative part. With `complement` it has two, for its value and for the rest
    to full rate, which data with few features need, since neurons have no bias. The float baseline
    gets the same lines."""

    @model_validator(mode="after")
    def _peak_rates_are_probabilities(self) -> Self:
        label = self.front_loading if self.label_front_loading is None else self.label_front_loading
        for name, rate, loading in (
            ("input_rate", self.input_rate, self.front_loading),
            ("label_rate", self.label_rate, label),
        ):
            if rate * (1.0 + loading) > 1.0:
                raise ValueError(
                    f"{name} {rate} peaks at {rate * (1.0 + loading):.3g} spikes per slot with "
                    f"front loading {loading}; {name} x (1 + front loading) must be at most 1"
                )
        return self


class GradientSpec(Spec):
    """Sets the timing of split gradient streams (Eq. 4 to 8); the defaults are causal and local.

    The literal reading of the paper is `LITERAL_GRADIENT`: switch="first_spike",
    branches="unbounded", relay=False and flush=0.

    >>> GradientSpec(delay=2.5).switch
    'hold'
    """

    switch: Literal["hold", "first_spike"] = "hold"
    """With `hold` gradient membranes integrate from slot 0, and only their firing waits for the
    neuron's first forward spike. With `first_spike` they fire from the start, and the spikes before
    it are lost (Eq. 4 and 5 to the letter)."""

    branches: Literal["coupled", "floored", "unbounded"] = "coupled"
    """With `coupled` a spike of one branch also resets the other; both fire at half the threshold
    and start uniformly around rest. With `floored` no membrane falls below rest. `unbounded` is Eq.
    4 and 5 to the letter."""

    relay: bool = True
    """Whether the label train passes one unit-gain neuron for every crossbar, so that it arrives
    when the output does."""

    flush: Flush = 3.0
    """How long everything runs on after the image ends, in kernel constants tau; 3 is enough for
    one hidden layer. These slots take time, and the column `slots` counts them."""

    delay: Annotated[float, Field(ge=0.0, le=100.0)] = 0.0
    """How long the forward spikes of a crossbar wait for its gradient, in kernel constants tau for
    each crossbar above it; the hardware is a shift register on each line. Waiting helps with two or
    more hidden layers, where 2 to 3.5 make no measurable difference. Eq. 9 counts whole trains,
    which need not wait. Reads do not wait, so a slot reads and writes different spikes."""

    halving: Gain = 0.5
    """The factor 1/2 of Eq. 8, which is a gain on the step."""


LITERAL_GRADIENT = GradientSpec(switch="first_spike", branches="unbounded", relay=False, flush=0.0)


class InhibitionSpec(Spec):
    """Sets lateral inhibition of the output layer (Eq. 2), by wires of fixed, exact strength.

    >>> InhibitionSpec(clocked=True).strength
    0.0
    """

    strength: Strength = 0.0
    """The weight W_inh in thresholds from each output to every other; 0 means no inhibition."""

    passes: Annotated[int, Field(ge=0, le=8)] = 0
    """At 0 inhibition acts inside the time loop, from each spike onto the other membranes, with a
    floor at rest. At n > 0 Eq. 2 is iterated n times, as n further layers of output neurons."""

    clocked: bool = False
    """Whether the winner takes all: each spike of the label line, whatever its class, lets the one
    output with the highest membrane spike and holds the others back. Rates are then the sparsemax
    of the raw ones, for which the error of Eq. 6 and 7 is the exact gradient. In inference the line
    keeps spiking, without a class. This replaces strength and passes."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.clocked and (self.strength or self.passes):
            raise ValueError("clocked takes the place of strength and passes: leave these out")
        return self


class NetworkSpec(Spec):
    """Describes an SSNN-BP network of dense and convolutional layers; data give input and output.

    >>> spec = NetworkSpec(hidden=(64,), T=50)
    >>> spec.tau, spec.slots
    (5.0, 65)
    """

    hidden: Annotated[tuple[Neurons, ...], Field(max_length=MOST_LAYERS)] = (256,)
    """The number of neurons of each hidden layer. Two layers train better with
    `inhibition.clocked`; studies refuse three without it, since with the default output their rates
    run away (docs/findings/algorithm.md, Depth). Coincidences and devices lose accuracy without
    `gradient.delay`."""

    layers: Annotated[tuple[Layer, ...], Field(max_length=MOST_LAYERS)] | None = None
    """In place of `hidden`, hidden layers of which some are convolutions:
    `[{conv: {kernel: 5, stride: 2, channels: 12}}, 300]` (keys of section `ConvSpec`)."""

    positions: Literal["serial", "at_once"] = "serial"
    """How the positions of a convolution share a slot. With `serial` its only array serves them one
    after the other, each in its own cycle of `slot_seconds`. With `at_once` the replicas of a
    kernel are separate arrays that work at the same time, so a slot takes positions / replicas
    cycles. The layer with the most cycles sets their number. Only the arrays of a chip and what
    depends on time are affected: the length of an image, leak, and devices that remember pulses."""

    T: Slots = 50
    """The number of slots that an image is shown."""

    inference_T: Slots | None = None
    """The number of slots that an image is shown at inference, with the same kernel; null means T.
    More slots reduce the noise of the answer, and cost nothing in training. Validation images are
    shown for as long."""

    initial_scale: InitialScale = 1.0
    """The factor on the initial weights of every crossbar (1 is He initialisation), whichever rule
    trains them. Small weights (0.3) help with many classes. A coarse device whose down step is the
    larger one does not learn from much smaller weights."""

    neuron: NeuronSpec = NeuronSpec()
    encoding: EncodingSpec = EncodingSpec()
    gradient: GradientSpec = GradientSpec()
    inhibition: InhibitionSpec = InhibitionSpec()

    @model_validator(mode="before")
    @classmethod
    def _layers_take_the_place_of_hidden(cls, content: Any) -> Any:
        """Turns a list of only dense layers into `hidden`, and empties `hidden` beside
        convolutions."""
        if not isinstance(content, dict) or content.get("layers") is None:
            return content
        hidden, layers = content.get("hidden", ()), content["layers"]
        if hidden not in ((), [], (256,), [256]):
            raise InputError("network", "hidden", hidden, "must be left out with layers")
        dense = isinstance(layers, list | tuple) and all(type(n) is int and n > 0 for n in layers)
        if dense and layers:
            return {**content, "hidden": layers, "layers": None}
        return {**content, "hidden": ()}

    @model_validator(mode="after")
    def _is_within_the_precision_of_the_pass(self) -> Self:
        where, neuron, gradient = "network", self.neuron, self.gradient
        given = "hidden" if self.layers is None else "layers"
        require(self.hidden_layers, where, given, [], "must have at least one layer")
        allowed = f"must give a time constant of at most {MOST_TAU:g} slots, not {self.tau:g}"
        field = "neuron.kernel_fraction"
        require(self.tau <= MOST_TAU, where, field, neuron.kernel_fraction, allowed)
        allowed = f"must give at most {MOST_SLOTS} slots per presentation"
        require(self.slots <= MOST_SLOTS, where, "gradient.flush", gradient.flush, allowed)
        fits = self.at_inference.slots <= MOST_SLOTS
        require(fits, where, "inference_T", self.inference_T, allowed)
        least = len(self.hidden_layers) + 2
        allowed = f"must give at least {least} slots, in which spikes reach the last layer"
        require(self.slots >= least, where, "T", self.T, allowed)
        require(self.at_inference.slots >= least, where, "inference_T", self.inference_T, allowed)
        allowed = (
            f"must be smaller: spikes that wait {self.delays[0]} slots meet no gradient within the "
            f"{self.slots} slots of a presentation"
        )
        require(self.delays[0] < self.slots, where, "gradient.delay", gradient.delay, allowed)
        late, field = neuron.circuit.relay_delay_slots, "neuron.circuit.relay_delay_slots"
        is_used = gradient.relay or late == 0
        require(is_used, where, field, late, "must be 0 without gradient.relay")
        for gain in self.gains():
            allowed = (
                f"must keep the factor on each step within single precision; with "
                f"{len(self.hidden_layers)} hidden layers one is {gain:g}"
            )
            holds = SMALLEST_NORMAL < gain < 1 / SMALLEST_NORMAL
            require(holds, where, "neuron.theta_b", neuron.theta_b, allowed)
        return self

    @property
    def hidden_layers(self) -> tuple[int | ConvLayer, ...]:
        """Returns all hidden layers: neurons of a dense one, or a convolution."""
        return self.hidden if self.layers is None else self.layers

    def dense_layers(self, who: str) -> tuple[int, ...]:
        """Returns the neurons of each hidden layer, for callers that take dense layers only.

        Args:
            who: the caller, as the refusal names it.

        Raises:
            InputError: a layer is a convolution.
        """
        allowed = f"must be dense layers, since {who} has no convolutions"
        require(self.layers is None, "network", "layers", "conv", allowed)
        return self.hidden

    @property
    def tau(self) -> float:
        """Returns the time constant of the kernel (slots)."""
        return self.neuron.kernel_fraction * self.T

    @property
    def slots(self) -> int:
        """Returns all slots of one presentation, including the flush."""
        return self.T + round(self.gradient.flush * self.tau)

    @property
    def at_inference(self) -> "NetworkSpec":
        """Returns the network as it is at inference: with `inference_T` in place of T, and tau as
        in training."""
        if self.inference_T is None:
            return self
        neuron = {"kernel_fraction": self.tau / self.inference_T}
        changed = {"T": self.inference_T, "inference_T": None}
        return self.model_copy(update={**changed, "neuron": self.neuron.model_copy(update=neuron)})

    @property
    def delays(self) -> tuple[int, ...]:
        """Returns the number of slots that the forward spikes of each crossbar wait for its
        gradient."""
        layer = self.gradient.delay * self.tau
        return tuple(round(layer * above) for above in range(len(self.hidden_layers), -1, -1))

    def gains(self) -> tuple[float, ...]:
        """Returns the factor on the step of each layer that makes its spike counts exact
        backpropagation.

        The gradient spikes of the output count error / theta_N; each hidden layer below multiplies
        by theta / theta_b. The exact step undoes both and carries Eq. 8's factor.
        """
        out = self.neuron.theta_n * self.gradient.halving
        ratio = self.neuron.theta_b / self.neuron.theta
        return tuple(out * ratio**depth for depth in range(len(self.hidden_layers), -1, -1))
