"""Defines the delta rule on float weights, image by image, to compare with `whole_pulse_sgd`."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

from pydantic import Field

from rpu_ssnn.common.errors import require
from rpu_ssnn.spec import NetworkSpec, Positive, TrainingSpec
from studies.common.settings import canonical
from studies.declaration.update_rules.base import NumbersRule, RunSettings, Train, all_but, changed
from studies.reproductions.training.one_by_one_spec import OnlineSpec

WITHOUT_BATCHES = all_but(
    "network.hidden", "network.layers", "network.encoding.contrast", "training.epochs"
)
"""These settings have no effect if a batch is one image and the learning rate is constant."""


class OnlineSgdRule(NumbersRule):
    """Changes float weights exactly after each image, which needs those that the last one left."""

    without_effect: ClassVar[tuple[str, ...]] = WITHOUT_BATCHES
    rates: ClassVar[tuple[float, float] | None] = (0.03, 3.0)

    online: OnlineSpec = OnlineSpec()
    weight_bound: Positive | None = Field(
        None, description="weights stay within this, in online.weight_unit; None: no bound"
    )

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        check_layers(self.online, network)
        return super().prepared(network, training)

    def decisive(self) -> dict[str, Any]:
        return super().decisive() | {"online": changed(self.online)}

    def columns(self) -> dict[str, Any]:
        bound = {} if self.weight_bound is None else {"weight_bound": self.weight_bound}
        return {"online": canonical(changed(self.online) | bound)}

    def training(self, settings: RunSettings, threads: int) -> Train:
        weights = {"weight_bound": self.weight_bound}
        return one_by_one(self.online, self.rate(), weights, settings)


def check_layers(online: OnlineSpec, network: NetworkSpec) -> None:
    """Refuses `layer_rates` unless there is one for each layer.

    Raises:
        InputError: there are more or fewer rates than layers.
    """
    rates, layers = online.layer_rates, len(network.hidden) + 1
    allowed = f"must have one factor for each of the {layers} layers, or none"
    require(not rates or len(rates) == layers, "study", "online.layer_rates", list(rates), allowed)


def one_by_one(
    spec: OnlineSpec, learning_rate: float, weights: dict[str, Any], settings: RunSettings
) -> Train:
    """Returns the function that trains the network of these settings, one image after another.

    Args:
        weights: the arguments of `train_image_by_image` about the weights or devices.
    """
    from studies.reproductions.training.one_by_one import train_image_by_image

    return partial(
        train_image_by_image,
        spec,
        settings.network.hidden,
        seed=settings.seed,
        learning_rate=learning_rate,
        epochs=settings.training.epochs,
        contrast=settings.network.encoding.contrast,
        **weights,
    )
