"""The float baseline: the same layers as a conventional network, trained by backpropagation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from rpu_ssnn.baselines.convolution import Patches
from rpu_ssnn.common.training_state import EpochRow, State, TrainingState, checked
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Labels, Rows
from rpu_ssnn.network.inputs import InputLines, input_lines
from rpu_ssnn.spec import (
    Connection,
    Contrast,
    ConvLayer,
    InitialScale,
    Positive,
    Share,
    Spec,
    connect,
)
from rpu_ssnn.synapses.base import Weights
from rpu_ssnn.training.loop import Learner, OnEpoch, train_epochs


class AnnSpec(Spec):
    """A ReLU network with dropout, trained by SGD with momentum on the pixel shares (`contrast`
    none) or on their distances from the mean (`rpu_ssnn.network.inputs`).

    The step falls linearly from `learning_rate` to zero over the epochs.
    """

    loss: Literal["softmax_ce", "mse"] = "softmax_ce"
    epochs: Annotated[int, Field(ge=0)] = 10
    batch: Annotated[int, Field(ge=1)] = 50
    learning_rate: Positive = 0.1
    momentum: Share = 0.9
    dropout_input: Share = 0.0
    dropout_hidden: Share = 0.0
    contrast: Contrast = "none"
    initial_scale: InitialScale = 1.0


class FloatNetwork(Learner):
    """Trains a float network."""

    buffers: ClassVar[Mapping[str, str]] = {"momentum_buffer": "momentum"}
    """The state of torch's optimiser for each weight matrix, by its name in a checkpoint."""

    def __init__(
        self, spec: AnnSpec, layers: Sequence[Connection], inputs: InputLines, seed: int, steps: int
    ) -> None:
        self._spec, self._inputs = spec, inputs
        self._model = _Layers(layers, spec, torch.Generator().manual_seed(seed))
        self._optimiser = self.optimiser(self._model.parameters())
        linear = torch.optim.lr_scheduler.LinearLR
        self._schedule = linear(self._optimiser, 1.0, 1.0 / max(steps, 1), max(steps, 1))
        self.epochs: list[EpochRow] = []

    def optimiser(self, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Returns the optimiser that changes the weights."""
        return torch.optim.SGD(weights, self._spec.learning_rate, self._spec.momentum)

    @property
    def weights(self) -> list[Weights]:
        """Returns the weights of each crossbar, [n_in, n_out], for inputs that are shares in [0,
        1]."""
        return [w.detach().numpy().T.copy() for w in self._model.weights]

    def train_epoch(
        self, images: Rows, labels: Labels, rng: np.random.Generator, epoch: int
    ) -> EpochRow:
        """Trains one epoch; weights may diverge, since a search judges such a network by its
        accuracy."""
        order, right = rng.permutation(len(labels)), 0
        for first in range(0, len(order), self._spec.batch):
            chosen = order[first : first + self._spec.batch]
            targets = torch.from_numpy(labels[chosen])
            self._optimiser.zero_grad()
            output = self._model(torch.from_numpy(self._inputs.shares(images[chosen])))
            self._loss(output, targets).backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            self._schedule.step()
            right += int((output.argmax(dim=1) == targets).sum())
        return EpochRow(epoch, right / max(len(order), 1))

    def _loss(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self._spec.loss == "softmax_ce":
            return nn.functional.cross_entropy(output, targets)
        target = nn.functional.one_hot(targets, output.shape[1]).float()
        return 0.5 * (output - target).square().sum(dim=1).mean()

    def classes(self, images: Rows) -> Labels:
        self._model.eval()
        with torch.no_grad():
            output = self._model(torch.from_numpy(self._inputs.shares(images)))
        self._model.train()
        classes: Labels = output.argmax(dim=1).numpy()
        return classes

    def state(self) -> State:
        state = {
            "dropout": self._model.generator.get_state().numpy().copy(),
            # The schedule multiplies the step it finds, so the step itself is part of the state.
            "learning_rate": np.array(self._optimiser.param_groups[0]["lr"]),
            "steps": np.array(self._schedule.last_epoch),
        }
        for n, weight in enumerate(self._model.weights, 1):
            state[f"weights_{n}"] = weight.detach().numpy().copy()
            for buffer, name in self.buffers.items():
                empty = torch.zeros(()) if buffer == "step" else torch.zeros_like(weight)
                kept = self._optimiser.state[weight].get(buffer)
                state[f"{name}_{n}"] = (empty if kept is None else kept).numpy().copy()
        return state

    def restore(self, state: State) -> None:
        checked(state, self.state())
        self._model.generator.set_state(torch.from_numpy(state["dropout"]))
        self._optimiser.param_groups[0]["lr"] = float(state["learning_rate"])
        self._schedule.last_epoch = int(state["steps"])
        with torch.no_grad():
            for n, weight in enumerate(self._model.weights, 1):
                weight.copy_(torch.from_numpy(state[f"weights_{n}"]))
                for buffer, name in self.buffers.items():
                    self._optimiser.state[weight][buffer] = torch.tensor(state[f"{name}_{n}"])


def train_ann(
    spec: AnnSpec,
    hidden: Sequence[int | ConvLayer],
    data: Dataset,
    *,
    seed: int,
    start: TrainingState | None = None,
    on_epoch: OnEpoch | None = None,
    kind: type[FloatNetwork] = FloatNetwork,
) -> FloatNetwork:
    """Trains the baseline on the training images; everything random follows from the seed.

    Args:
        hidden: the hidden layers. Replicas of a kernel start equal and learn separately.
        start, on_epoch: as in `rpu_ssnn.training.train`.
        kind: the class of the network, which chooses its optimiser.

    Raises:
        StateError: `start` belongs to another network.
        InputError: convolutions do not fit the images.
    """
    inputs = input_lines(spec.contrast, data, hidden)
    layers = connect(hidden, inputs.lines, data.n_classes, inputs.image)
    steps = spec.epochs * -(-len(data.train_labels) // spec.batch)
    network = kind(spec, layers, inputs, seed, steps)
    return train_epochs(network, spec.epochs, data, np.random.default_rng(seed), start, on_epoch)


class _Layers(nn.Module):
    """Computes layers with He initialisation and no bias, as in the spiking network, and ReLU
    between."""

    def __init__(
        self, layers: Sequence[Connection], spec: AnnSpec, generator: torch.Generator
    ) -> None:
        super().__init__()
        self._patches = [Patches(layer) for layer in layers]
        self.weights = nn.ParameterList(
            torch.randn(each.channels, each.shape[0], generator=generator).repeat(each.replicas, 1)
            * (spec.initial_scale * (2.0 / each.shape[0]) ** 0.5)
            for each in layers
        )
        self._shares = (spec.dropout_input, *(spec.dropout_hidden,) * (len(layers) - 1))
        self.generator = generator

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layers = zip(self._patches, self.weights, self._shares, strict=True)
        for layer, (patches, weight, share) in enumerate(layers):
            if layer:
                x = torch.relu(x)
            if self.training and share:
                mask = torch.rand(x.shape, generator=self.generator) >= share
                x = x * mask / (1.0 - share)
            whole = patches.connection.is_whole
            x = x @ weight.T if whole else patches.convolved(x, weight)
        return x
