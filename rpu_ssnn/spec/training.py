"""Settings of a training, and of the noise that stands for stochastic products."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.spec.base import Share, Spec

Schedule = Literal["slot", "presentation", "batch"]

RATES_NEED_PRESENTATIONS = "Eq. 9 multiplies counts of whole presentations: presentation or batch"
"""Why rate updates refuse the schedule `slot`."""


class TrainingSpec(Spec):
    """How the network is trained; the meaning of the learning rate is in `rpu_ssnn.synapses`."""

    epochs: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    batch: Annotated[int, Field(ge=1, le=100_000)] = 50
    """Presentations a batch."""

    decay_shape: Literal["geometric", "linear"] = "geometric"
    """How the step falls from epoch to epoch (on a tile, the share of the gradient spikes that
    thinning leaves). geometric: by the factor `decay`; linear: by equal parts, to 1 / epochs of
    the first in the last, and `decay` is left out."""

    decay: Annotated[float, Field(ge=1e-6, le=1.0)] = 0.85
    """Factor on the step after each epoch; on a tile, on the thinning."""

    schedule: Schedule = "batch"
    """When changed weights are seen by the reads: after each slot (the hardware's way), each
    presentation or each batch."""

    output_step: Annotated[float, Field(ge=1e-3, le=1e3)] = 1.0
    """Factor on the step of the output layer; hidden layers keep the learning rate. Many classes
    want more than 1 (docs/findings/algorithm.md, Many classes)."""

    dropout_input: Share = 0.0
    dropout_hidden: Share = 0.0

    @model_validator(mode="after")
    def _linear_takes_no_factor(self) -> Self:
        if self.decay_shape == "linear" and self.decay != type(self).model_fields["decay"].default:
            raise ValueError(f"decay {self.decay} is not used where decay_shape is linear")
        return self

    def step_scale(self, epoch: int) -> float:
        """Step in an epoch over that in the first, epoch 0 (also asked for where `epochs` is 0)."""
        if self.decay_shape == "linear":
            return 1.0 - epoch / max(self.epochs, 1)
        return self.decay**epoch


class SurrogateSpec(Spec):
    """Gaussian noise on Eq. 9 as a model of the error of stochastic products (Fig. 4, 7, 8).

    A coincidence train of T_s slots estimates a product p of two rates with variance
    p (1 - p) / T_s (units: spikes a slot, squared). Noise is drawn once a weight change (a batch,
    or a presentation under that schedule), with the variance summed over the presentations behind
    it and both streams.
    """

    T_s: Annotated[float, Field(ge=1e-3, le=1e9)]
    """Slots of the stochastic product that the noise stands for."""

    size: Literal["by_product", "pooled"] = "by_product"
    """By_product: each product its own variance, so a zero product gets none; pooled: every
    product, zero or not, that of Fig. 4's grid of 2,500 products together."""
