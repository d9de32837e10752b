"""Rows are added in order, the flags of a block are bits of a number, and a block of neurons fires
like the same neurons one by one."""

import numpy as np
import pytest

from rpu_ssnn.engine.blocks import BLOCK
from support.rpu_ssnn.compiled_parts import (
    add_rows,
    fire_from_current,
    fire_pairs,
    list_signed,
    list_spikes,
    lowest_flag,
)


@pytest.mark.parametrize("spikes", [0, 1, 3, 4, 7, 8, 9, 15, 200])
@pytest.mark.parametrize("n", [10, BLOCK])
@pytest.mark.parametrize("gain", [1.0, 1.1])
def test_rows_are_added_one_after_the_other(spikes: int, n: int, gain: float) -> None:
    rng = np.random.default_rng(spikes)
    weights = rng.normal(0.0, 1.0, (50, n)).astype(np.float32)
    rows = rng.integers(0, 50, spikes + 5).astype(np.int32)
    sums, factor = rng.normal(0.0, 1.0, n + 5).astype(np.float32), np.float32(gain)
    expected = sums.copy()
    for row in rows[2 : 2 + spikes]:
        expected[3 : 3 + n] += factor * weights[row]
    add_rows(sums, 3, n, weights.ravel(), rows, 2, 2 + spikes, n, factor)
    np.testing.assert_array_equal(sums, expected)


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


ALL = np.uint64(2**64 - 1)
MOVE, KEEP, THETA = np.float32(0.2), np.float32(0.8), np.float32(1.0)


def membranes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns membranes and currents of two blocks; some end exactly at a threshold or half of
    it."""
    membrane = rng.normal(0.0, 1.0, 2 * BLOCK).astype(np.float32)
    current = rng.normal(0.0, 1.0, 2 * BLOCK).astype(np.float32)
    membrane[::5], current[::5] = rng.choice([1.0, 0.5, -0.5, 0.0], len(membrane[::5])), 0.0
    return membrane, current


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("to_zero", [False, True])
@pytest.mark.parametrize(("hold", "floored"), [(True, False), (False, False), (True, True)])
def test_firing_from_currents(seed: int, to_zero: bool, hold: bool, floored: bool) -> None:
    rng = np.random.default_rng(seed)
    is_open = rng.integers(2**64, dtype=np.uint64) if seed else ALL
    membrane, current = membranes(rng)
    after, falling, flags = membrane.copy(), current.copy(), 0
    for k in range(BLOCK):
        j = BLOCK + k
        after[j] += MOVE * current[j]
        after[j] = max(after[j], 0.0) if floored else after[j]
        falling[j] *= KEEP
        opened = int(is_open) >> k & 1
        if after[j] >= THETA:
            flags |= opened << k
            if opened or not hold:
                after[j] = 0.0 if to_zero else after[j] - THETA
    settings = MOVE, KEEP, THETA, to_zero, is_open, hold, floored
    spikes = fire_from_current(BLOCK, membrane, current, *settings)
    assert int(spikes) == flags
    assert 0 < flags.bit_count() < BLOCK
    np.testing.assert_array_equal(membrane, after)
    np.testing.assert_array_equal(current, falling)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("to_zero", [False, True])
@pytest.mark.parametrize("hold", [False, True])
def test_firing_of_pairs(seed: int, to_zero: bool, hold: bool) -> None:
    rng = np.random.default_rng(seed)
    is_open = rng.integers(2**64, dtype=np.uint64) if seed else ALL
    net, current = membranes(rng)
    after, falling, flags, positive = net.copy(), current.copy(), 0, 0
    for k in range(BLOCK):
        after[k] += MOVE * current[k]
        falling[k] *= KEEP
        opened, sign = int(is_open) >> k & 1, int(after[k] >= 0.5) - int(after[k] <= -0.5)
        if sign and (opened or not hold):
            after[k] = 0.0 if to_zero else after[k] - sign * THETA
        flags |= (sign != 0 and opened) << k
        positive |= (sign > 0 and opened) << k
    fired = fire_pairs(0, net, current, MOVE, KEEP, THETA, to_zero, is_open, hold)
    assert tuple(map(int, fired)) == (flags, positive)
    assert 0 < positive.bit_count() < flags.bit_count() < BLOCK
    np.testing.assert_array_equal(net, after)
    np.testing.assert_array_equal(current, falling)
