"""Compares convolutions in the engine with a slow simulator, dense layers and backpropagation."""

from math import prod
from typing import Any

import numpy as np
import pytest
from weight_changes import weight_changes

from device_presets import get_device
from rpu_ssnn.data import load_dataset
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.network import Network
from rpu_ssnn.network.trace import trace
from rpu_ssnn.spec import Connection, NetworkSpec, TrainingSpec, connect
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses import (
    CoincidenceSynapses,
    Crossbar,
    PulseBlock,
    SynapsesFactory,
    coincidence_synapses,
    rate_synapses,
)
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.training import train
from support.rpu_ssnn.networks import rows_of
from support.rpu_ssnn.passes import ReadsSlotBySlot, coarse
from support.rpu_ssnn.slow_convolutions import Conv, Result, simulate

NOTHING_DRAWN: dict[str, Any] = {
    "neuron": {"random_start": False},
    "encoding": {"label_rate": 1.0, "label_front_loading": 0.0},
}
SHAPES: dict[str, tuple[tuple[int, int, int], dict[str, Any]]] = {
    "two convolutions": (
        (7, 6, 2),
        {"layers": [{"conv": {"kernel": n, "channels": c}} for n, c in ((3, 5), ([2, 3], 4))]},
    ),
    "padding, stride, replicas, delay, a dense layer": (
        (8, 8, 1),
        {
            "layers": [
                {"conv": {"kernel": 5, "stride": 2, "padding": [2, 1], "channels": 3}},
                {"conv": {"kernel": 2, "stride": [2, 1], "channels": 6, "replicas": 2}},
                7,
            ],
            "gradient": {"delay": 1.5},
            "positions": "at_once",
        },
    ),
}


class Case:
    """Holds a network, its weights, one image as spikes, and the result of the slow simulator."""

    def __init__(self, name: str, n_out: int = 4) -> None:
        self.image, changes = SHAPES[name]
        self.spec = NetworkSpec.model_validate({"T": 40, **NOTHING_DRAWN, **changes})
        self.label, rng = 2, np.random.default_rng(3)
        self.found = connect(self.spec.hidden_layers, prod(self.image), n_out, self.image)
        self.weights = [
            rng.normal(0.4, 5.0 * np.sqrt(2.0 / one.shape[0]), one.shape).astype(np.float32)
            for one in self.found
        ]
        given = rng.random((self.spec.slots, prod(self.image))) < 0.3
        given[self.spec.T :] = False
        slot, line = np.nonzero(given)
        self.spikes = SpikeTrains.of_events(np.zeros_like(slot), slot, line, 1, given.shape[1])
        slow = [
            self._slow(one, weights, delay)
            for one, weights, delay in zip(self.found, self.weights, self.spec.delays, strict=True)
        ]
        self.slow = simulate(slow, given, self.label, self.spec.T, self.spec.tau)
        self.layers = slow

    def _slow(self, one: Connection, weights: np.ndarray, delay: int) -> Conv:
        together = one.replicas if self.spec.positions == "at_once" else 1
        return Conv(
            one.before, one.kernel, one.stride, one.padding, one.channels, one.replicas,
            weights.astype(np.float64), delay, together,
        )  # fmt: skip

    def trained(self, factory: SynapsesFactory) -> Network:
        """Returns the network after a training step with the image."""
        training, seed = TrainingSpec(batch=1), np.random.SeedSequence(0)
        of = self.spec, training, self.found, factory, seed
        with Network(*of, initial=self.weights) as network:
            network.train_batch(self.spikes, np.array([self.label]), np.random.default_rng(0))
        return network


class Kept(CoincidenceSynapses):
    """Records its pulses in the form that the slow simulator lists them."""

    def __init__(self, crossbar: Crossbar) -> None:
        super().__init__(crossbar, 1e-9)
        self.rows: list[tuple[int, list[int], list[int], list[int]]] = []

    def update(self, block: PulseBlock) -> None:
        for _, slot, pre, post, sign in rows_of(block):
            up, down = (post[sign == way].tolist() for way in (1, -1))
            self.rows.append((slot, pre.tolist(), up, down))


@pytest.mark.parametrize("name", SHAPES)
def test_every_spike_and_pulse_is_that_of_a_slow_simulator(name: str) -> None:
    case = Case(name)
    trains = trace(case.spec, case.weights, case.spikes, case.label, 0, case.image)
    slow: Result = case.slow
    for found, expected in zip(trains.forward, slow.forward, strict=True):
        assert np.array_equal(found, expected > 0)
    for up, down, expected in zip(trains.positive, trains.negative, slow.gradient[1:], strict=True):
        assert np.array_equal(up.astype(int) - down, expected)
    kept = case.trained(Kept).synapses
    assert [one.rows for one in kept if isinstance(one, Kept)] == slow.pulses
    assert all(np.abs(train).sum() > 30 for train in (*slow.forward, *slow.gradient[1:]))
    assert all(len(rows) > 30 for rows in slow.pulses)


@pytest.mark.parametrize("name", SHAPES)
def test_rates_multiply_the_counts_of_each_position(name: str) -> None:
    """The result is the sum of products over positions, not the product of sums."""
    case = Case(name)
    network = case.trained(rate_synapses(1.0))
    for n, (layer, synapses) in enumerate(zip(case.layers, network.synapses, strict=True)):
        forward, signed = case.slow.forward[n].sum(axis=0), case.slow.gradient[n + 1].sum(axis=0)
        expected = np.zeros(synapses.shape)
        for p, patch in enumerate(layer.patches(forward)):
            delta = signed.reshape(-1, layer.channels)[p]
            expected[:, layer.columns(p)] += np.outer(patch, delta)
        weights = synapses.linear_read()
        step = 5.0 * case.spec.gains()[n] / case.spec.T**2
        assert np.allclose((weights - case.weights[n]) / step, expected, atol=0.05)
        if len(layer.corners) > 1 and layer.replicas == 1:
            sums = np.outer(
                layer.patches(forward).sum(axis=0), signed.reshape(-1, layer.channels).sum(axis=0)
            )
            assert not np.allclose(sums, expected, rtol=0.1)


@pytest.mark.parametrize("rule", [rate_synapses, coincidence_synapses])
def test_a_kernel_as_large_as_the_image_is_a_dense_layer(rule: Any) -> None:
    """The results are equal to the bit, also with a list of layers without convolutions."""
    rates = (0.4 * np.random.default_rng(1).random((10, 30))).astype(np.float32)
    labels = np.arange(10) % 4
    networks = {"hidden": [70, 9]}, {"layers": [70, 9]}, {"layers": [conv(5, 6, 70), conv(1, 1, 9)]}
    weights = []
    for layers in networks:
        spec = NetworkSpec.model_validate({**layers, "gradient": {"delay": 0.5}})
        connections = connect(spec.hidden_layers, 30, 4, (5, 6, 1))
        with Network(
            spec, TrainingSpec(batch=5), connections, rule(8.0), np.random.SeedSequence(2)
        ) as network:
            for first in (0, 5):
                part = slice(first, first + 5)
                rng = np.random.default_rng(first)
                network.train_batch(rates[part], labels[part], rng)
            weights.append([one.linear_read() for one in network.synapses])
    for other in weights[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(weights[0], other, strict=True))


def conv(rows: int, columns: int, channels: int) -> dict[str, Any]:
    return {"conv": {"kernel": [rows, columns], "channels": channels}}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(("kind", "threads"), [(ReadsSlotBySlot, 1), (CoincidenceSynapses, 2)])
def test_all_ways_through_a_batch_train_alike(name: str, kind: Any, threads: int) -> None:
    image, changes = SHAPES[name]
    spec = NetworkSpec.model_validate({"T": 20, **changes})
    connections = connect(spec.hidden_layers, prod(image), 4, image)
    rates = (0.4 * np.random.default_rng(1).random((6, prod(image)))).astype(np.float32)

    def sums(kind: Any, threads: int) -> list[np.ndarray]:
        training, seed = TrainingSpec(batch=6), np.random.SeedSequence(0)
        with Network(spec, training, connections, coarse(kind, 1.0), seed, threads) as network:
            shown = network.train_batch(rates, np.arange(6) % 4, np.random.default_rng(0))
            answers = network.infer(rates, np.random.default_rng(0))
        return [shown.spikes, answers.output_counts, *(one.weights() for one in network.synapses)]

    serial = sums(CoincidenceSynapses, 1)
    for a, b in zip(sums(kind, threads), serial, strict=True):
        assert np.array_equal(a, b)


def test_rates_follow_backpropagation_through_convolutions() -> None:
    """The change by many presentations of one image follows torch's gradient of the rate model."""
    torch = pytest.importorskip("torch")
    image, rng = (9, 9, 1), np.random.default_rng(0)
    first = {"kernel": 3, "stride": 2, "channels": 6}
    second = {"kernel": 3, "padding": 1, "channels": 8}
    spec = NetworkSpec.model_validate({"layers": [{"conv": first}, {"conv": second}]})
    connections = connect(spec.hidden_layers, 81, 4, image)
    theta = spec.neuron.theta
    weights = [
        rng.normal(0.0, theta * np.sqrt(2.0 / one.shape[0]), one.shape).astype(np.float32)
        for one in connections
    ]
    rates = (0.45 * rng.random(81)).astype(np.float32)
    changes = weight_changes(
        spec, weights, rate_synapses(1.0), np.repeat(rates[None], 400, axis=0),
        np.full(400, 1), [0], image,
    )  # fmt: skip
    leaves = [torch.tensor(w / theta, requires_grad=True) for w in weights]
    activity = torch.tensor(rates).reshape(1, 9, 9, 1).permute(0, 3, 1, 2)
    for one, leaf in zip(connections[:2], leaves[:2], strict=True):
        kernel = leaf.reshape(*one.kernel, one.before[2], one.channels).permute(3, 2, 0, 1)
        activity = torch.relu(
            torch.nn.functional.conv2d(activity, kernel, stride=one.stride, padding=one.padding)
        )
    output = torch.relu(activity.permute(0, 2, 3, 1).reshape(1, -1) @ leaves[2])
    target = torch.tensor([[0.0, spec.encoding.label_rate, 0.0, 0.0]])
    (((target - output) ** 2).sum() / 2).backward()
    for change, leaf in zip(changes, leaves, strict=True):
        exact = -leaf.grad.numpy()
        cosine = (change * exact).sum() / np.linalg.norm(change) / np.linalg.norm(exact)
        assert cosine > 0.9


def test_replicas_start_alike_and_the_time_of_serial_positions_counts() -> None:
    made: list[Crossbar] = []

    def keep(crossbar: Crossbar) -> CoincidenceSynapses:
        made.append(crossbar)
        return CoincidenceSynapses(crossbar, 1.0)

    layers = [{"conv": {"kernel": 3, "channels": 2, "replicas": 5}}]
    for positions, cycles in (("serial", 36), ("at_once", 8)):
        spec = NetworkSpec.model_validate({"layers": layers, "T": 10, "positions": positions})
        connections = connect(spec.hidden_layers, 64, 3, (8, 8, 1))
        with Network(spec, TrainingSpec(), connections, keep, np.random.SeedSequence(0)):
            pass
        assert [one.slots for one in made] == [spec.slots * cycles] * 2
        assert [one.positions for one in made] == [36, 1]
        assert (made[0].replicas, made[0].at_once) == (5, positions == "at_once")
        kernels = np.split(made[0].initial, 5, axis=1)
        assert all(np.array_equal(kernels[0], other) for other in kernels)
        assert made[0].he_std == pytest.approx(spec.neuron.theta * np.sqrt(2.0 / 9.0))
        made.clear()


def test_kernels_in_native_devices_are_those_in_tiles() -> None:
    """The device has no noise and no spread, and the thinning draws are the same."""
    digits = load_dataset("digits", n_train=60, n_test=40, validation_share=0.0, seed=0)
    layers = [{"conv": {"kernel": 3, "stride": 2, "channels": 4, "replicas": 3}}]
    spec = NetworkSpec.model_validate({"layers": layers, "T": 20})
    device = get_device("ideal")
    weights = []
    for simulator in ("native", "aihwkit"):
        tile = TileSpec(simulator=simulator, weight_range=4.0)  # type: ignore[arg-type]
        factory = device_synapses(device, tile, 8.0)
        with train(spec, TrainingSpec(epochs=2, batch=20), factory, digits, seed=2) as trained:
            weights.append([one.linear_read() for one in trained.network.synapses])
    for a, b in zip(*weights, strict=True):
        assert np.unique(a).size > 20
        np.testing.assert_allclose(a, b, atol=1e-4)
