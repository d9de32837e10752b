"""Compares the leak with its closed form, exp(-t / tau), for every way in which time passes."""

import numpy as np
import pytest

from device_presets import get_preset
from rpu_ssnn.data import load_dataset
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.spec.tile import ReferenceSpec, TileSpec
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from rpu_ssnn.synapses.tiles.tile import PERSISTENT
from rpu_ssnn.training import train
from studies.declaration.trial import Trial
from support.commands import refused
from support.rpu_ssnn.native_devices import on_all
from support.rpu_ssnn.networks import deliver, make_crossbar
from support.studies.harness import trial_of_case

QUIET = {"leak_time_constant_spread": 0.0, "cycle_to_cycle": 0.0}
BATCH_SLOTS = 10 * 50
"""The number of slots in a batch of `make_crossbar`: presentations times T."""


def capacitor(tau: float, **tile: object) -> TileSynapses:
    device = get_preset("capacitor", QUIET | {"leak_time_constant_s": tau})
    return TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0, **tile), 1.0)


def left(synapses: TileSynapses) -> np.ndarray:
    """Returns the share of the written weights that is left, [n_in, n_out]."""
    return synapses.weights() / make_crossbar().initial


@pytest.mark.parametrize("share", [8.1e-7, 3e-5, 1e-3, 0.1, 1.5], ids=lambda x: f"dt {x} tau")
def test_a_written_weight_decays_by_batches_whatever_their_length(share: float) -> None:
    """The batches range from far too short for single precision to longer than tau."""
    tau = 0.02
    synapses = capacitor(tau, slot_seconds=share * tau / BATCH_SLOTS)
    batches = max(2, round(1.0 / share))
    for _ in range(batches):
        synapses.end_batch()
    np.testing.assert_allclose(left(synapses), np.exp(-batches * share), rtol=0.01)


@pytest.mark.parametrize("times", [1e-6, 0.1, 1.0, 3.0])
def test_storage_decays_and_training_goes_on_as_before(times: float) -> None:
    tau = 1000.0
    synapses = capacitor(tau, slot_seconds=1.0)
    changes = synapses.changes
    synapses.rest(times * tau)
    assert synapses.changes > changes
    np.testing.assert_allclose(left(synapses), np.exp(-times), rtol=0.01)
    synapses.end_batch()
    np.testing.assert_allclose(left(synapses), np.exp(-times - 0.5), rtol=0.01)


def test_storage_draws_no_write_noise_on_what_the_devices_keep() -> None:
    device = get_preset("capacitor", QUIET | {"leak_time_constant_s": 1000.0, "write_noise": 20.0})
    synapses = TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0), 1.0)
    (tile,) = synapses.tiles
    written = tile.get_hidden_parameters()[PERSISTENT].numpy().copy()
    synapses.rest(100.0)
    kept = tile.get_hidden_parameters()[PERSISTENT].numpy()
    np.testing.assert_allclose(kept, written * np.exp(-0.1), rtol=0.01, atol=1e-6)


def test_what_is_too_short_to_show_is_not_lost() -> None:
    """The leak of nine batches waits until the tenth makes it large enough; storage includes
    whatever still waits."""
    synapses = capacitor(1.0, slot_seconds=2.1e-6 / BATCH_SLOTS)
    for _ in range(9):
        synapses.end_batch()
    assert synapses.statistics()["leak_steps"] == 0
    synapses.end_batch()
    assert synapses.statistics()["leak_steps"] == 1
    for _ in range(9):
        synapses.end_batch()
    before = synapses.weights().copy()
    synapses.rest(1e-6)
    removed = 1 - (synapses.weights() / before).mean()
    assert removed == pytest.approx(9 * 2.1e-6 + 1e-6, rel=0.05)


def test_each_device_leaks_with_its_own_time_constant() -> None:
    """The time constants are the same whether time passes in small or in large steps."""
    device = get_preset("capacitor", {"leak_time_constant_s": 1.0, "cycle_to_cycle": 0.0})
    shares = []
    for batches in (100, 1):
        spec = TileSpec(weight_range=4.0, slot_seconds=1.0 / BATCH_SLOTS / batches)
        synapses = TileSynapses(make_crossbar(100, 40), device, spec, 1.0)
        for _ in range(batches):
            synapses.end_batch()
        shares.append(synapses.weights() / make_crossbar(100, 40).initial)
    np.testing.assert_allclose(shares[0], shares[1], rtol=0.01, atol=1e-6)
    kept = shares[0][shares[0] > 1e-6]
    assert (-1 / np.log(kept)).std() == pytest.approx(0.3, abs=0.02)


def test_pairs_leak_and_stuck_devices_do_not() -> None:
    pair = capacitor(1.0, reference=ReferenceSpec(scheme="differential_pair"))
    pair.rest(1.0)
    np.testing.assert_allclose(left(pair), np.exp(-1.0), rtol=0.01)
    stuck = capacitor(1.0, stuck_share=1.0)
    before = stuck.weights().copy()
    stuck.rest(1.0)
    np.testing.assert_array_equal(stuck.weights(), before)


def test_a_device_without_leak_keeps_its_weights() -> None:
    synapses = TileSynapses(make_crossbar(), get_preset("ideal"), TileSpec(idle_seconds=1e9), 1.0)
    before = synapses.weights().copy()
    synapses.end_batch()
    synapses.rest(1e12)
    np.testing.assert_array_equal(synapses.weights(), before)
    assert synapses.statistics()["leak_steps"] == 0


def test_leak_and_pulses_add_up() -> None:
    """A weight that is pulsed and left to leak in turn follows w -> (w + step) exp(-dt / tau)."""
    flat = {"slope_up": 0.0, "slope_up_spread": 0.0, "step_spread": 0.0, "asymmetry_spread": 0.0}
    device = get_preset("capacitor", QUIET | flat | {"leak_time_constant_s": 1.0})
    spec = TileSpec(weight_range=4.0, slot_seconds=0.1 / BATCH_SLOTS)
    synapses = TileSynapses(make_crossbar(), device, spec, 1e6)
    expected = synapses.weights().copy()
    for _ in range(20):
        deliver(synapses, on_all(1))
        synapses.end_batch()
        expected = (expected + synapses.device_step) * np.exp(-0.1)
    np.testing.assert_allclose(synapses.weights(), expected, rtol=0.01, atol=1e-4)


def test_training_leaks_for_as_long_as_the_ledger_says() -> None:
    """A network is trained for some epochs at a learning rate that sends almost no pulses."""
    data = load_dataset("digits", n_train=40, n_test=None, validation_share=0.0, seed=0)
    spec, training = NetworkSpec(hidden=(8,), T=10), TrainingSpec(epochs=3, batch=10)
    tile = TileSpec(slot_seconds=1e-6, idle_seconds=1e-3)
    device = get_preset("capacitor", QUIET | {"leak_time_constant_s": 0.2})
    starts: list[np.ndarray] = []

    def factory(crossbar):  # type: ignore[no-untyped-def]
        synapses = device_synapses(device, tile, 1e-12)(crossbar)
        starts.append(synapses.weights().copy())
        return synapses

    with train(spec, training, factory, data, seed=0) as trained:
        ends = [synapses.weights() for synapses in trained.network.synapses]
    seconds = (13 * 1e-6 + 1e-3) * 40 * 3
    for start, end in zip(starts, ends, strict=True):
        np.testing.assert_allclose(end, start * np.exp(-seconds / 0.2), rtol=0.01)


def trial_of(**tile: object) -> Trial:
    drive = {"weight_range": 2, "learning_rate": 8}
    return trial_of_case({"device": "capacitor", "tile": tile, "hyperparameters": drive})


def test_idle_and_storage_make_other_units_and_zero_does_not() -> None:
    plain = trial_of().identity
    assert trial_of(idle_seconds=0.0, storage_seconds=0.0).identity == plain
    resting = trial_of(idle_seconds=1.0), trial_of(storage_seconds=1.0)
    assert len({plain, *(trial.identity for trial in resting)}) == 3


def test_a_slot_shorter_than_a_leaking_device_s_pulse_is_refused() -> None:
    with refused("tile.slot_seconds", "1e-07", "at least 5e-07 s", "capacitor"):
        trial_of(slot_seconds=1e-7)
