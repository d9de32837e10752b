"""Tests the control, which combines backpropagation with the devices of the spiking network."""

import numpy as np
import pytest

from device_presets import get_device
from rpu_ssnn.baselines.analog_sgd import AnalogNetwork, train_analog_sgd
from rpu_ssnn.baselines.control_settings import AnalogSgdSpec, PulseTrainSpec
from rpu_ssnn.baselines.number_layers import NumberLayer, number_layer
from rpu_ssnn.data import Dataset
from rpu_ssnn.network.inputs import input_lines
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connect
from rpu_ssnn.spec.tile import ReadSpec, TileSpec
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.training import train
from support.rpu_ssnn.networks import KeptStates, with_first

SIZES = (30, 12, 5)


FINE = {"levels": 50_000}
"""The steps are so fine that a single training step has little randomness."""


def layers_of(spec: AnalogSgdSpec) -> list[NumberLayer]:
    source = get_device("ideal", FINE)
    seeds = np.random.SeedSequence(3)
    layers = []
    for connection in connect(SIZES[1:-1], SIZES[0], SIZES[-1]):
        initial_seed, device_seed = seeds.spawn(2)
        layers.append(number_layer(connection, source, spec, 1, (initial_seed, device_seed)))
    return layers


def batch_of(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.random((n, SIZES[0]), dtype=np.float32), rng.integers(0, SIZES[-1], n)


def test_the_step_scales_with_the_schedule_and_not_with_the_weight_range() -> None:
    x, labels = batch_of()
    d = np.random.default_rng(2).normal(0, 1e-3, (len(labels), SIZES[1])).astype(np.float32)
    trains = PulseTrainSpec(train_length=200)  # Shorter trains would clip changes of fine steps.
    for span, scale in ((4.0, 1.0), (8.0, 1.0), (8.0, 0.25)):
        spec = AnalogSgdSpec(trains=trains, tile=TileSpec(weight_range=span), learning_rate=0.5)
        expected = -0.5 * scale * (x.T @ d)
        shares = []
        for _ in range(8):  # A single draw of the trains is accurate within a fifth.
            layer = layers_of(spec)[0]
            before = layer.weights().copy()
            layer.set_step_scale(scale)
            layer.learn(x, d)
            step = layer.weights() - before
            shares.append(float((step * expected).sum() / (expected**2).sum()))
        assert np.mean(shares) == pytest.approx(1.0, abs=0.15), (span, scale)


@pytest.mark.parametrize(
    ("schedule", "scales"), [("linear", [1, 5 / 6, 2 / 3, 1 / 2]), ("constant", [1, 1, 1, 1])]
)
def test_the_learning_rate_falls_batch_by_batch_or_stays(
    schedule: str, scales: list[float], digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = AnalogSgdSpec(trains=PulseTrainSpec(schedule=schedule), epochs=3, batch=200)
    network = AnalogNetwork(spec, input_lines("none", digits), layers_of(spec))
    given: list[float] = []
    monkeypatch.setattr(network.layers[0], "set_step_scale", given.append)
    monkeypatch.setattr(network, "train_batch", lambda *_: 0)
    images, labels = digits.train_images[:400], digits.train_labels[:400]
    for epoch in (0, 1):
        network.train_epoch(images, labels, np.random.default_rng(0), epoch)
    assert given == pytest.approx(scales)


def test_devices_and_first_weights_are_those_of_the_spiking_network(digits: Dataset) -> None:
    device, tile = get_device("charge_trap", {}), TileSpec(weight_range=3.0)
    spec = AnalogSgdSpec(tile=tile, epochs=0)
    numbers = train_analog_sgd(spec, (16,), device, digits, seed=5)
    network, training = NetworkSpec(hidden=(16,)), TrainingSpec(epochs=0)
    theta = network.neuron.theta
    with train(network, training, device_synapses(device, tile, 1.0), digits, seed=5) as spikes:
        for mine, theirs in zip(numbers.layers, spikes.network.synapses, strict=True):
            np.testing.assert_allclose(mine.weights() * theta, theirs.weights(), rtol=1e-5)
            devices = (trained.state()["tile_1.devices"] for trained in (mine, theirs))
    np.testing.assert_array_equal(*devices)


def test_it_learns_digits_in_a_device(digits: Dataset) -> None:
    spec = AnalogSgdSpec(epochs=4, learning_rate=1.0, tile=TileSpec(weight_range=8.0))
    trained = train_analog_sgd(spec, (64,), get_device("charge_trap", {}), digits, seed=0)
    assert trained.accuracy(digits.test_images, digits.test_labels) > 0.85
    assert len(trained.epochs) == 4
    statistics = trained.statistics()
    assert np.isnan(statistics["pulses_up_total"]), "aihwkit does not count them on a CPU"
    assert statistics["devices_total"] == 64 * 64 + 64 * 10


def test_it_goes_on_where_it_was(digits: Dataset) -> None:
    few = with_first(digits, 200)
    spec = AnalogSgdSpec(epochs=3, dropout_input=0.1)
    states = KeptStates()
    device = get_device("ideal", {})
    train_analog_sgd(spec, (16,), device, few, seed=0, on_epoch=states)
    one = spec.model_copy(update={"epochs": 1})
    again = train_analog_sgd(one, (16,), device, few, seed=0, start=states[0])
    for n, layer in enumerate(again.layers, start=1):
        kept = states[0].arrays[f"network.layer_{n}.tile_1.weights"]
        np.testing.assert_array_equal(layer.state()["tile_1.weights"], kept)
    assert again.epochs == list(states[0].curve)


def test_reads_with_converters_scale_numbers_into_their_range() -> None:
    x, _ = batch_of(50)
    reads = ReadSpec(dac_bits=8, adc_bits=10, adc_bound=40.0)
    exact = layers_of(AnalogSgdSpec(tile=TileSpec(weight_range=4.0)))[0]
    coarse = layers_of(AnalogSgdSpec(tile=TileSpec(weight_range=4.0, reads=reads)))[0]
    expected = exact.outputs(7.0 * x)
    outputs = coarse.outputs(7.0 * x)
    assert np.abs(outputs - expected).max() > 0
    assert np.abs(outputs - expected).max() < 0.05 * np.abs(expected).max(), "7 is beyond a DAC's 1"


@pytest.mark.parametrize("cell", ["tiki_taka(idealized)", "two_device_pair(charge_trap)"])
def test_cells_learn_natively(digits: Dataset, cell: str) -> None:
    few = with_first(digits, 600)
    spec = AnalogSgdSpec(epochs=6, learning_rate=0.5, tile=TileSpec(weight_range=8.0))
    trained = train_analog_sgd(spec, (32,), get_device(cell, {}), few, seed=0)
    assert trained.accuracy(digits.test_images, digits.test_labels) > 0.3
