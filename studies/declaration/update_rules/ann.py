"""Defines the float baseline, exact backpropagation (`rpu_ssnn.baselines.ann`)."""

from functools import partial
from typing import ClassVar, Literal

from rpu_ssnn.spec import Share, Spec
from studies.declaration.update_rules.base import NumbersRule, RunSettings, Train


class SgdSpec(Spec):
    """Adds the settings that only the float baseline has (`rpu_ssnn.baselines.ann`)."""

    loss: Literal["softmax_ce", "mse"] = "softmax_ce"
    momentum: Share = 0.9


class AnnRule(NumbersRule):
    """Trains the float network of the same layers by SGD with momentum."""

    rates: ClassVar[tuple[float, float] | None] = (0.01, 1.0)
    convolutions: ClassVar[bool] = True
    exact_gradients: ClassVar[bool] = True

    sgd: SgdSpec = SgdSpec()

    def training(self, settings: RunSettings, threads: int) -> Train:
        from rpu_ssnn.baselines.ann import AnnSpec, train_ann

        spec = AnnSpec(loss=self.sgd.loss, momentum=self.sgd.momentum, **self.of_numbers(settings))
        return partial(train_ann, spec, settings.network.hidden_layers, seed=settings.seed)
