"""Settings of a training, and of the noise that stands in for stochastic products."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec.base import Share, Spec

Schedule = Literal["slot", "presentation", "batch"]

RATES_NEED_PRESENTATIONS = "must be presentation or batch, as Eq. 9 counts whole presentations"
"""Rate updates refuse the schedule `slot` with these words."""


class TrainingSpec(Spec):
    """Says how the network is trained; `rpu_ssnn.synapses` says what the learning rate means.

    >>> TrainingSpec(epochs=4, decay_shape="linear").step_scale(3)
    0.25
    """

    epochs: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    """The number of passes over the training images."""

    batch: Annotated[int, Field(ge=1, le=100_000)] = 50
    """The number of presentations in a batch."""

    decay_shape: Literal["geometric", "linear"] = "geometric"
    """How the step falls from epoch to epoch (in a tile, the share of the gradient spikes that
    thinning leaves): by the factor `decay` each time (`geometric`), or by equal parts down to 1 /
    epochs of the first step in the last epoch (`linear`, which leaves `decay` out)."""

    decay: Annotated[float, Field(ge=1e-6, le=1.0)] = 0.85
    """The factor on the step after each epoch; in a tile, the factor on the thinning."""

    schedule: Schedule = "batch"
    """When the reads see changed weights: after each slot (the hardware's way), each presentation
    or each batch."""

    output_step: Annotated[float, Field(ge=1e-3, le=1e3)] = 1.0
    """The factor on the step of the output layer; hidden layers keep the learning rate. With many
    classes more than 1 trains better (docs/findings/algorithm.md, Many classes)."""

    dropout_input: Share = 0.0
    """The share of input lines that are silent in a presentation."""

    dropout_hidden: Share = 0.0
    """The share of hidden neurons that are silent in a presentation."""

    @model_validator(mode="after")
    def _linear_takes_no_factor(self) -> Self:
        if self.decay_shape == "linear" and self.decay != type(self).model_fields["decay"].default:
            allowed = "must be left out with decay_shape: linear, which does not use it"
            raise InputError("training", "decay", self.decay, allowed)
        return self

    def step_scale(self, epoch: int) -> float:
        """Returns the step in an epoch over that in epoch 0, which exists even if `epochs` is 0."""
        if self.decay_shape == "linear":
            return 1.0 - epoch / max(self.epochs, 1)
        return self.decay**epoch


class SurrogateSpec(Spec):
    """Adds Gaussian noise to Eq. 9 as a model of the error of stochastic products (Fig. 4, 7, 8).

    A coincidence train of T_s slots estimates a product p of two rates with variance p (1 - p) /
    T_s (in spikes per slot, squared). The noise is drawn once for each change of the weights (a
    batch, or a presentation under that schedule), with the variance summed over the presentations
    of that change and both streams.
    """

    T_s: Annotated[float, Field(ge=1e-3, le=1e9)] = 50.0
    """The number of slots of the stochastic product that the noise stands in for."""

    size: Literal["by_product", "pooled"] = "by_product"
    """With `by_product` each product has its own variance, so that a zero product gets no noise;
    with `pooled` every product, zero or not, has that of Fig. 4's grid of 2,500 products
    together."""
