"""Tests `SpikingClassifier` with scikit-learn's checks, and its messages about devices."""

import pickle
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from aihwkit.simulator.configs import SoftBoundsDevice
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from rpu_ssnn import SpikingClassifier
from rpu_ssnn.common.errors import InputError
from support.commands import refused

X, Y = load_digits(return_X_y=True)
X, Y = X[:600], np.array([f"digit {k}" for k in Y[:600]])
FAST: dict[str, Any] = {"hidden": (32,), "T": 30, "epochs": 10, "batch": 10, "random_state": 0}

BY_PLACE = "each row's spikes are drawn by its place among the rows shown"
EXPECTED = {f"check_methods_{x}_invariance": BY_PLACE for x in ("sample_order", "subset")}
"""scikit-learn's checks that fail, with the reason (see also docs/how-to/python.md)."""


@parametrize_with_checks(
    [SpikingClassifier(hidden=(32,), T=50, epochs=12, batch=5)],
    expected_failed_checks=lambda _: EXPECTED,
)
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("synapses", ["coincidence", "rate", "charge_trap"])
def test_learns_and_repeats(synapses: str) -> None:
    model = SpikingClassifier(**FAST, synapses=synapses).fit(X[:450], Y[:450])
    assert model.score(X[450:], Y[450:]) > 0.75
    assert np.array_equal(model.predict(X), model.predict(X))
    assert len(model.epochs_) == 10


def test_native_devices_repeat_and_remember() -> None:
    settings: dict[str, Any] = FAST | {"epochs": 2, "tile": {"simulator": "native"}}
    models = [SpikingClassifier(**settings, synapses="charge_trap_pulsed") for _ in range(2)]
    first, second = (model.fit(X[:200], Y[:200]).trained_.network for model in models)
    for one, other in zip(first.synapses, second.synapses, strict=True):
        np.testing.assert_array_equal(one.weights(), other.weights())


def test_what_cannot_be_loaded_again_is_not_saved() -> None:
    settings: dict[str, Any] = FAST | {"epochs": 1}
    model = SpikingClassifier(**settings, synapses="mixed_precision(ideal)").fit(X[:50], Y[:50])
    before = model.predict(X)
    with pytest.raises(InputError, match="pickled"):
        pickle.dumps(model)
    assert np.array_equal(model.predict(X), before)


def test_devices_say_what_they_took() -> None:
    device = SoftBoundsDevice(dw_min=0.01, w_min=-1.0, w_max=1.0, dw_min_std=0.0)
    model = SpikingClassifier(**FAST, synapses=device).fit(X[:200], Y[:200])
    table = model.device_table()
    assert table["crossbar"].tolist() == [1, 2]
    assert table["devices_total"].tolist() == [128 * 32, 32 * 10]
    assert (table["pulses_up_total"] > 0).all()
    ideal = SpikingClassifier(**FAST).fit(X[:50], Y[:50]).device_table()
    assert ideal[["n_in", "n_out"]].values.tolist() == [[128, 32], [32, 10]]


def test_a_number_of_neurons_is_one_hidden_layer() -> None:
    model = SpikingClassifier(**FAST | {"hidden": np.int64(8), "epochs": 1}).fit(X[:50], Y[:50])
    assert model.device_table()["n_out"].tolist() == [8, 10]


@pytest.mark.parametrize(
    "bad",
    [
        {"T": 0},
        {"network": {"initial_scale": 0}},
        {"network": {"T": 40}},
        {"network": "deep"},
        {"tile": {"weight_range": -1.0}, "synapses": "ideal"},
        {"tile": 4.0, "synapses": "ideal"},
        {"tile": {"simulator": "native"}, "synapses": "rate"},
        {"learning_rate": -4.0},
        {"scale": "every"},
        {"threads": 0},
        {"verbose": "yes"},
        {"threads": 10**9},
        {"hidden": "64"},
        {"hidden": 0},
        {"hidden": ()},
        {"hidden": 3.5},
        {"synapses": "capacitr"},
        {"synapses": 5},
        {"random_state": "a"},
    ],
)
def test_a_bad_parameter_is_one_line(bad: dict[str, Any]) -> None:
    field, value = next(iter(bad.items()))
    while isinstance(value, dict):
        value = next(iter(value.values()))
    with refused(repr(value)) as caught:
        SpikingClassifier(**FAST | bad).fit(X[:50], Y[:50])
    named = re.search(rf"SpikingClassifier: {field}(\.[a-zA-Z_]+)?: ", str(caught.value))
    assert named or field == "synapses"


def test_missing_synapses_are_one_line() -> None:
    with pytest.raises(InputError, match=r"synapses: missing; must be one of .*, or a device$"):
        SpikingClassifier(**FAST | {"synapses": None}).fit(X[:50], Y[:50])


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (X.reshape(-1, 8, 8), r"shape of X: \(.*, 8, 8\) .* images need network"),
        (X.astype(str), r"values of X: 'str\d+' .*must be real numbers"),
    ],
)
def test_bad_data_is_one_line(bad: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        SpikingClassifier(**FAST).fit(bad, Y)


@pytest.mark.parametrize(
    ("synapses", "tile"), [("coincidence", None), ("charge_trap", {"simulator": "native"})]
)
def test_convolutions_learn_and_are_copied(synapses: str, tile: dict[str, str] | None) -> None:
    images = X.reshape(-1, 8, 8)
    layers = [{"conv": {"kernel": 3, "stride": 2, "channels": 8}}, 24]
    settings = FAST | {
        "network": {"layers": layers, "gradient": {"delay": 2.5}},
        "tile": tile,
        "synapses": synapses,
    }
    model = clone(SpikingClassifier(**settings, learning_rate=8.0)).fit(images[:500], Y[:500])
    assert model.score(images[500:], Y[500:]) > 0.6
    assert [s.shape for s in model.trained_.network.synapses] == [(18, 8), (72, 24), (24, 10)]
    again = pickle.loads(pickle.dumps(model))
    channels = images[500:, :, :, np.newaxis]
    assert np.array_equal(again.predict(images[500:]), model.predict(images[500:]))
    with pytest.raises(ValueError, match=r"shape of X: \(100, 8, 8, 1\).*8, 8"):
        model.predict(channels)
    one = SpikingClassifier(**settings, learning_rate=8.0).fit(images[:50, ..., np.newaxis], Y[:50])
    assert one.spike_counts(channels).shape == (100, 10)


def convolutions(kernel: int) -> dict[str, Any]:
    return {"layers": [{"conv": {"kernel": kernel, "channels": 8}}]}


def test_convolutions_need_images() -> None:
    with refused("X: shape", "[64]", "rows, columns and channels"):
        SpikingClassifier(network=convolutions(3), **FAST).fit(X, Y)
    with refused("network.layers.0.conv.kernel: 0", "1 to 1000"):
        SpikingClassifier(network=convolutions(0), **FAST).fit(X, Y)
    with refused("SpikingClassifier: network.layers.0", "kernel"):
        SpikingClassifier(network=convolutions(9), **FAST).fit(X.reshape(-1, 8, 8), Y)


def test_a_batch_has_at_most_all_rows() -> None:
    """Otherwise the step would be divided by rows that are not there."""
    counts = []
    for batch in (60, 999):
        model = SpikingClassifier(**FAST | {"batch": batch}).fit(X[:60], Y[:60])
        counts += [one.spike_counts(X[:60]) for one in (model, pickle.loads(pickle.dumps(model)))]
    for other in counts[1:]:
        np.testing.assert_array_equal(counts[0], other)


def test_part_by_part() -> None:
    model = SpikingClassifier(**FAST)
    for _ in range(6):
        model.partial_fit(X[:450], Y[:450], classes=np.unique(Y))
    assert [row.epoch for row in model.epochs_] == list(range(6))
    assert model.score(X[450:], Y[450:]) > 0.75
    with refused("y: 'digit 99'", "one of the classes", "digit 0"):
        model.partial_fit(X[:2], ["digit 1", "digit 99"])
    with pytest.raises(ValueError, match="those of the first call"):
        model.partial_fit(X[:2], Y[:2], classes=np.unique(Y)[:5])
    with refused("learning_rate: 1.0", "4.0, as in the first call"):
        model.set_params(learning_rate=1.0).partial_fit(X[:2], Y[:2])


@pytest.mark.parametrize(
    ("rows", "labels", "T", "words"),
    [
        (X[:50, :9], np.linspace(0.0, 1.0, 50), 30, "Unknown label"),
        (X[:50, :9], np.zeros(50), 30, "at least 2 classes"),
        (np.full((50, 9), np.nan), Y[:50], 30, "nan is not"),
        (np.ma.masked_greater(X[:50], 0), Y[:50], 30, "masked"),
        (X[:50], np.ma.masked_equal(Y[:50], Y[0]), 30, "masked"),
        (X[:50] * 2, np.arange(50) % 2, 0, "T: 0"),
    ],
)
def test_a_second_fit_that_fails_leaves_nothing_fitted(
    rows: Any, labels: Any, T: int, words: str
) -> None:
    model = SpikingClassifier(**FAST | {"epochs": 1}).fit(X[:50], Y[:50]).set_params(T=T)
    with pytest.raises(ValueError, match=words):
        model.fit(rows, labels)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_data_that_do_not_fit_are_named_in_one_line() -> None:
    named = pd.DataFrame(X[:50, :4], columns=list("abcd"))
    hole, mixed = named.copy(), np.array([1, "a"] * 25, dtype=object)
    hole.loc[7, "c"] = np.nan
    model = SpikingClassifier(**FAST | {"epochs": 1}).fit(named, Y[:50])
    for use, *words in [
        (lambda: model.score(named, Y[:49]), "y: Found", "[50, 49]; must", "each of the 50 rows"),
        (lambda: model.score(named, Y[:50], [1, 2]), "y or sample_weight: Found"),
        (lambda: model.score(named, None), "y: ", "the target y is None; must"),
        (lambda: model.score(named, np.arange(50)), "y: 0 is not allowed; must", "as in `fit`"),
        (lambda: model.predict([[1, 2, 3, 4], [5]]), "X: rows differ in length; must"),
        (lambda: model.predict(named.rename(columns={"a": "z"})), "X: The feature names", "- z"),
        (lambda: model.predict(hole), "X: index [7, 2]: nan", "a finite number"),
        (lambda: model.predict(X[0]), "shape of X: (64,)", "rows [n, columns]"),
        (lambda: model.predict(X[:, :2]), "X: X has 2 features, but"),  # before any warning
        (lambda: model.fit({"a": [1]}, [1]), "X: {'a': [1]} is not", "rows [n, columns]"),
        (lambda: model.fit(named.assign(a="5 V"), Y[:50]), "X: could not convert", "'5 V'; must"),
        (lambda: model.fit(named.assign(a=pd.Categorical(["x"] * 50)), Y[:50]), "X: ", "'x'; "),
        (lambda: model.fit(named.assign(a=pd.Timestamp(0)), Y[:50]), "X: some columns hold no num"),
        (lambda: model.fit(named, mixed), "y: Unknown label type: unknown; must", "whole numbers"),
        (lambda: model.fit(X[:0], Y[:0]), "X: Found array with 0 sample(s)"),
        (lambda: model.fit(named, None), "y: ", "the target y is None; must"),
        (lambda: SpikingClassifier(network={None: 1}).fit(X, Y), "network.None: unknown key"),
        (lambda: model.partial_fit(named, Y[:50], classes=[]), "classes: it has 0", "at least 2"),
    ]:
        with refused("SpikingClassifier: ", *words):
            use()


@pytest.mark.parametrize("circuit", [None, {"threshold_spread": 0.1, "threshold_drift": 1.0}])
@pytest.mark.parametrize("synapses", ["coincidence", "charge_trap"])
def test_a_copy_predicts_the_same(synapses: str, circuit: dict[str, float] | None) -> None:
    network = None if circuit is None else {"neuron": {"circuit": circuit}}
    model = SpikingClassifier(**FAST, synapses=synapses, network=network).fit(X[:200], Y[:200])
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.spike_counts(X), model.spike_counts(X))
    assert not hasattr(clone(model), "trained_")
    changed = pickle.loads(pickle.dumps(model.set_params(T=40, hidden=(7,), synapses="rate")))
    assert np.array_equal(changed.spike_counts(X), model.spike_counts(X))
    assert changed.get_params() == model.get_params()


def test_goes_into_pipelines_and_cross_validation() -> None:
    signed = {"encoding": {"contrast": "signed"}}
    pipeline = make_pipeline(StandardScaler(), SpikingClassifier(**FAST, network=signed))
    scores = cross_val_score(pipeline, X, Y, cv=3)
    assert scores.min() > 0.7
