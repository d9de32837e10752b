"""Defines the delta rule on float weights, image by image, to compare with `whole_pulse_sgd`."""

from functools import partial
from typing import Any, ClassVar, Self

from pydantic import Field

from rpu_ssnn.common.errors import require
from rpu_ssnn.spec import NetworkSpec, Positive, TrainingSpec
from studies.common.settings import canonical
from studies.declaration.update_rules.base import NumbersRule, RunSettings, Train, all_but, changed
from studies.reproductions.training.one_by_one_spec import OnlineSpec


class OneByOneRule(NumbersRule):
    """Changes weights after each image. A batch is one image, and the learning rate is constant."""

    without_effect: ClassVar[tuple[str, ...]] = all_but(
        "network.hidden", "network.layers", "network.encoding.contrast", "training.epochs"
    )
    rates: ClassVar[tuple[float, float] | None] = (0.03, 3.0)

    online: OnlineSpec = OnlineSpec()

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        rates, layers = self.online.layer_rates, len(network.hidden) + 1
        allowed, fits = f"must have one factor for each of the {layers} layers, or none", len(rates)
        require(fits in (0, layers), "study", "online.layer_rates", list(rates), allowed)
        return super().prepared(network, training)

    def decisive(self) -> dict[str, Any]:
        return super().decisive() | {"online": changed(self.online)}

    def columns(self) -> dict[str, Any]:
        return super().columns() | {"online": canonical(changed(self.online))}

    def trained_with(self, settings: RunSettings, **weights: Any) -> Train:
        """Returns the function that trains the network of these settings.

        Args:
            weights: the arguments of `train_image_by_image` about the weights or devices.
        """
        from studies.reproductions.training.one_by_one import train_image_by_image

        return partial(
            train_image_by_image,
            self.online,
            settings.network.hidden,
            seed=settings.seed,
            learning_rate=self.rate(),
            epochs=settings.training.epochs,
            contrast=settings.network.encoding.contrast,
            **weights,
        )


class OnlineSgdRule(OneByOneRule):
    """Changes float weights exactly after each image, which needs those that the last one left."""

    weight_bound: Positive | None = Field(
        None, description="weights stay within this, in online.weight_unit; None: no bound"
    )

    def columns(self) -> dict[str, Any]:
        bound = {} if self.weight_bound is None else {"weight_bound": self.weight_bound}
        return {"online": canonical(changed(self.online) | bound)}

    def training(self, settings: RunSettings, threads: int) -> Train:
        return self.trained_with(settings, weight_bound=self.weight_bound)
