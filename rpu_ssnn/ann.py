"""The float baseline: the same layers as a conventional network, trained by backpropagation."""

from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from pydantic import Field
from torch import nn

from rpu_ssnn.data import Dataset
from rpu_ssnn.spec import Positive, Share, Spec


class AnnSpec(Spec):
    """A ReLU network with dropout, trained by SGD with momentum on the pixel shares.

    The step falls linearly from `learning_rate` to zero over the epochs.
    """

    loss: Literal["softmax_ce", "mse"] = "softmax_ce"
    epochs: Annotated[int, Field(ge=0)] = 10
    batch: Annotated[int, Field(ge=1)] = 50
    learning_rate: Positive = 0.1
    momentum: Share = 0.9
    dropout_input: Share = 0.0
    dropout_hidden: Share = 0.0


class TrainedAnn:
    """A trained float network."""

    def __init__(self, model: "_Layers", grey_max: int) -> None:
        self._model, self._grey_max = model, grey_max

    @property
    def weights(self) -> list[Float32[np.ndarray, "n_in n_out"]]:
        """Of each layer, on pixel shares in [0, 1]."""
        return [w.detach().numpy().T.copy() for w in self._model.weights]

    def accuracy(self, images: UInt8[np.ndarray, "n pixels"], labels: np.ndarray) -> float:
        """Share of images whose largest output is their label."""
        if not len(labels):
            return float("nan")
        self._model.eval()
        with torch.no_grad():
            output = self._model(torch.from_numpy(_shares(images, self._grey_max)))
        return float((output.argmax(dim=1).numpy() == labels).mean())


def train_ann(spec: AnnSpec, hidden: tuple[int, ...], data: Dataset, *, seed: int) -> TrainedAnn:
    """Train the baseline on the training images; everything random follows from the seed."""
    generator = torch.Generator().manual_seed(seed)
    order_rng = np.random.default_rng(seed)
    sizes = (data.train_images.shape[1], *hidden, data.n_classes)
    model = _Layers(sizes, spec, generator)
    optimiser = torch.optim.SGD(model.parameters(), spec.learning_rate, spec.momentum)
    images = torch.from_numpy(_shares(data.train_images, data.grey_max))
    labels = torch.from_numpy(data.train_labels)
    steps = max(spec.epochs * -(-len(labels) // spec.batch), 1)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 1.0 / steps, steps)
    for _ in range(spec.epochs):
        order = torch.from_numpy(order_rng.permutation(len(labels)))
        for chosen in torch.split(order, spec.batch):
            optimiser.zero_grad()
            output = model(images[chosen])
            if spec.loss == "softmax_ce":
                loss = nn.functional.cross_entropy(output, labels[chosen])
            else:
                target = nn.functional.one_hot(labels[chosen], data.n_classes).float()
                loss = 0.5 * (output - target).square().sum(dim=1).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return TrainedAnn(model, data.grey_max)


class _Layers(nn.Module):
    """Linear layers (He initialisation, no bias, as in the spiking network) with ReLU between."""

    def __init__(self, sizes: tuple[int, ...], spec: AnnSpec, generator: torch.Generator) -> None:
        super().__init__()
        self.weights = nn.ParameterList(
            torch.randn(n_out, n_in, generator=generator) * (2.0 / n_in) ** 0.5
            for n_in, n_out in pairwise(sizes)
        )
        self._shares = (spec.dropout_input, *(spec.dropout_hidden,) * (len(sizes) - 2))
        self._generator = generator

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer, (weight, share) in enumerate(zip(self.weights, self._shares, strict=True)):
            if layer:
                x = torch.relu(x)
            if self.training and share:
                mask = torch.rand(x.shape, generator=self._generator) >= share
                x = x * mask / (1.0 - share)
            x = x @ weight.T
        return x


def _shares(
    images: UInt8[np.ndarray, "n pixels"], grey_max: int
) -> Float32[np.ndarray, "n pixels"]:
    return images.astype(np.float32) / np.float32(grey_max)
