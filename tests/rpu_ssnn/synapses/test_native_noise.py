"""The noise of native devices is that of aihwkit's, in the distributions of states after pulses.

The tests are Kolmogorov-Smirnov, with 10,000 devices per draw. The state of the same device without
noise is subtracted, so that the spread between devices hides nothing. aihwkit draws its normal
numbers from a list of 32,768, new for each tile, whose mean and deviation are off by half a
percent: single tiles differ from a normal distribution after some ten pulses, but many together do
not.
"""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from device_presets import Preset, get_preset
from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices.single_precision import exponential
from rpu_ssnn.random_numbers import device_word, normal, uniform
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from support.device_presets.own_presets import write_own_presets
from support.rpu_ssnn.native_devices import all_at, on_all

SIDE = 100
SEEN = 1e-7
"""A p value below it tells two noises apart, as forty draws do where one is 2 % larger.

Equal noises have smaller p than they should, 2e-6 once in 30 tests, since all devices of one of
aihwkit's tiles draw from one list, seven pulses more than once.
"""
SPEC = TileSpec(weight_range=4.0)
STARTS = (-0.5, 0.0, 0.5)
QUICK = ("capacitor", "reram_es")
ALL = (
    *QUICK, "gokmen_vlasov", "charge_trap", "charge_trap_2019", "ecram", "ecram_mo", "reram_sb",
    "hfo2", "power", "piecewise",
)  # fmt: skip


def residues(
    kind: type[TileSynapses] | type[NativeSynapses],
    preset: Preset,
    quiet: Preset,
    start: float,
    pulses: int,
    seed: int,
) -> np.ndarray:
    """Returns the states after a train of pulses (down if negative), minus those without noise
    [devices]."""
    crossbar = replace(all_at(start, SIDE, SIDE), seed=seed)
    block = on_all(abs(pulses), pulses > 0, SIDE, SIDE)
    weights = []
    for which, device in ((kind, preset), (NativeSynapses, quiet)):
        synapses = which(crossbar, device, SPEC, 1e6)
        synapses.update(block)
        synapses.commit(range(1))
        weights.append(synapses.weights().ravel())
    difference: np.ndarray = weights[0] - weights[1]
    return difference


def presets(name: str, own: Path, **noise: float) -> tuple[Preset, Preset]:
    """Returns the preset with the given noise, and without any."""
    where = f"{own}:{name}" if name in ("power", "piecewise") else name
    base = get_preset(where)
    off = {"cycle_to_cycle": 0.0}
    if "write_noise" in base.parameters:
        off["write_noise"] = 0.0
    return get_preset(where, off | noise), get_preset(where, off)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_own_presets(tmp_path_factory.mktemp("presets"))


def p_value(name: str, own: Path, field: str, pulses: int, seeds: int, ours: float) -> float:
    """Returns p of all draws together; `ours` is a factor on the noise of the native devices.

    Each draw has another seed: native noise is a function of seed, device and pulse number, so
    draws with the same seed would be copies.
    """
    size = get_preset(f"{own}:{name}" if name in ("power", "piecewise") else name).number(field)
    size = size or 2.0
    theirs, quiet = presets(name, own, **{field: size})
    mine, _ = presets(name, own, **{field: size * ours})
    drawn: dict[str, list[np.ndarray]] = {"theirs": [], "ours": []}
    for seed, (_, start, sign) in enumerate(product(range(seeds), STARTS, (1, -1))):
        n = sign * pulses
        drawn["theirs"].append(residues(TileSynapses, theirs, quiet, start, n, seed))
        drawn["ours"].append(residues(NativeSynapses, mine, quiet, start, n, seed))
    return float(stats.ks_2samp(*map(np.concatenate, drawn.values())).pvalue)


@pytest.mark.parametrize("name", QUICK)
def test_a_pulse_s_noise_is_aihwkit_s(name: str, own: Path) -> None:
    assert p_value(name, own, "cycle_to_cycle", 1, 3, 1.0) > SEEN


@pytest.mark.slow
@pytest.mark.parametrize("pulses", [1, 7])
@pytest.mark.parametrize("name", ALL)
def test_noise_over_many_seeds_is_aihwkit_s(name: str, pulses: int, own: Path) -> None:
    assert p_value(name, own, "cycle_to_cycle", pulses, 40, 1.0) > SEEN


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reram_es", "reram_sb", "hfo2", "power", "piecewise"])
def test_write_noise_over_many_seeds_is_aihwkit_s(name: str, own: Path) -> None:
    assert p_value(name, own, "write_noise", 1, 40, 1.0) > SEEN


@pytest.mark.slow
@pytest.mark.parametrize("name", ["capacitor", "charge_trap", "reram_es"])
def test_two_percent_more_noise_are_caught(name: str, own: Path) -> None:
    assert p_value(name, own, "cycle_to_cycle", 1, 40, 1.02) < SEEN


@compiled
def _fill(key, drawn, flat):  # type: ignore[no-untyped-def]
    for d in range(drawn.shape[0]):
        for n in range(drawn.shape[1]):
            word = device_word(key, np.uint64(d), np.uint32(n))
            drawn[d, n], flat[d, n] = normal(word), uniform(word)


@compiled
def _exponentials(x, out):  # type: ignore[no-untyped-def]
    for k in range(len(x)):
        out[k] = exponential(x[k])


def test_numbers_by_counter_are_normal_and_independent() -> None:
    """This holds over devices and over pulses of one device, and for neighbours of either kind."""
    key = np.uint64(0x1234567890ABCDEF)
    drawn, flat = np.zeros((300, 300)), np.zeros((300, 300))
    _fill(key, drawn, flat)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 0.01
    assert stats.kstest(flat.ravel(), "uniform").pvalue > 0.01
    np.testing.assert_allclose(drawn, -stats.norm.ppf(flat), atol=2e-5)
    for one, next_one in ((drawn[1:], drawn[:-1]), (drawn[:, 1:], drawn[:, :-1])):
        assert abs(np.corrcoef(one.ravel(), next_one.ravel())[0, 1]) < 4 / np.sqrt(drawn.size)
    for axis in (0, 1):
        means = drawn.mean(axis=axis) * np.sqrt(300)
        assert stats.kstest(means, "norm").pvalue > 0.01


def test_the_exponential_is_right_to_single_precision() -> None:
    x = np.linspace(-80.0, 80.0, 20_001, dtype=np.float32)
    ours = np.zeros(len(x))
    _exponentials(x, ours)
    np.testing.assert_allclose(ours, np.exp(x.astype(np.float64)), rtol=3e-7)
