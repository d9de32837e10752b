"""Tests the control in native devices: aihwkit's pulse trains, seeded, with all device effects."""

import numpy as np
import pytest

from device_presets import get_device
from rpu_ssnn.baselines.analog_sgd import AnalogNetwork, train_analog_sgd
from rpu_ssnn.baselines.control_settings import AnalogSgdSpec, PulseTrainSpec
from rpu_ssnn.baselines.number_layers import AihwkitLayer, NativeLayer, number_crossbar
from rpu_ssnn.common.training_state import TrainingState
from rpu_ssnn.data import Dataset
from rpu_ssnn.spec import connect
from rpu_ssnn.spec.array_physics import DeviceReadNoiseSpec, HalfSelectSpec
from rpu_ssnn.spec.tile import ReadSpec, TileSpec
from support.rpu_ssnn.networks import KeptStates, with_first

N_IN, N_OUT = 20, 8
QUIET = {"levels": 20_000, "cycle_to_cycle": 0.0}


@pytest.fixture(scope="module")
def digits(digits: Dataset) -> Dataset:
    return with_first(digits, 100)


def layer[T: AihwkitLayer | NativeLayer](
    kind: type[T], device: str = "ideal", batch: int = 1, rate: float = 0.02, **settings: object
) -> T:
    simulator = "native" if kind is NativeLayer else "aihwkit"
    trains = settings.pop("trains", PulseTrainSpec())
    tile = TileSpec.model_validate({"weight_range": 4.0, "simulator": simulator, **settings})
    spec = AnalogSgdSpec(tile=tile, trains=trains, batch=batch, learning_rate=rate)  # type: ignore[arg-type]
    seeds = np.random.SeedSequence(1), np.random.SeedSequence(2)
    overrides = QUIET if device == "ideal" else {}
    (connection,) = connect((), N_IN, N_OUT)
    crossbar = number_crossbar(connection, spec, 1, seeds)
    return kind(connection, crossbar, get_device(device, overrides), spec)


def numbers(rows: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    x = rng.random((rows, N_IN), dtype=np.float32) * (rng.random((rows, N_IN)) < 0.6)
    d = rng.normal(0.0, 0.3, (rows, N_OUT)).astype(np.float32)
    return x.astype(np.float32), d


@pytest.mark.parametrize(
    ("trains", "rate"),
    [
        (PulseTrainSpec(), 0.02),
        (PulseTrainSpec(), 0.0004),  # trains of two slots
        (PulseTrainSpec(), 2.0),  # probabilities above one
        (PulseTrainSpec(length_management=False, train_length=7), 0.005),
        (PulseTrainSpec(length_management=False), 0.002),
        (PulseTrainSpec(update_management=False, length_management=False), 0.01),
        (PulseTrainSpec(update_management=False), 0.004),
    ],
)
def test_means_and_deviations_are_those_of_aihwkit(trains: PulseTrainSpec, rate: float) -> None:
    x, d = numbers()
    theirs: list[np.ndarray] = []
    ours: list[np.ndarray] = []
    for kind, found in ((AihwkitLayer, theirs), (NativeLayer, ours)):
        made = layer(kind, trains=trains, rate=rate)
        last = made.weights().copy()
        for turn in range(3200):
            sign = 1 if turn % 2 else -1  # The mean of the weights stays the same.
            made.learn(x, np.float32(sign) * d)
            made.end_batch()
            now = made.weights().copy()
            found.append(((now - last) / (-sign * made.device_step)).ravel())
            last = now
    assert np.count_nonzero(np.mean(theirs, axis=0)) > 40
    assert_same_mean(np.array(ours), np.array(theirs))
    squares = (np.square(found - np.mean(found, axis=0)).sum(axis=1) for found in (ours, theirs))
    assert_same_mean(*(of_a_turn[:, np.newaxis] for of_a_turn in squares))


def assert_same_mean(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Checks that summed differences stay below sums with random signs, which take into account
    that devices of a line share their trains."""
    differences = ours - theirs
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (1000, len(differences)))
    by_chance = np.square(signs @ differences).sum(axis=1)
    assert np.square(differences.sum(axis=0)).sum() < 2.0 * by_chance.max()


def test_converters_read_numbers_as_aihwkits_do() -> None:
    reads = ReadSpec(dac_bits=4, adc_bits=6, adc_bound=3.0, adc_bound_transposed=1.0)
    tile, native = (
        layer(kind, "charge_trap", reads=reads.model_dump()) for kind in (AihwkitLayer, NativeLayer)
    )
    x, d = numbers(50)
    step = 4.0 * np.sqrt(2.0 / N_IN) * 6.0 / 62  # A step of the ADC as a weight, for an input of 1.
    for mine, theirs in (
        (native.outputs(5 * x), tile.outputs(5 * x)),
        (native.errors_below(0.01 * d), tile.errors_below(0.01 * d)),
    ):
        near = np.abs(mine - theirs) < 1e-4 * np.abs(theirs).max()
        assert near.mean() > 0.99, "but where a sum lies on the edge of two steps"
        assert len(np.unique(mine)) > 100
    assert np.abs(native.outputs(x) - x @ native.weights()).max() > 0.3 * step
    assert not native.outputs(np.zeros_like(x)).any()


def test_white_noise_of_devices_grows_with_the_squares_of_the_inputs() -> None:
    noise = DeviceReadNoiseSpec(white_of_range=0.1)
    native = layer(NativeLayer, device_read_noise=noise.model_dump())
    x = np.zeros((20_000, N_IN), dtype=np.float32)
    x[:, :2] = 3.0, 4.0
    spread = native.outputs(x).std(axis=0) / (4.0 * np.sqrt(2.0 / N_IN))
    np.testing.assert_allclose(spread, 5.0 * 2.0 * 0.1, rtol=0.03)  # The range is 2 states.


@pytest.mark.parametrize("device", ["charge_trap", "charge_trap_pulsed", "reram_sb"])
@pytest.mark.parametrize("batch", [1, 20])
def test_native_numbers_repeat_and_go_on_alike(digits: Dataset, device: str, batch: int) -> None:
    tile = TileSpec(simulator="native", weight_range=8.0)
    spec = AnalogSgdSpec(epochs=2, dropout_input=0.1, tile=tile, batch=batch)
    states = KeptStates()

    def run(seed: int = 0, start: TrainingState | None = None) -> AnalogNetwork:
        made = get_device(device, {})
        return train_analog_sgd(spec, (8,), made, digits, seed=seed, start=start, on_epoch=states)

    first, again = run(), run()
    for other in (again, run(start=states[0])):
        for mine, theirs in zip(first.layers, other.layers, strict=True):
            np.testing.assert_array_equal(mine.weights(), theirs.weights())
    assert (first.layers[0].weights() != run(seed=1).layers[0].weights()).mean() > 0.9


def test_native_pulses_are_counted() -> None:
    native = layer(NativeLayer, "charge_trap", batch=50)
    x, d = numbers(50)
    native.learn(x, d)
    counts = native.statistics()
    assert counts["pulses_up_total"] + counts["pulses_down_total"] == native.pulses.sum() > 0
    assert not native.pulses[~x.any(axis=0)].any()


def test_half_select_counts_spikes_of_trains_that_meet_none() -> None:
    """One input line spikes, but in most slots no output line does."""
    steps = HalfSelectSpec(forward_up=0.01)
    x, d = np.zeros((1, N_IN), np.float32), np.full((1, N_OUT), 1e-5, np.float32)
    x[0, 3], d[0, 0] = 1.0, -1.0
    trains = PulseTrainSpec(length_management=False, train_length=100)
    native = layer(NativeLayer, trains=trains, rate=0.0005, half_select=steps.model_dump())
    before = native.weights().copy()
    native.learn(x, d)
    moved = (native.weights() - before) / native.device_step
    assert not moved[np.arange(N_IN) != 3].any()
    spikes = moved[3, 5] / 0.01
    assert spikes == pytest.approx(round(spikes), abs=0.05)
    assert spikes > native.pulses[3].sum(), "spikes that met no other disturb, too"


def test_lines_have_draws_of_their_own_however_long_the_devices_rest() -> None:
    """With 100 s per presentation, a few dozen of them last 2^32 slots."""
    native = layer(NativeLayer, "charge_trap_pulsed", rate=0.001, idle_seconds=100.0)
    x, d = np.ones((1, N_IN), np.float32), np.ones((1, N_OUT), np.float32)
    pulses = []
    for _ in range(300):
        before = native.pulses.copy()
        native.learn(x, d)
        native.end_batch()
        pulses.append((native.pulses - before).sum(axis=1))
    late = np.array(pulses[-200:])
    assert (late[:, 0] != late[:, 1]).mean() > 0.3
