"""Settings of the control, as validated data; light to import."""

from typing import Annotated, Literal

from pydantic import Field

from rpu_ssnn.spec import Contrast, InitialScale, Positive, Share, Spec
from rpu_ssnn.spec.tile import TileSpec

READS_A_PRESENTATION = 2
"""The slots of a presentation in addition to its pulses: the forward and the transposed read."""


class PulseTrainSpec(Spec):
    """The settings of a pulse train, of the neurons and of the schedule.

    The trains are those of aihwkit's `UpdateParameters`.
    """

    activation: Literal["relu", "sigmoid"] = "relu"
    """The activation of the hidden neurons; the output is softmax with cross-entropy."""

    train_length: Annotated[int, Field(ge=1, le=1000)] = 31
    """The largest number of slots of a stochastic pulse train (aihwkit's `desired_bl`)."""

    update_management: bool = True
    """Whether x and d are scaled so that both trains are equally full."""

    length_management: bool = True
    """Whether trains are no longer than the update needs (aihwkit's `update_bl_management`)."""

    schedule: Literal["linear", "constant"] = "linear"
    """With `linear` the learning rate falls to zero over the epochs, as that of the float network;
    with `constant` it stays, as in aihwkit's AnalogSGD without a scheduler."""


class AnalogSgdSpec(Spec):
    """Plain SGD in devices; the step starts at `learning_rate` and follows the schedule of the
    trains.

    The learning rate is that of gradient descent on the weights: it does not depend on the weight
    range. There is no momentum, since a device holds nothing but the weight.
    """

    trains: PulseTrainSpec = PulseTrainSpec()
    tile: TileSpec = TileSpec()
    learning_rate: Positive = 0.5
    epochs: Annotated[int, Field(ge=0)] = 10
    batch: Annotated[int, Field(ge=1)] = 50
    dropout_input: Share = 0.0
    dropout_hidden: Share = 0.0
    contrast: Contrast = "none"
    initial_scale: InitialScale = 1.0

    at_once: bool = False
    """Whether the replicas of a kernel work at the same time (`NetworkSpec.positions`)."""
