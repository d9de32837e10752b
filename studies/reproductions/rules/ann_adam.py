"""Defines the float baseline with a tuned optimiser, Adam (Kingma and Ba 2015) instead of SGD."""

from functools import partial
from typing import ClassVar

from studies.declaration.update_rules.base import NumbersRule, RunSettings, Train


class AdamRule(NumbersRule):
    """Trains the float network by torch's Adam with softmax cross-entropy. All settings of Adam are
    the defaults except for the step, which falls linearly to zero."""

    rates: ClassVar[tuple[float, float] | None] = (0.0003, 0.01)
    convolutions: ClassVar[bool] = True
    exact_gradients: ClassVar[bool] = True

    def training(self, settings: RunSettings, threads: int) -> Train:
        from rpu_ssnn.baselines.ann import AnnSpec, train_ann
        from studies.reproductions.training.adam import AdamNetwork

        spec, layers = AnnSpec(**self.of_numbers(settings)), settings.network.hidden_layers
        return partial(train_ann, spec, layers, seed=settings.seed, kind=AdamNetwork)
