"""Each intrinsic gives the bits of its plain twin."""

import numpy as np
import pytest

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.blocks import BLOCK, list_signed, list_spikes, lowest_flag
from rpu_ssnn.engine.intrinsics import block_rows, firing

RNG_SEEDS = range(5)
ALL = np.uint64(2**64 - 1)


def caller(function):  # type: ignore[no-untyped-def]
    """Intrinsics can be called from compiled code only."""

    @compiled_in_place
    def call(*given):  # type: ignore[no-untyped-def]
        return function(*given)

    return call


def membranes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Some exactly at a threshold of 1 or half of it after the step, some at rest."""
    membrane = rng.normal(0.0, 1.0, 2 * BLOCK).astype(np.float32)
    current = rng.normal(0.0, 1.0, 2 * BLOCK).astype(np.float32)
    membrane[::5], current[::5] = rng.choice([1.0, 0.5, -0.5, 0.0], len(membrane[::5])), 0.0
    return membrane, current


@pytest.mark.parametrize("seed", RNG_SEEDS)
@pytest.mark.parametrize("to_zero", [False, True])
def test_firing_from_currents(seed: int, to_zero: bool) -> None:
    rng = np.random.default_rng(seed)
    move, keep, theta = np.float32(0.2), np.float32(0.8), np.float32(1.0)
    alive = rng.integers(2**64, dtype=np.uint64) if seed else ALL
    results = []
    for function in (firing.plain_from_current, firing.by_hand_from_current):
        membrane, current = membranes(np.random.default_rng(seed))
        spikes = caller(function)(BLOCK, membrane, current, move, keep, theta, to_zero, alive)
        results.append((spikes, membrane, current))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert 0 < int(results[0][0]).bit_count() < BLOCK


@pytest.mark.parametrize("seed", RNG_SEEDS)
@pytest.mark.parametrize("to_zero", [False, True])
@pytest.mark.parametrize("hold", [False, True])
def test_firing_of_pairs(seed: int, to_zero: bool, hold: bool) -> None:
    rng = np.random.default_rng(seed)
    move, keep, theta = np.float32(0.2), np.float32(0.8), np.float32(1.0)
    is_open = rng.integers(2**64, dtype=np.uint64) if seed else ALL
    results = []
    for function in (firing.plain_pairs, firing.by_hand_pairs):
        net, current = membranes(np.random.default_rng(seed))
        flags = caller(function)(0, net, current, move, keep, theta, to_zero, is_open, hold)
        results.append((*flags, net, current))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    spikes, positive = results[0][:2]
    assert 0 < int(positive).bit_count() < int(spikes).bit_count() < BLOCK


@pytest.mark.parametrize("spikes", [0, 1, 3, 4, 9, 200])
def test_rows_of_a_block(spikes: int) -> None:
    rng = np.random.default_rng(spikes)
    block = rng.normal(0.0, 1.0, 50 * BLOCK).astype(np.float32)
    rows = rng.integers(0, 50, spikes + 5).astype(np.int32)
    start, results = rng.normal(0.0, 1.0, BLOCK).astype(np.float32), []
    for function in (block_rows.plain, block_rows.by_hand):
        sums = start.copy()
        caller(function)(sums, block, rows, 2, 2 + spikes, np.float32(1.1))
        results.append(sums)
    np.testing.assert_array_equal(*results)
    assert np.array_equal(results[0], start) == (spikes == 0)


@pytest.mark.parametrize("flags", [0, 1, 1 << 63, 2**64 - 1, 0xDEADBEEF0BADF00D])
def test_flags_are_listed_in_order(flags: int) -> None:
    places = [k for k in range(BLOCK) if flags >> k & 1]
    events, signs = np.zeros(BLOCK + 3, np.int32), np.zeros(BLOCK + 3, np.int8)
    assert list_spikes(np.uint64(flags), 128, events, 3) == 3 + len(places)
    assert events[3 : 3 + len(places)].tolist() == [128 + k for k in places]
    positive = np.uint64(flags & 0x5555555555555555)
    assert list_signed(np.uint64(flags), positive, 0, events, signs, 0) == len(places)
    assert signs[: len(places)].tolist() == [1 if k % 2 == 0 else -1 for k in places]
    if places:
        assert lowest_flag(np.uint64(flags)) == places[0]
