"""Defines the settings of the delta rule that learns image by image, and is fast to import."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.spec import Positive, Spec

Bits = Annotated[int, Field(ge=1, le=16)]
Signed = Annotated[float, Field(ge=-1.0, le=1.0)]


class OnlineSpec(Spec):
    """Gives neurons, loss and start of a network that learns image by image.

    The defaults are those of NeuroSim's perceptron, but with exact computation: sigmoid neurons in
    both layers, squared error, a constant learning rate.
    """

    activation: Literal["sigmoid", "relu"] = Field("sigmoid", description="of the hidden neurons")
    loss: Literal["mse", "softmax_ce"] = Field(
        "mse", description="loss; `mse` is the sum of squared errors of sigmoid outputs"
    )
    layer_rates: tuple[Positive, ...] = Field(
        (), description="factor on the learning rate of each layer; empty: 1 for all"
    )
    read_gain: Positive = Field(
        1.0,
        description="factor on every weighted sum; errors and weight changes leave it out, as "
        "NeuroSim's do",
    )
    hidden_bits: Bits | None = Field(
        None,
        description="resolution of hidden values as the next layer's reads see them (1: on or "
        "off, at one half); errors and weight changes take the exact value",
    )
    weight_unit: Literal["he", "one"] = Field(
        "he", description="unit of the weight range: He deviations, or a weight of 1 in each layer"
    )
    initial_levels: Annotated[int, Field(ge=2, le=65536)] | None = Field(
        None,
        description="number of equally likely initial weights, evenly spaced from end to end of "
        "the weight range; None: He initialisation",
    )

    @model_validator(mode="after")
    def _bits_have_a_range(self) -> Self:
        if self.hidden_bits is not None and self.activation == "relu":
            raise ValueError("hidden_bits needs activation: sigmoid, whose values end at 1")
        return self


class WholePulseSpec(OnlineSpec):
    """Adds the settings of a rule that changes weights by whole numbers of pulses."""

    rounding: Literal["nearest", "stochastic"] = Field(
        "nearest", description="with `nearest`, a change below half a pulse is lost"
    )
    pulses_up: Annotated[float, Field(ge=1.0, le=1e7)] | None = Field(
        None,
        description="number of up pulses that the controller assumes for the whole range; None: "
        "the range over the device's mean step at state 0",
    )
    pulses_down: Annotated[float, Field(ge=1.0, le=1e7)] | None = Field(
        None, description="the same for down pulses; None: as pulses_up"
    )
    sum_bits: Bits | None = Field(
        None,
        description="bits of a converter whose range is the largest current of a column (all "
        "inputs at 1); current and reference current are each rounded down; None: exact",
    )
    initial_offset: Signed = Field(
        0.0, description="error of the first write, added to all initial weights (share of range)"
    )
