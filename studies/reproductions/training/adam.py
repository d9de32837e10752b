"""Trains the float network by Adam (Kingma and Ba 2015)."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

import torch

from rpu_ssnn.baselines.ann import FloatNetwork


class AdamNetwork(FloatNetwork):
    """Trains by torch's Adam, with its defaults except for the step."""

    buffers: ClassVar[Mapping[str, str]] = {
        "exp_avg": "mean",
        "exp_avg_sq": "square",
        "step": "steps",
    }

    def optimiser(self, weights: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(weights, self._spec.learning_rate)
