"""Training that resumes from a saved state ends like training that was never interrupted."""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from device_presets import get_device, get_preset
from rpu_ssnn.baselines.ann import AnnSpec, FloatNetwork, train_ann
from rpu_ssnn.common.training_state import (
    State,
    StateError,
    TrainingState,
    generator_state,
    restore_generator,
)
from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.spec import NetworkSpec, SurrogateSpec, TrainingSpec
from rpu_ssnn.spec.tile import ReadSpec, ReferenceSpec, TileSpec
from rpu_ssnn.synapses import (
    Crossbar,
    RateSynapses,
    Synapses,
    SynapsesFactory,
    coincidence_synapses,
    rate_synapses,
)
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from rpu_ssnn.training import Trained, train
from studies.reproductions.training.adam import AdamNetwork
from support.rpu_ssnn.implementations import IMPLEMENTATIONS
from support.rpu_ssnn.native_devices import native
from support.rpu_ssnn.networks import KeptStates, make_block, make_crossbar, random_trains


def of_preset(name: str, tile: TileSpec | None = None, **overrides: object) -> Any:
    """Returns synapses of a preset, without cycle-to-cycle noise unless it is overridden."""
    device = get_preset(name, {"cycle_to_cycle": 0.0, **overrides})
    spec = tile or TileSpec(weight_range=4.0)
    return lambda crossbar: TileSynapses(crossbar, device, spec, 30.0)


SCHEMES = ("ideal_reference", "reference_device", "differential_pair")
PHYSICS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    **{
        scheme: (
            ("capacitor", "reram_es", "hfo2", "charge_trap_pulsed"),
            {"reference": {"scheme": scheme}},
        )
        for scheme in SCHEMES
    },
    "disturbed and worn": (
        ("reram_es", "hfo2", "capacitor"),
        {
            "half_select": {"forward_up": 1e-3, "gradient": 1e-2},
            "pulse_noise": {"of_range": 0.01},
            "wear": {"half_window_pulses": 200.0},
        },
    ),
    "resistive lines": (
        ("charge_trap", "reram_es", "capacitor", "charge_trap_pulsed"),
        {
            "lines": {"ohm_per_cell": 10.0, "on_resistance": 1e4, "voltage_constant": 0.2},
            "initial": "pulsed",
        },
    ),
    "losing": (("reram_es",), {"retention": {"loss_per_decade": 0.05}}),
    "noisy reads": (
        ("ideal",),
        {
            "device_read_noise": {"slow_of_range": 0.01, "white_of_range": 0.01},
            "read_disturb": {"forward_up": 1e-3},
        },
    ),
}
"""Presets in native devices, with the settings of their tiles."""

LEAKING = TileSpec(weight_range=4.0, slot_seconds=1e-4)
EXACT: dict[str, Callable[[Crossbar], Synapses]] = {
    **IMPLEMENTATIONS,
    **{
        f"native {name}, {what}": partial(native, get_preset(name), rate=30.0, **tile)
        for what, (names, tile) in PHYSICS.items()
        for name in names
    },
    "rate, much surrogate noise": lambda c: RateSynapses(c, 1.0, SurrogateSpec(T_s=10.0)),
    "constant step, spread": of_preset("gokmen_vlasov"),
    "linear step, leaking": of_preset("capacitor", LEAKING, leak_time_constant_s=10.0),
    "leak every third batch": of_preset(
        "capacitor", LEAKING, leak_time_constant_s=2.5e5, leak_time_constant_spread=0.0
    ),
    "soft bounds": of_preset("ecram", write_noise=0.0),
    "exponential step": of_preset("reram_es", write_noise=0.0),
    "soft bounds and reference": of_preset("hfo2", write_noise=0.0),
    "native charge traps": lambda c: NativeSynapses(
        c,
        get_preset("charge_trap_pulsed", {"loss_onset_s": 1e-3}),
        TileSpec(simulator="native"),
        30.0,
    ),
    "four-device cells": lambda c: TileSynapses(
        c, get_device("four_device_cell(ideal)"), TileSpec(weight_range=4.0), 30.0
    ),
    "stuck devices in pairs": of_preset(
        "charge_trap",
        TileSpec(
            weight_range=4.0, stuck_share=0.2, reference=ReferenceSpec(scheme="differential_pair")
        ),
    ),
}
"""Synapses that draw nothing from aihwkit's generator after construction."""


def through_a_file(state: State) -> State:
    """Returns the state after it was written to an npz file and read without pickle."""
    file = io.BytesIO()
    np.savez(file, **state)  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def train_some(synapses: Synapses, batches: range) -> None:
    """Trains batches whose trains are seeded by the number of the batch."""
    for batch in batches:
        trains = random_trains(60, seed=batch)
        sample = np.repeat(np.arange(10), 6)
        synapses.update(make_block(*trains, sample))
        synapses.commit(range(10))
        synapses.end_batch()


def assert_alike(one: Synapses, two: Synapses) -> None:
    """Checks that both agree in every bit of state, every read and every number of the row."""
    assert one.statistics() == two.statistics()
    first, second = one.state(), two.state()
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)
    lines = np.eye(one.shape[0], dtype=np.float32)
    np.testing.assert_array_equal(one.currents(lines), two.currents(lines))


@pytest.mark.parametrize("name", EXACT)
def test_restored_synapses_go_on_as_if_never_stopped(name: str) -> None:
    make = EXACT[name]
    straight = make(make_crossbar())
    straight.set_step_scale(0.7)
    train_some(straight, range(4))
    saved = through_a_file(straight.state())
    fresh = make(make_crossbar())
    before, changes = fresh.state(), fresh.changes
    fresh.restore(saved)
    assert fresh.changes > changes
    assert any(not np.array_equal(before[name], saved[name]) for name in saved)
    assert_alike(straight, fresh)
    for synapses in (straight, fresh):
        train_some(synapses, range(4, 8))
        synapses.rest(1.0)
    assert_alike(straight, fresh)


@pytest.mark.parametrize("kind", ["tiki_taka", "tiki_taka_v2", "tiki_taka_chopped", "agad"])
def test_a_cell_with_transfers_comes_back_and_goes_on(kind: str) -> None:
    """All its devices, memories and counters are restored; since its transfers are drawn at random,
    it then continues alike only on average."""
    device = get_device(f"{kind}(charge_trap)", {"transfer_gain": 1.0})

    def make() -> TileSynapses:
        return TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0), 30.0)

    straight = make()
    train_some(straight, range(4))
    saved = through_a_file(straight.state())
    fresh = make()
    fresh.restore(saved)
    assert_alike(straight, fresh)
    for synapses in (straight, fresh):
        train_some(synapses, range(4, 40 if kind == "agad" else 12))  # agad first needs averages.
    moved = [s.weights() - saved["tile_1.weights"].T for s in (straight, fresh)]
    assert np.corrcoef(moved[0].ravel(), moved[1].ravel())[0, 1] > 0.5
    assert fresh.statistics()["transfer_reads_total"] > 0


@pytest.mark.parametrize(
    ("name", "what"),
    [("mixed_precision(ideal)", "digital sum"), ("tiki_taka(reram_es)", "write noise")],
)
def test_what_aihwkit_cannot_put_back_is_refused(name: str, what: str) -> None:
    synapses = [TileSynapses(make_crossbar(), get_device(name), TileSpec(), 1.0) for _ in range(2)]
    with pytest.raises(StateError, match=what):
        synapses[0].restore(synapses[1].state())


def test_a_state_is_a_copy() -> None:
    for make in EXACT.values():
        synapses = make(make_crossbar())
        train_some(synapses, range(1))
        taken = synapses.state()
        kept = {name: values.copy() for name, values in taken.items()}
        train_some(synapses, range(1, 3))
        for name, values in kept.items():
            np.testing.assert_array_equal(taken[name], values)


@pytest.mark.parametrize("name", ["reram_es", "reram_sb"])
def test_write_noise_is_put_back_as_it_was_and_not_drawn_anew(name: str) -> None:
    """Both the read weights and the state behind them are restored; later noise is drawn by
    aihwkit."""
    make = of_preset(name)
    straight, fresh = make(make_crossbar()), make(make_crossbar())
    train_some(straight, range(4))
    saved = straight.state()
    assert not np.array_equal(saved["tile_1.weights"], saved["tile_1.persistent"])
    fresh.restore(through_a_file(saved))
    assert_alike(straight, fresh)


def test_what_is_not_put_back_exactly_is_as_small_as_documented() -> None:
    """With write noise, devices of hfo2 lie beyond their bounds, by no more than their
    reference."""
    make = of_preset("hfo2")
    straight, fresh = make(make_crossbar()), make(make_crossbar())
    train_some(straight, range(20))
    saved = straight.state()
    fresh.restore(saved)
    np.testing.assert_array_equal(fresh.state()["tile_1.weights"], saved["tile_1.weights"])
    reference = straight.tiles[0].get_hidden_parameters()["reference"].numpy()
    off = np.abs(fresh.state()["tile_1.persistent"] - saved["tile_1.persistent"])
    assert np.all(off <= np.abs(reference) + 1e-6)


def test_the_state_of_others_is_refused() -> None:
    def saved(make: Callable[[Crossbar], Synapses], **crossbar: int) -> State:
        return make(make_crossbar(**crossbar)).state()

    rate, tile = EXACT["rate"], EXACT["tile"]
    doubled = {**saved(rate), "weights": saved(rate)["weights"].astype(np.float64)}
    for make, state, said in [
        (rate, saved(rate, n_out=9), r"float32 \(20, 9\) instead of"),
        (rate, saved(tile), "holds .*'tile_1.weights'.* instead of"),
        (tile, saved(EXACT["tile, differential pair"]), "holds .*'tile_2.weights'.* instead of"),
        (rate, doubled, "float64"),
        (EXACT["constant step, spread"], saved(EXACT["soft bounds"]), "devices are other ones"),
    ]:
        with pytest.raises(StateError, match=said):
            make(make_crossbar()).restore(state)


def test_a_generator_goes_on_where_it_was() -> None:
    one = np.random.default_rng(3)
    one.random(5, dtype=np.float32)  # This leaves half a word in the generator.
    two = np.random.default_rng(4)
    restore_generator(two, generator_state(one))
    np.testing.assert_array_equal(one.random(3, dtype=np.float32), two.random(3, dtype=np.float32))
    np.testing.assert_array_equal(one.integers(2**64, size=9, dtype=np.uint64),
                                  two.integers(2**64, size=9, dtype=np.uint64))  # fmt: skip


# --- whole trainings ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_dataset("digits", n_train=300, n_test=200, validation_share=0.2, seed=0)


QUIET = get_preset("charge_trap", {"cycle_to_cycle": 0.0})
TRAININGS: dict[str, SynapsesFactory] = {
    "rate": rate_synapses(8.0),
    "rate with surrogate noise": rate_synapses(8.0, SurrogateSpec(T_s=50.0)),
    "coincidence": coincidence_synapses(8.0),
    "noiseless charge trap": device_synapses(QUIET, TileSpec(), 8.0),
    "native charge trap": device_synapses("charge_trap", TileSpec(simulator="native"), 8.0),
    "noiseless pair, own reads": device_synapses(
        QUIET, TileSpec(reads=ReadSpec(adc_bits=8, adc_bound=20.0)), 8.0
    ),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_training_stopped_after_each_epoch_equals_the_undisturbed(name: str, data: Dataset) -> None:
    """Weights, test accuracy, statistics and learning curve agree to the last bit; the network has
    replicas, a delay and dropout."""
    layers = [{"conv": {"kernel": 3, "stride": 2, "channels": 4, "replicas": 3}}, 12]
    spec = NetworkSpec.model_validate({"layers": layers, "T": 12, "gradient": {"delay": 1.5}})
    epochs = 2 if "own reads" in name else 3
    if "own reads" in name:
        data = load_dataset("digits", n_train=40, n_test=40, validation_share=0.2, seed=0)
    training = TrainingSpec(epochs=epochs, batch=20, dropout_input=0.1, dropout_hidden=0.1)
    states: list[TrainingState] = []

    def run(start: TrainingState | None, stop_after: int | None) -> Any:
        class StopError(Exception):
            pass

        def on_epoch(row: Any, state: Callable[[], TrainingState]) -> None:
            if row.epoch == stop_after:
                taken = state()
                states.append(
                    TrainingState(taken.epochs, through_a_file(taken.arrays), taken.curve)
                )
                raise StopError

        factory = TRAININGS[name]
        try:
            with train(
                spec, training, factory, data, seed=3, start=start, on_epoch=on_epoch
            ) as trained:
                weights = [s.state() for s in trained.network.synapses]
                test = trained.accuracy(data.test_images, data.test_labels)
                curve = [{**vars(row), "seconds": 0.0} for row in trained.epochs]
                return weights, test, trained.statistics(), curve
        except StopError:
            return None

    expected = run(None, None)
    start = None
    for epoch in range(epochs):  # The run stops after every epoch, including the last.
        assert run(start, epoch) is None
        start = states[-1]
        assert start.epochs == epoch + 1
    weights, test, statistics, curve = run(start, None)
    assert test == expected[1]
    assert statistics == expected[2]
    assert curve == expected[3]
    for one, two in zip(weights, expected[0], strict=True):
        for name_, values in one.items():
            np.testing.assert_array_equal(values, two[name_])


@pytest.mark.parametrize(
    ("kind", "optimiser"),
    [
        (FloatNetwork, {"momentum": 0.0}),
        (FloatNetwork, {"momentum": 0.9}),
        (AdamNetwork, {"learning_rate": 0.01}),
    ],
)
def test_the_float_baseline_goes_on_exactly(data: Dataset, kind: Any, optimiser: Any) -> None:
    spec = AnnSpec(epochs=3, dropout_input=0.1, dropout_hidden=0.2, **optimiser)
    trained = partial(train_ann, spec, (16,), data, seed=1, kind=kind)
    states = KeptStates()
    straight, seen = trained(), trained(on_epoch=states)
    again = trained(start=states[1])
    last: list[State] = [states[2].arrays]
    trained(start=states[1], on_epoch=lambda _, s: last.append(s().arrays))
    accuracies = [t.accuracy(data.test_images, data.test_labels) for t in (straight, seen, again)]
    assert len(set(accuracies)) == 1
    curves = [[replace(row, seconds=0.0) for row in t.epochs] for t in (straight, seen, again)]
    assert curves[0] == curves[1] == curves[2]
    assert [state.epochs for state in states] == [1, 2, 3]
    for one, two in pairwise(last):
        for name, values in one.items():
            np.testing.assert_array_equal(values, two[name], err_msg=name)


def test_a_training_refuses_the_state_of_another(data: Dataset) -> None:
    def trained(hidden: int, **options: Any) -> Trained:
        spec, training = NetworkSpec(hidden=(hidden,), T=6), TrainingSpec(epochs=1)
        return train(spec, training, rate_synapses(1.0), data, seed=0, **options)

    states = KeptStates()
    trained(9, on_epoch=states).close()
    with pytest.raises(StateError, match="weights"):
        trained(8, start=states[0])
