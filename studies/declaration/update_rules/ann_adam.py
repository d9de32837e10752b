"""The float baseline with a tuned optimiser: Adam (Kingma and Ba 2015) in place of SGD."""

from __future__ import annotations

from typing import ClassVar, Literal

from studies.declaration.update_rules.ann import FloatMethod, ann_spec, float_training
from studies.declaration.update_rules.base import (
    NUMBERS_READ,
    IdealCase,
    RunSettings,
    SgdSpec,
    Train,
)


class AnnAdamCase(IdealCase):
    """The float baseline, trained by Adam."""

    rule: ClassVar[str] = "ann_adam"
    reads: ClassVar[tuple[str, ...] | None] = NUMBERS_READ

    update: Literal["ann_adam"]


class AnnAdamMethod(FloatMethod):
    """Trained by torch's Adam with its defaults but for the step, which falls linearly to zero;
    softmax cross-entropy."""

    rates: ClassVar[tuple[float, float] | None] = (0.0003, 0.01)

    update: Literal["ann_adam"] = "ann_adam"

    def training(self, settings: RunSettings, threads: int) -> Train:
        spec = ann_spec(self.of_numbers(settings), SgdSpec())
        return float_training(spec.model_copy(update={"optimiser": "adam"}), settings)
