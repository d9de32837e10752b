"""Tests training and inference on real digits."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from rpu_ssnn.baselines.ann import AnnSpec, train_ann
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.training_state import EpochRow
from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.export import write_network, write_nir
from rpu_ssnn.network import Network
from rpu_ssnn.network.trace import trace
from rpu_ssnn.spec import InhibitionSpec, NetworkSpec, NeuronSpec, TrainingSpec, connect
from rpu_ssnn.synapses import (
    CoincidenceSynapses,
    RateSynapses,
    Synapses,
    SynapsesFactory,
    coincidence_synapses,
    rate_synapses,
)
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.training import Trained, train
from rpu_ssnn.training.loop import merge_statistics
from support.rpu_ssnn.networks import with_first
from support.rpu_ssnn.passes import ReadsSlotBySlot


@pytest.mark.parametrize(
    ("factory", "hidden", "least"),
    [
        (rate_synapses(4.0), (48,), 0.88),
        (coincidence_synapses(4.0), (48,), 0.88),
        (rate_synapses(4.0), (48, 32), 0.8),
    ],
    ids=["rate", "coincidence", "two hidden layers"],
)
def test_networks_learn_digits(
    digits: Dataset, factory: SynapsesFactory, hidden: tuple[int, ...], least: float
) -> None:
    rows: list[EpochRow] = []
    spec = NetworkSpec(hidden=hidden)
    with train(
        spec,
        TrainingSpec(epochs=8),
        factory,
        digits,
        seed=0,
        on_epoch=lambda row, state: rows.append(row),
    ) as trained:
        accuracy = trained.accuracy(digits.test_images, digits.test_labels)
        assert trained.accuracy(digits.test_images, digits.test_labels) == accuracy
        with pytest.raises(InputError, match=r"accuracy: shape of labels: \(1,\)"):
            trained.accuracy(digits.test_images, digits.test_labels[:1])
        with pytest.raises(InputError, match=r"accuracy: labels: array\(\['"):
            trained.accuracy(digits.test_images, digits.test_labels.astype(str))
        with pytest.raises(InputError, match=r"shape of images: \(100, 63\) .*\(n, 64\)"):
            trained.accuracy(digits.test_images[:100, 1:], digits.test_labels[:100])
    assert accuracy > least
    assert [row.epoch for row in rows] == list(range(8))
    assert rows[-1].train_accuracy > rows[0].train_accuracy
    assert rows[-1].validation_accuracy > least - 0.03
    assert len(rows[0].rates) == len(hidden) + 2
    assert 0.0 < rows[0].rates[1] < 0.3


def test_inhibition_makes_outputs_more_selective(digits: Dataset) -> None:
    def share_of_winner(strength: float) -> float:
        spec = NetworkSpec(hidden=(48,), inhibition=InhibitionSpec(strength=strength))
        with train(spec, TrainingSpec(epochs=2), rate_synapses(4.0), digits, seed=0) as trained:
            rates = (digits.test_images[:100] / digits.grey_max * 0.4).astype(np.float32)
            counts = trained.network.infer(rates, np.random.default_rng(0)).output_counts
        return float((counts.max(axis=1) / np.maximum(counts.sum(axis=1), 1)).mean())

    assert share_of_winner(0.5) > share_of_winner(0.0) + 0.02


@pytest.mark.parametrize("synapses", [CoincidenceSynapses, ReadsSlotBySlot])
def test_inference_may_take_longer_than_training(digits: Dataset, synapses: type[Synapses]) -> None:
    """The weights do not change, and the answers are those of a network with this longer T and the
    same kernel in slots."""

    def trained(**settings: Any) -> Trained:
        spec = NetworkSpec(hidden=(16,), **settings)
        training = TrainingSpec(epochs=1)
        return train(spec, training, lambda c: synapses(c, 4.0), digits, seed=0)

    images = digits.test_images[:50]
    kernel = NeuronSpec(kernel_fraction=0.04)
    with trained(T=40) as plain, trained(T=40, inference_T=100) as longer:
        weights, same = (each.network.synapses[0].weights() for each in (plain, longer))
        np.testing.assert_array_equal(weights, same)
        with trained(T=100, neuron=kernel) as long:
            long.restore(longer.state())
            counts = longer.output_counts(images)
            np.testing.assert_array_equal(counts, long.output_counts(images))
        assert counts.sum() > 2.0 * plain.output_counts(images).sum() > 0


def test_no_validation_images_means_no_validation_accuracy(digits: Dataset) -> None:
    everything = load_dataset("digits", n_train=100, n_test=20, validation_share=0.0, seed=0)
    with train(
        NetworkSpec(hidden=(8,)), TrainingSpec(epochs=1), rate_synapses(1.0), everything, seed=0
    ) as trained:
        assert np.isnan(trained.epochs[0].validation_accuracy)


@pytest.mark.parametrize(
    ("spec", "least"),
    [
        (AnnSpec(epochs=8, dropout_hidden=0.1), 0.92),
        (AnnSpec(epochs=8, loss="mse", learning_rate=0.02), 0.75),
    ],
    ids=["softmax cross-entropy", "squared error"],
)
def test_float_baseline_learns_and_repeats(digits: Dataset, spec: AnnSpec, least: float) -> None:
    scores = [
        train_ann(spec, (48,), digits, seed=3).accuracy(digits.test_images, digits.test_labels)
        for _ in range(2)
    ]
    assert scores[0] > least
    assert scores[0] == scores[1]


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        (TrainingSpec(epochs=3, decay=0.5), [1.0, 0.5, 0.25]),
        (TrainingSpec(epochs=4, decay_shape="linear"), [1.0, 0.75, 0.5, 0.25]),
    ],
)
def test_the_step_falls_so(
    digits: Dataset,
    training: TrainingSpec,
    expected: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scales: list[float] = []
    monkeypatch.setattr(RateSynapses, "set_step_scale", lambda self, scale: scales.append(scale))
    few, spec = with_first(digits, 8), NetworkSpec(hidden=(4,), T=4)
    train(spec, training, rate_synapses(1.0), few, seed=0).close()
    assert scales == [scale for scale in expected for _ in range(2)]  # There are two crossbars.


def test_a_plan_may_try_a_step_of_no_epochs() -> None:
    assert TrainingSpec(epochs=0, decay_shape="linear").step_scale(0) == 1.0


def test_a_linear_fall_takes_no_factor() -> None:
    with pytest.raises(ValueError, match=r"decay: 0\.9 is not allowed; must be left out"):
        TrainingSpec(decay_shape="linear", decay=0.9)


def test_statistics_are_summed_only_where_they_are_totals() -> None:
    merged = merge_statistics(
        [{"pulses_total": 3.0, "keep": 0.5}, {"pulses_total": 4.0, "keep": 0.25}]
    )
    assert merged == {
        "pulses_total_1": 3.0,
        "pulses_total_2": 4.0,
        "pulses_total": 7.0,
        "keep_1": 0.5,
        "keep_2": 0.25,
    }


@pytest.mark.parametrize("wrong", ["2", -1, True, {}])
@pytest.mark.parametrize(
    "name", ["spec", "training", "factory", "data", "seed", "start", "threads"]
)
def test_arguments_of_another_kind_are_named(digits: Dataset, name: str, wrong: object) -> None:
    right = {"spec": NetworkSpec(), "training": TrainingSpec(), "factory": rate_synapses(1.0)}
    with pytest.raises(InputError, match=f"^(train|network): {name}: .* must "):
        train(**{**right, "data": digits, "seed": 0, name: wrong})
    with pytest.raises(InputError, match=r"train: data: missing; .* load_dataset returns$"):
        train(**{**right, "data": None, "seed": 0})


@pytest.mark.parametrize(
    ("call", "arguments", "field"),
    [
        (device_synapses, ("ideal", {"weight_range": 4.0}, 1.0), "spec"),
        (write_network, ("net.h5", 5), "trained"),
        (write_nir, ("net.nir", 5), "trained"),
        (partial(load_dataset, validation_share=0.1, seed=0, own={}), ("mine",), "own"),
        (trace, ({"T": 5}, [], np.zeros(3), 0, 0), "spec"),
        (Network, (NetworkSpec(), TrainingSpec(), (3, 256, 2), rate_synapses(1.0), 0), "seed"),
    ],
)
def test_values_of_another_type_are_refused_by_name(
    call: Callable[..., Any], arguments: tuple[Any, ...], field: str
) -> None:
    with pytest.raises(InputError, match=rf"^\w+: {field}: .* must be of type"):
        call(*arguments)


def test_a_factory_that_makes_no_synapses_is_refused(digits: Dataset) -> None:
    factory: Any = bool
    with pytest.raises(InputError, match=r"^network: synapses: True is not allowed; must be"):
        train(NetworkSpec(), TrainingSpec(), factory, digits, seed=0)


def test_weights_that_are_no_numbers_stop_the_run(digits: Dataset) -> None:
    with (
        pytest.warns(RuntimeWarning),
        pytest.raises(FloatingPointError, match="crossbar 1 are not finite"),
    ):
        train(NetworkSpec(hidden=[8]), TrainingSpec(epochs=1), rate_synapses(1e300), digits, seed=0)


@pytest.mark.parametrize("factory", [rate_synapses, coincidence_synapses])
def test_the_output_layer_can_have_a_step_of_its_own(
    digits: Dataset, factory: Callable[[float], SynapsesFactory]
) -> None:
    rates = (digits.train_images[:20] / np.float32(32)).astype(np.float32)
    labels = digits.train_labels[:20]

    def moves(output_step: float) -> list[np.ndarray]:
        training = TrainingSpec(batch=20, output_step=output_step)
        seed = np.random.SeedSequence(0)
        spec = NetworkSpec(hidden=(24,))
        layers = connect(spec.hidden, 64, 10)
        with Network(spec, training, layers, factory(1.0), seed) as network:
            before = [np.array(synapses.linear_read()) for synapses in network.synapses]
            network.train_batch(rates, labels, np.random.default_rng(0))
            after = [np.array(synapses.linear_read()) for synapses in network.synapses]
        return [late - early for early, late in zip(before, after, strict=True)]

    (hidden, output), (same, larger) = moves(1.0), moves(5.0)
    assert np.abs(hidden).max() > 0
    np.testing.assert_array_equal(same, hidden)
    np.testing.assert_allclose(larger, 5.0 * output, rtol=1e-3, atol=1e-5)
    assert np.abs(output).max() > 1e-3
