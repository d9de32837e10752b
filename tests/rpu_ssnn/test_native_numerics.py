"""Pins the numbers of native devices, as test_numerics_version does for others: noise, effects,
the control, and whole pulses."""

from collections.abc import Mapping

import numpy as np
import pytest

from device_presets import get_device
from rpu_ssnn.baselines.analog_sgd import train_analog_sgd
from rpu_ssnn.baselines.control_settings import AnalogSgdSpec
from rpu_ssnn.data import Dataset
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.version import NUMERICS_VERSION
from studies.reproductions.training.one_by_one import train_image_by_image
from studies.reproductions.training.one_by_one_spec import WholePulseSpec
from support.rpu_ssnn.native_devices import native
from support.rpu_ssnn.networks import make_block, random_trains, with_first

EVERYTHING = {
    "half_select": {"forward_up": 0.01, "gradient": 0.02},
    "line_spread": {"step_by_input_line": 0.1, "asymmetry_common": 0.05},
    "pulse_noise": {"of_range": 0.002},
    "wear": {"half_window_pulses": 2000},
    "lines": {"ohm_per_cell": 2.0, "on_resistance": 1e4, "voltage_constant": 0.1},
    "retention": {"loss_per_decade": 0.02},
    "device_read_noise": {"slow_of_range": 0.01, "slow_of_current": 0.02},
}
READS = {
    "reads": {"adc_bits": 8, "adc_bound": 6.0, "read_noise": 0.05},
    "device_read_noise": {"white_of_range": 0.01, "white_of_current": 0.05},
}
PAIR = {"reference": {"scheme": "differential_pair"}, "stuck_share": 0.1}

DEVICES: dict[str, tuple[str, Mapping[str, object], list[float]]] = {
    "noise of pulses": ("reram_es", {}, [-2.317899, -2.086261]),
    "written noise, pair, stuck": ("hfo2", PAIR, [-1.147284, -12.8857]),
    "pulses remembered": ("charge_trap_pulsed", {}, [-2.216358, -0.456689]),
    "measured jumps": ("table ENODe", {}, [0.3793268, 1.631186]),
    "effects of the array": ("charge_trap", EVERYTHING, [-2.142533, -2.235629]),
    "reads": ("charge_trap", READS, [-2.289536, -0.6224674]),
    "reads over lines": (
        "charge_trap",
        READS | {"lines": EVERYTHING["lines"]},
        [-2.303478, -0.5995685],
    ),
}


def weighted(values: np.ndarray) -> float:
    """Returns a sum in which each number has a different weight."""
    return float((values.ravel() * np.cos(np.arange(values.size))).sum(dtype=np.float64))


@pytest.mark.parametrize("name", DEVICES)
def test_devices_give_the_same_numbers(name: str) -> None:
    device, tile, golden = DEVICES[name]
    assert NUMERICS_VERSION == 1
    source = get_device({"table": "ENODe"} if device == "table ENODe" else device)
    synapses = native(source, **tile)
    samples = np.repeat(np.arange(10), 50)
    for seed in range(3):
        synapses.update(make_block(*random_trains(500, seed=seed), samples))
        synapses.commit(range(10))
        synapses.end_batch()
    spikes = random_trains(30, seed=9)[0].astype(np.float32)
    sums = [weighted(synapses.weights()), weighted(synapses.currents(spikes))]
    assert sums == pytest.approx(golden, rel=1e-5)


@pytest.fixture(scope="module")
def digits(digits: Dataset) -> Dataset:
    return with_first(digits, 200)


def test_the_control_gives_the_same_pulses(digits: Dataset) -> None:
    tile = TileSpec(weight_range=4.0, simulator="native")
    spec = AnalogSgdSpec(tile=tile, learning_rate=0.2, batch=10, epochs=1)
    counts = train_analog_sgd(spec, (16,), get_device("charge_trap"), digits, seed=1).statistics()
    pulses = [counts["pulses_up_total"], counts["pulses_down_total"]]
    assert pulses == pytest.approx([24663, 27751], abs=5)


def test_whole_pulses_are_the_same(digits: Dataset) -> None:
    network = train_image_by_image(
        WholePulseSpec(), (16,), digits, seed=1, learning_rate=0.3, epochs=1,
        device=get_device("neurosim_epiram"), tile=TileSpec(weight_range=1.0, simulator="native"),
    )  # fmt: skip
    counts = network.statistics()
    pulses = [counts["pulses_up_total"], counts["pulses_down_total"]]
    assert pulses == pytest.approx([21860, 20202], abs=5)
