"""Learning image by image sends the pulses of a plain delta rule, and its rows are repeatable."""

from typing import Any

import numpy as np
import pytest

from device_presets import get_device
from rpu_ssnn.data import Dataset
from rpu_ssnn.spec.tile import ReferenceSpec, TileSpec
from studies.reproductions.training.one_by_one import OnlineNetwork, train_image_by_image
from studies.reproductions.training.one_by_one_compiled import classify
from studies.reproductions.training.one_by_one_spec import OnlineSpec, WholePulseSpec
from support.rpu_ssnn.networks import KeptStates, with_first

TILE = TileSpec(weight_range=1.0, simulator="native")
NOISY = {"device": get_device("neurosim_epiram", {"cycle_to_cycle": 0.0}),
         "tile": TILE.model_copy(update={"pulse_noise": TILE.pulse_noise.model_copy(
             update={"of_range": 0.02})})}  # fmt: skip


@pytest.fixture(scope="module")
def digits(digits: Dataset) -> Dataset:
    return with_first(digits, 60)


def trained(data: Dataset, spec: OnlineSpec, epochs: int = 1, **more: Any) -> OnlineNetwork:
    given = {"seed": 2, "learning_rate": 0.5, **more}
    return train_image_by_image(spec, (8,), data, epochs=epochs, **given)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def plain_numpy(
    network: OnlineNetwork, data: Dataset, step: float, rates: tuple[float, float], pulses: float
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Returns weights (within +-1) and pulses after one epoch of sigmoid layers and squared error.

    Args:
        network: the network before this epoch.
        step: the step of one pulse; 0 for exact changes.
        pulses: the number of pulses that the controller assumes for the range.
    """
    weights = [layer.weights().astype(np.float64).copy() for layer in network.layers]
    sent = [np.zeros(w.shape) for w in weights]
    order = np.random.default_rng(np.random.SeedSequence(2).spawn(3)[1]).permutation(60)
    for image in order:
        x = network.inputs.shares(data.train_images[image : image + 1])[0].astype(np.float64)
        h = sigmoid(x @ weights[0])
        y = sigmoid(h @ weights[1])
        error = 2 * y * (1 - y) * (np.eye(10)[data.train_labels[image]] - y)
        below = (weights[1] @ error) * h * (1 - h)
        for n, change in enumerate((np.outer(x, below), np.outer(h, error))):
            change *= rates[n]
            if step:
                counts = np.floor(np.abs(change) / 2 * pulses + 0.5)
                sent[n] += counts
                change = np.sign(change) * counts * step
            weights[n] = np.clip(weights[n] + change, -1, 1)
    return weights, sent


@pytest.mark.parametrize("pulses", [None, 150.0])
@pytest.mark.parametrize("scheme", ["ideal_reference", "differential_pair"])
def test_it_is_the_delta_rule_in_pulses(digits: Dataset, scheme: str, pulses: float | None) -> None:
    """Steps are 1/200, as the controller assumes, or smaller than it assumes."""
    spec = WholePulseSpec(weight_unit="one", layer_rates=(2.0, 1.0), pulses_up=pulses)
    tile = TILE.model_copy(update={"reference": ReferenceSpec(scheme=scheme)})
    held = {"device": get_device("ideal", {"levels": 400}), "tile": tile}
    expected, sent = plain_numpy(
        trained(digits, spec, 0, **held), digits, 1 / 200, (1.0, 0.5), pulses or 400
    )
    network = trained(digits, spec, 1, **held)
    for layer, weights, counts in zip(network.layers, expected, sent, strict=True):
        assert counts.max() > 3
        np.testing.assert_array_equal(layer.pulses, counts)
        np.testing.assert_allclose(layer.weights(), weights, atol=1e-4)
    statistics = network.statistics()
    total = statistics["pulses_up_total"] + statistics["pulses_down_total"]
    assert total == sum(map(np.sum, sent)) * (2 if scheme == "differential_pair" else 1)


def test_float_weights_change_exactly_within_their_bound(digits: Dataset) -> None:
    spec = OnlineSpec(weight_unit="one", initial_levels=3)
    start = trained(digits, spec, 0, weight_bound=1.0)
    assert set(np.unique(start.layers[0].weights())) == {-1.0, 0.0, 1.0}
    expected, _ = plain_numpy(start, digits, 0.0, (0.5, 0.5), 1.0)
    network = trained(digits, spec, 1, weight_bound=1.0)
    for layer, weights in zip(network.layers, expected, strict=True):
        np.testing.assert_allclose(layer.weights(), weights, atol=1e-4)


def test_small_changes_are_lost_or_rounded_by_chance(digits: Dataset) -> None:
    coarse = {"device": get_device("ideal", {"levels": 30}), "tile": TILE, "learning_rate": 0.05}
    lost = trained(digits, WholePulseSpec(weight_unit="one"), **coarse).statistics()
    assert lost["pulses_up_total"] + lost["pulses_down_total"] == 0
    spec = WholePulseSpec(weight_unit="one", rounding="stochastic")
    start, network = trained(digits, spec, 0, **coarse), trained(digits, spec, **coarse)
    expected, _ = plain_numpy(start, digits, 0.0, (0.05, 0.05), 1.0)
    before, after = (each.layers[1].weights().sum() for each in (start, network))
    assert after - before == pytest.approx(expected[1].sum() - before, rel=0.25)


def test_sums_and_hidden_values_go_through_converters(digits: Dataset) -> None:
    """The sums of the second layer are differences of two integers of 2 bits."""
    held = {"device": get_device("ideal", {}), "tile": TILE}
    spec = WholePulseSpec(weight_unit="one", hidden_bits=1, sum_bits=2, read_gain=0.5)
    network = trained(digits, spec, 0, **held)
    chosen = np.empty(1, dtype=np.int64)
    shares = network.inputs.shares(digits.train_images)
    classify(network._compiled, network._rule, shares[:1], chosen)
    first, second = network._compiled
    w = [layer.weights() for layer in network.layers]
    unit = 3.0 / 64
    lines = shares[0].sum()
    digits_of = np.floor((shares[0] @ w[0] + lines) / 2 * unit) - np.floor(lines / 2 * unit)
    np.testing.assert_allclose(first.out, digits_of / unit, atol=1e-5)
    np.testing.assert_array_equal(second.seen, (first.out >= 0).astype(np.float32))
    assert set(np.unique(second.out * 3.0 / 8)) <= {-2.0, -1.0, 0.0, 1.0, 2.0}


def test_a_seed_repeats_and_goes_on_where_it_was(digits: Dataset) -> None:
    spec = WholePulseSpec(weight_unit="one", rounding="stochastic", pulses_up=64)
    states = KeptStates()
    whole = trained(digits, spec, 3, on_epoch=states, **NOISY)
    again = trained(digits, spec, 3, start=states[0], **NOISY)
    other = trained(digits, spec, 3, **{**NOISY, "seed": 3})
    for a, b, c in zip(whole.layers, again.layers, other.layers, strict=True):
        np.testing.assert_array_equal(a.weights(), b.weights())
        assert (a.weights() != c.weights()).any()
    assert whole.statistics() == again.statistics()


def test_the_first_write_can_be_off(digits: Dataset) -> None:
    spec = WholePulseSpec(weight_unit="one", initial_levels=5)
    right = trained(digits, spec, 0, **NOISY).layers[0].weights()
    off = trained(digits, spec.model_copy(update={"initial_offset": -0.1}), 0, **NOISY)
    np.testing.assert_allclose(off.layers[0].weights(), np.maximum(right - 0.2, -1), atol=1e-6)


def test_softmax_and_relu_learn(digits: Dataset) -> None:
    spec = OnlineSpec(activation="relu", loss="softmax_ce")
    network = trained(digits, spec, 20, learning_rate=0.05)
    assert network.epochs[-1].train_accuracy > 0.9
    assert network.accuracy(digits.test_images, digits.test_labels) > 0.5


@pytest.mark.parametrize(
    ("device", "spec", "tile"), [("ideal", OnlineSpec(), TILE), ("ideal", WholePulseSpec(), None)]
)
def test_a_device_is_never_left_out_in_silence(
    digits: Dataset, device: str, spec: OnlineSpec, tile: TileSpec | None
) -> None:
    with pytest.raises(ValueError, match="a device"):
        trained(digits, spec, device=get_device(device), tile=tile)
