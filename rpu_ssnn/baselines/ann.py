"""The float baseline: the same layers as a conventional network, trained by backpropagation."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float32
from pydantic import Field
from torch import nn

from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Rows
from rpu_ssnn.inputs import InputLines, input_lines
from rpu_ssnn.spec import Contrast, Positive, Share, Spec
from rpu_ssnn.training_state import (
    State,
    TrainingState,
    checked,
    generator_state,
    restore_generator,
)


class AnnSpec(Spec):
    """A ReLU network with dropout, trained by SGD with momentum or by Adam (Kingma and Ba 2015) on
    the pixel shares (`contrast` none) or on their distances from the mean (`rpu_ssnn.inputs`).

    The step falls linearly from `learning_rate` to zero over the epochs.
    """

    loss: Literal["softmax_ce", "mse"] = "softmax_ce"
    epochs: Annotated[int, Field(ge=0)] = 10
    batch: Annotated[int, Field(ge=1)] = 50
    learning_rate: Positive = 0.1
    momentum: Share = 0.9
    optimiser: Literal["sgd", "adam"] = "sgd"
    dropout_input: Share = 0.0
    dropout_hidden: Share = 0.0
    contrast: Contrast = "none"


BUFFERS = {
    "sgd": {"momentum_buffer": "momentum"},
    "adam": {"exp_avg": "mean", "exp_avg_sq": "square", "step": "steps"},
}
"""What torch's optimiser keeps for each weight matrix, and its name in a checkpoint."""


class TrainedAnn:
    """A trained float network."""

    def __init__(self, model: "_Layers", inputs: InputLines) -> None:
        self._model, self._inputs = model, inputs

    @property
    def weights(self) -> list[Float32[np.ndarray, "n_in n_out"]]:
        """Of each layer, on input shares in [0, 1]."""
        return [w.detach().numpy().T.copy() for w in self._model.weights]

    def accuracy(self, images: Rows, labels: np.ndarray) -> float:
        """Share of images whose largest output is their label."""
        if not len(labels):
            return float("nan")
        self._model.eval()
        with torch.no_grad():
            output = self._model(torch.from_numpy(self._inputs.shares(images)))
        self._model.train()
        return float((output.argmax(dim=1).numpy() == labels).mean())


def train_ann(
    spec: AnnSpec,
    hidden: tuple[int, ...],
    data: Dataset,
    *,
    seed: int,
    start: TrainingState | None = None,
    on_epoch: Callable[[TrainedAnn, Callable[[], TrainingState]], bool | None] | None = None,
) -> TrainedAnn:
    """Train the baseline on the training images; everything random follows from the seed.

    Args:
        start: what an earlier call with the same arguments had reached; the result is then, bit
            for bit, that of a run that never stopped.
        on_epoch: called after each epoch with the network so far and, for a later `start`, a
            function that takes the state; says whether to stop here.

    Raises:
        StateError: `start` is of another network.
    """
    generator = torch.Generator().manual_seed(seed)
    order_rng = np.random.default_rng(seed)
    inputs = input_lines(spec.contrast, data)
    sizes = (inputs.lines, *hidden, data.n_classes)
    model = _Layers(sizes, spec, generator)
    optimiser: torch.optim.Optimizer
    if spec.optimiser == "adam":
        optimiser = torch.optim.Adam(model.parameters(), spec.learning_rate)
    else:
        optimiser = torch.optim.SGD(model.parameters(), spec.learning_rate, spec.momentum)
    buffers = BUFFERS[spec.optimiser]
    images = torch.from_numpy(inputs.shares(data.train_images))
    labels = torch.from_numpy(data.train_labels)
    steps = max(spec.epochs * -(-len(labels) // spec.batch), 1)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 1.0 / steps, steps)
    trained, done = TrainedAnn(model, inputs), 0
    if start is not None:
        _restore(model, optimiser, buffers, schedule, order_rng, start.arrays)
        done = start.epochs
    for epoch in range(done, spec.epochs):
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
        if on_epoch is not None:
            arrays = partial(_state, model, optimiser, buffers, schedule, order_rng)
            if on_epoch(trained, partial(_at_end_of, epoch, arrays)):
                break
    return trained


class _Layers(nn.Module):
    """Linear layers (He initialisation, no bias, as in the spiking network) with ReLU between."""

    def __init__(self, sizes: tuple[int, ...], spec: AnnSpec, generator: torch.Generator) -> None:
        super().__init__()
        self.weights = nn.ParameterList(
            torch.randn(n_out, n_in, generator=generator) * (2.0 / n_in) ** 0.5
            for n_in, n_out in pairwise(sizes)
        )
        self._shares = (spec.dropout_input, *(spec.dropout_hidden,) * (len(sizes) - 2))
        self.generator = generator

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer, (weight, share) in enumerate(zip(self.weights, self._shares, strict=True)):
            if layer:
                x = torch.relu(x)
            if self.training and share:
                mask = torch.rand(x.shape, generator=self.generator) >= share
                x = x * mask / (1.0 - share)
            x = x @ weight.T
        return x


def _at_end_of(epoch: int, arrays: Callable[[], State]) -> TrainingState:
    return TrainingState(epoch + 1, arrays())


def _state(
    model: _Layers,
    optimiser: torch.optim.Optimizer,
    buffers: dict[str, str],
    schedule: torch.optim.lr_scheduler.LinearLR,
    order_rng: np.random.Generator,
) -> State:
    state = {
        "dropout": model.generator.get_state().numpy().copy(),
        "order": generator_state(order_rng),
        # The schedule multiplies the step it finds, so the step itself is part of the state.
        "learning_rate": np.array(optimiser.param_groups[0]["lr"]),
        "steps": np.array(schedule.last_epoch),
    }
    for n, weight in enumerate(model.weights, 1):
        state[f"weights_{n}"] = weight.detach().numpy().copy()
        for buffer, name in buffers.items():
            empty = torch.zeros(()) if buffer == "step" else torch.zeros_like(weight)
            kept = optimiser.state[weight].get(buffer)
            state[f"{name}_{n}"] = (empty if kept is None else kept).numpy().copy()
    return state


def _restore(
    model: _Layers,
    optimiser: torch.optim.Optimizer,
    buffers: dict[str, str],
    schedule: torch.optim.lr_scheduler.LinearLR,
    order_rng: np.random.Generator,
    state: State,
) -> None:
    checked(state, _state(model, optimiser, buffers, schedule, order_rng))
    model.generator.set_state(torch.from_numpy(state["dropout"]))
    restore_generator(order_rng, state["order"])
    optimiser.param_groups[0]["lr"] = float(state["learning_rate"])
    schedule.last_epoch = int(state["steps"])
    with torch.no_grad():
        for n, weight in enumerate(model.weights, 1):
            weight.copy_(torch.from_numpy(state[f"weights_{n}"]))
            for buffer, name in buffers.items():
                optimiser.state[weight][buffer] = torch.tensor(state[f"{name}_{n}"])
