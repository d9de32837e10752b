"""Compares convolutions of the float network and the control with loops over positions."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from device_presets import get_device
from rpu_ssnn.baselines.analog_sgd import AnalogNetwork, train_analog_sgd
from rpu_ssnn.baselines.ann import AnnSpec, train_ann
from rpu_ssnn.baselines.control_settings import AnalogSgdSpec, PulseTrainSpec
from rpu_ssnn.baselines.convolution import Patches
from rpu_ssnn.baselines.number_layers import number_layer
from rpu_ssnn.data import Dataset
from rpu_ssnn.network.inputs import InputLines
from rpu_ssnn.spec import Connection, ConvLayer, ConvSpec, connect, slot_cycles
from rpu_ssnn.spec.tile import TileSpec
from support.rpu_ssnn.networks import with_first

SMALL = Connection((6, 5, 2), 3, (3, 2), (2, 1), (1, 0), replicas=2)
"""It has 3 x 4 positions of 3 channels, and patches of 3 x 2 pixels reach over the upper edge."""
RNG = np.random.default_rng(4)


def layer(**settings: object) -> ConvLayer:
    return ConvLayer(conv=ConvSpec.model_validate(settings))


def patches(made: Connection) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Yields position, replica and pairs of (line of the layer, line of the patch), patch by
    patch."""
    rows, columns, channels = made.before
    for y in range(made.after[0]):
        for x in range(made.after[1]):
            pairs = []
            for line, (i, j, c) in enumerate(np.ndindex(*made.kernel, channels)):
                row = y * made.stride[0] + i - made.padding[0]
                column = x * made.stride[1] + j - made.padding[1]
                if 0 <= row < rows and 0 <= column < columns:
                    pairs.append(((row * columns + column) * channels + c, line))
            position = y * made.after[1] + x
            yield position, position % made.replicas, pairs


def test_rows_sums_and_replicas_are_those_of_loops_over_positions() -> None:
    n, unfolding = 4, Patches(SMALL)
    image = RNG.random((n, 60), dtype=np.float32)
    weight = RNG.random((6, 12), dtype=np.float32)  # 2 replicas x 3 channels, patches of 12 lines
    rows, outputs = np.zeros((n, 12, 12), np.float32), np.zeros((n, 12, 3), np.float32)
    sent = RNG.random((n, 12, 12), dtype=np.float32)
    added = np.zeros_like(image)
    d = RNG.random((n, 36), dtype=np.float32)
    spread = np.zeros((n, 12, 2, 3), np.float32)
    for position, replica, pairs in patches(SMALL):
        for line, of_patch in pairs:
            rows[:, position, of_patch] = image[:, line]
            added[:, line] += sent[:, position, of_patch]
        kernel = weight[3 * replica : 3 * replica + 3]
        outputs[:, position] = rows[:, position] @ kernel.T
        spread[:, position, replica] = d.reshape(n, 12, 3)[:, position]
    x, w = torch.from_numpy(image), torch.from_numpy(weight)
    np.testing.assert_array_equal(unfolding.rows(x), rows.reshape(-1, 12))
    np.testing.assert_allclose(unfolding.convolved(x, w), outputs.reshape(n, -1), rtol=1e-5)
    chosen = unfolding.chosen(unfolding.rows(x) @ w.T)
    np.testing.assert_allclose(chosen, outputs.reshape(n, -1), rtol=1e-6)
    sums = unfolding.added(torch.from_numpy(sent.reshape(-1, 12)))
    np.testing.assert_allclose(sums, added, rtol=1e-6)
    np.testing.assert_array_equal(unfolding.spread(torch.from_numpy(d)), spread.reshape(-1, 6))


def test_a_float_network_learns_with_kernels(digits: Dataset) -> None:
    spec = AnnSpec(epochs=2, batch=20)
    layers = (layer(kernel=3, channels=8), layer(kernel=2, stride=2, channels=16, replicas=3), 24)
    trained = train_ann(spec, layers, digits, seed=1)
    assert [w.shape for w in trained.weights] == [(9, 8), (32, 48), (144, 24), (24, 10)]
    assert trained.accuracy(digits.validation_images, digits.validation_labels) > 0.9
    replicas = trained.weights[1].reshape(32, 3, 16)
    assert not np.array_equal(replicas[:, 0], replicas[:, 1])
    untrained = spec.model_copy(update={"epochs": 0})
    start = train_ann(untrained, layers, digits, seed=1).weights[1]
    assert np.array_equal(start.reshape(32, 3, 16), start.reshape(32, 3, 16)[:, [0, 0, 0]])


def test_a_kernel_as_large_as_the_image_is_a_dense_layer(digits: Dataset) -> None:
    spec = AnnSpec(epochs=1)
    both = [
        train_ann(spec, hidden, digits, seed=2).weights
        for hidden in ((16,), (layer(kernel=8, channels=16),))
    ]
    for dense_weights, kernels in zip(*both, strict=True):
        assert np.array_equal(dense_weights, kernels)


@pytest.mark.parametrize(
    ("simulator", "activation", "scheme"),
    [
        ("native", "relu", "ideal_reference"),
        ("native", "sigmoid", "differential_pair"),
        ("aihwkit", "relu", "differential_pair"),
        ("aihwkit", "sigmoid", "ideal_reference"),
    ],
)
def test_one_step_of_the_control_is_minus_the_rate_times_the_gradient_of_cross_entropy(
    simulator: str, activation: Any, scheme: str
) -> None:
    tile = {"weight_range": 4.0, "simulator": simulator, "reference": {"scheme": scheme}}
    spec = AnalogSgdSpec(
        trains=PulseTrainSpec(activation=activation, train_length=200),
        tile=TileSpec.model_validate(tile),
        learning_rate=0.5,
        batch=100,
    )
    shape = (SMALL, *connect((), 36, 5))
    seeds = np.random.SeedSequence(3), np.random.SeedSequence(4)
    device = get_device("ideal", {"levels": 50_000})
    layers = [number_layer(one, device, spec, SMALL.positions, seeds) for one in shape]
    before = [one.weights().copy() for one in layers]
    images, labels = RNG.random((100, 60), dtype=np.float32), RNG.integers(0, 5, 100)
    network = AnalogNetwork(spec, InputLines(60, 1), layers)
    network.train_batch(images, labels, np.random.default_rng(0))
    expected = [torch.tensor(w.T.copy(), requires_grad=True) for w in before]
    activated = torch.relu if activation == "relu" else torch.sigmoid
    hidden = activated(Patches(SMALL).convolved(torch.from_numpy(images), expected[0]))
    torch.nn.functional.cross_entropy(hidden @ expected[1].T, torch.tensor(labels)).backward()
    for made, weight, start in zip(layers, expected, before, strict=True):
        step, gradient = made.weights() - start, weight.grad.numpy().T
        slope = float((step * -gradient).sum() / (gradient**2).sum())
        assert slope == pytest.approx(0.5, rel=0.1)
        assert np.corrcoef(step.ravel(), -gradient.ravel())[0, 1] > 0.9


def test_the_control_learns_with_kernels_in_devices(digits: Dataset) -> None:
    spec = AnalogSgdSpec(
        tile=TileSpec(weight_range=4.0, simulator="native"), epochs=3, batch=20, learning_rate=0.2
    )
    few = with_first(digits, 600)
    layers = (layer(kernel=3, stride=2, channels=8),)
    trained = train_analog_sgd(spec, layers, get_device("charge_trap"), few, seed=1)
    assert trained.accuracy(digits.validation_images, digits.validation_labels) > 0.8


@pytest.mark.parametrize(
    ("simulator", "at_once"), [("native", False), ("native", True), ("aihwkit", False)]
)
def test_all_arrays_of_the_control_leak_for_the_same_time(simulator: str, at_once: bool) -> None:
    """Each image has 12 patches, or 6 with two replicas at once, and an idle time of 1 ms."""
    tile = TileSpec.model_validate({"simulator": simulator, "slot_seconds": 1e-4})
    tile = tile.model_copy(update={"idle_seconds": 1e-3, "weight_range": 8.0})
    spec = AnalogSgdSpec(tile=tile, batch=10, at_once=at_once)
    cycles = slot_cycles((SMALL,), at_once)
    leak = {"leak_time_constant_s": 0.2, "leak_time_constant_spread": 0.0}
    seeds = np.random.SeedSequence(3), np.random.SeedSequence(4)
    for one in (SMALL, *connect((), 36, 5)):
        made = number_layer(one, get_device("capacitor", leak), spec, cycles, seeds)
        before = made.weights().copy()
        made.end_batch()
        kept = float((made.weights() * before).sum() / np.square(before).sum())
        assert -0.2 * np.log(kept) == pytest.approx(10 * (33e-4 * cycles + 1e-3), rel=0.02)
