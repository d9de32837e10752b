"""Compares the ladders of resistive lines with the nodal solution, and tests their effects on
native devices."""

import numpy as np
import pytest

from device_presets import get_preset
from rpu_ssnn.synapses import Crossbar
from rpu_ssnn.synapses.native.effects.line_resistance import line_shares
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from support.rpu_ssnn.line_errors import line_errors, nodal_solution
from support.rpu_ssnn.native_devices import SCALE, all_at, native, on_all, pulse
from support.rpu_ssnn.networks import make_block, random_trains

LINES = {"ohm_per_cell": 10.0, "on_resistance": 1e4, "voltage_constant": 0.2}
EXACT = get_preset("ideal", {"levels": 1000})


def exact(crossbar: Crossbar | None = None, **tile: object) -> NativeSynapses:
    return native(EXACT, crossbar, **tile)


def equal_cells(drop: float, cells: int) -> np.ndarray:
    """Returns the share of the voltage at each cell of a ladder of equal cells, in closed form."""
    u = 2.0 * np.arcsinh(np.sqrt(drop) / 2.0)
    return np.cosh((cells - np.arange(cells) - 0.5) * u) / np.cosh((cells + 0.5) * u)


# --- the circuit --------------------------------------------------------------------------------

# badcrossbar 1.1.0: compute(VOLTS[:, None], OHM, r_i=r); currents.output, and for 100 ohm
# voltages.word_line - voltages.bit_line.
OHM = np.array(
    [[64059, 27709, 5056, 2636], [81514, 91363, 61057, 73220], [54819, 93572, 81770, 1271],
     [85883, 4325, 73236, 18390], [86455, 54605, 30671, 42846]]
)  # fmt: skip
VOLTS = np.array([1.0, 0.0, 0.5, 1.0, 0.25])
CURRENTS = {
    1.0: [3.923919176e-05, 2.768609993e-04, 2.250802908e-04, 8.27584576e-04],
    100.0: [3.718623726e-05, 2.459845801e-04, 1.79463214e-04, 5.047785012e-04],
}
OVER_CELLS = [
    [0.942727640, 0.853379544, 0.789166676, 0.651496529],
    [-0.010514719, -0.054453248, -0.065475351, -0.169092385],
    [0.467782027, 0.403109143, 0.382762743, 0.266898781],
    [0.965204269, 0.897051004, 0.904913956, 0.835022625],
    [0.244397268, 0.221916012, 0.227373129, 0.194387911],
]


@pytest.mark.parametrize("ohm", [1.0, 100.0])
def test_the_nodal_solution_is_that_of_badcrossbar(ohm: float) -> None:
    over_cells, currents = nodal_solution(ohm / OHM, VOLTS, np.zeros(4))
    np.testing.assert_allclose(currents / ohm, CURRENTS[ohm], rtol=1e-6)
    if ohm == 100.0:
        np.testing.assert_allclose(over_cells, OVER_CELLS, atol=1e-8)


def test_output_lines_can_be_driven_in_place_of_input_lines() -> None:
    """They act as input lines of the transposed array, with drivers and ends exchanged."""
    drops, volts = 100.0 / OHM, np.array([1.0, 0.2, 0.0, -0.5])
    over_cells, _ = nodal_solution(drops, np.zeros(5), volts)
    turned, _ = nodal_solution(drops.T[::-1, ::-1], volts[::-1], np.zeros(5))
    np.testing.assert_allclose(over_cells, -turned[::-1, ::-1].T, atol=1e-12)


@pytest.mark.parametrize("drop", [1e-9, 1e-4, 0.02, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (30, 12)])
def test_equal_cells_are_a_ladder_with_a_closed_form(drop: float, shape: tuple[int, int]) -> None:
    inputs, outputs = line_shares(np.full(shape, drop))
    near_first = np.tile(equal_cells(drop, shape[1]), (shape[0], 1))
    np.testing.assert_allclose(1.0 - inputs, 1.0 - near_first, rtol=1e-6)
    near_last = np.tile(equal_cells(drop, shape[0])[::-1, None], (1, shape[1]))
    np.testing.assert_allclose(1.0 - outputs, 1.0 - near_last, rtol=1e-6)


def test_a_single_line_of_cells_to_ground_is_exact() -> None:
    """With one input line, each output line has one cell and a segment to its end."""
    drops = np.random.default_rng(0).uniform(0.0, 0.3, (1, 9))
    _, currents = nodal_solution(drops, np.ones(1), np.zeros(9))
    with_their_end = drops / (1.0 + drops)
    inputs, _ = line_shares(with_their_end)
    np.testing.assert_allclose(currents, (inputs * with_their_end)[0], rtol=1e-12)


def test_longer_lines_are_cut_into_arrays() -> None:
    drops = np.random.default_rng(1).uniform(0.0, 0.1, (10, 14))
    inputs, outputs = line_shares(drops, 4)
    for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):
        for columns in (slice(0, 4), slice(4, 8), slice(8, 12), slice(12, 14)):
            alone = line_shares(drops[rows, columns])
            np.testing.assert_array_equal(inputs[rows, columns], alone[0])
            np.testing.assert_array_equal(outputs[rows, columns], alone[1])


@pytest.mark.parametrize(
    ("drop", "current_error", "write_error"), [(0.01, 5e-5, 1e-3), (0.1, 3e-3, 8e-3)]
)
def test_ladders_are_as_near_to_the_nodal_solution_as_the_docs_say(
    drop: float, current_error: float, write_error: float
) -> None:
    errors = line_errors(side=64, drop=drop, active=0.2, seed=3)
    assert errors.current_lost > 1.2 * drop, "there is something to get wrong"
    assert errors.write_lost > 0.5 * drop
    assert errors.current_error < current_error
    assert 0.0 < errors.write_error < write_error, "other lines take voltage too"


# --- devices on these lines ---------------------------------------------------------------------


def test_steps_fall_with_the_voltage_that_reaches_the_cell() -> None:
    """All devices and references are at mid-range, which makes 20 x 16 equal cells."""
    synapses = exact(all_at(0.0), lines=LINES)
    before = synapses.records[0]["state"].copy()
    pulse(synapses, on_all(1))
    over_input, over_output = equal_cells(5e-4, 16)[::2], equal_cells(5e-4, 20)[::-1]
    lost = 1.0 - (over_input[None, :] + over_output[:, None]) / 2.0
    expected = 0.002 * np.exp(-lost / 0.2)
    assert expected.min() < 0.8 * 0.002
    np.testing.assert_allclose(synapses.records[0]["state"] - before, expected, rtol=1e-4)
    assert synapses.statistics()["write_share_least"] == pytest.approx(1.0 - lost.max())


@pytest.mark.parametrize("ratio", [None, 5.0])
def test_reads_see_the_difference_of_two_neighbouring_lines(ratio: float | None) -> None:
    """All cells are equal and all weights zero, but the reference is one cell further from the
    driver."""
    reference = {"on_off_ratio": ratio}
    synapses = exact(all_at(0.0), lines=LINES, reference=reference)
    middle = 0.5 if ratio is None else 0.6
    over_output = equal_cells(1e-3 * middle, 20)[::-1, None]
    over_input = equal_cells(1e-3 * middle, 16)[None, :]
    currents = 2.0 * SCALE * middle * over_output * over_input
    expected = currents[:, ::2] - currents[:, 1::2]
    assert expected.max() > 1e-3 * SCALE
    np.testing.assert_allclose(synapses.weights(), expected, rtol=1e-3)


@pytest.mark.parametrize("scheme", ["ideal_reference", "reference_device", "differential_pair"])
def test_read_currents_are_near_those_of_the_nodal_solution(scheme: str) -> None:
    spread = {"spread": 0.2} if scheme == "reference_device" else {}
    synapses = exact(lines=LINES, reference={"scheme": scheme, **spread})
    states = np.zeros((20, 16))
    for d, record in enumerate(synapses.records):
        states[:, d::2] = record["state"]
    ideal = exact(reference={"scheme": scheme, **spread})
    if scheme == "reference_device":  # The reference subtracts the excess of the device.
        states[:, 1::2] = states[:, ::2] - ideal.weights() / SCALE
    drops, spikes = 1e-3 * (states + 1.0) / 2.0, random_trains(1)[0][0].astype(float)
    _, currents = nodal_solution(drops, spikes, np.zeros(16))
    pair = scheme == "differential_pair"
    expected = SCALE * (1.0 if pair else 2.0) * (currents[::2] - currents[1::2]) / 1e-3
    lost = np.abs(spikes @ ideal.weights() - expected).max()
    assert np.abs(spikes @ synapses.weights() - expected).max() < 0.05 * lost


@pytest.mark.parametrize("scheme", ["ideal_reference", "reference_device", "differential_pair"])
def test_reads_through_converters_see_the_same_currents(scheme: str) -> None:
    tile = {"lines": LINES, "reference": {"scheme": scheme}}
    matrix, converted = exact(**tile).weights(), exact(**tile, reads={"adc_bound": 1e3})
    spikes = np.eye(20, dtype=np.float32)
    np.testing.assert_allclose(converted.currents(spikes), matrix, atol=1e-6)
    back = converted.currents(np.eye(8, dtype=np.float32), transposed=True)
    np.testing.assert_allclose(back, matrix.T, atol=1e-6)


def test_shares_are_those_of_the_last_end_of_a_batch() -> None:
    synapses = exact(all_at(0.0), lines=LINES)
    shares = synapses.statistics()
    pulse(synapses, on_all(300))
    assert synapses.statistics()["read_share"] == shares["read_share"]
    assert synapses.weights().min() > 0.3 * SCALE, "reads see the pulses at once"
    synapses.end_batch()
    assert synapses.statistics()["read_share"] < shares["read_share"], "more conductance"


@pytest.mark.parametrize("lines", [{"on_resistance": 1e4}, LINES | {"ohm_per_cell": 1e-9}])
def test_ideal_lines_lose_nothing(lines: dict[str, float]) -> None:
    block = make_block(*random_trains(200))
    resistive, ideal = exact(lines=lines), exact()
    for synapses in (resistive, ideal):
        pulse(synapses, block)
        synapses.end_batch()
    np.testing.assert_allclose(resistive.weights(), ideal.weights(), atol=1e-6)
    assert ("read_share" in resistive.statistics()) == ("ohm_per_cell" in lines)


@pytest.mark.parametrize("noise", ["white_of_range", "white_of_current"])
@pytest.mark.parametrize("scheme", ["ideal_reference", "differential_pair"])
def test_lines_weaken_the_noise_of_a_device_as_its_current(noise: str, scheme: str) -> None:
    """One device is read at a time."""
    spikes = np.zeros((40_000, 20), np.float32)
    spikes[:, 11] = 1
    settings = {"device_read_noise": {noise: 0.05}, "reference": {"scheme": scheme}}
    resistive, ideal = exact(lines=LINES, **settings), exact(**settings)
    noises = [synapses.currents(spikes).std(axis=0) for synapses in (resistive, ideal)]
    shares = resistive._array.read_shares
    # If the noise in a pair is proportional to the current, the larger current counts more.
    counts = [
        np.square(state[11] + 1.0) if noise == "white_of_current" else np.ones(8)
        for state in ideal.states()
    ]
    left = sum(np.square(s[11]) * n for s, n in zip(shares.devices, counts, strict=True))
    np.testing.assert_allclose(noises[0] / noises[1], np.sqrt(left / sum(counts)), rtol=0.03)
    assert (noises[0] / noises[1]).max() < 0.95
