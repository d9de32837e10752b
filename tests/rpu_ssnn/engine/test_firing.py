"""Compares a block of neurons with the same neurons simulated one by one."""

import numpy as np
import pytest

from rpu_ssnn.engine.blocks import BLOCK
from support.rpu_ssnn.compiled_parts import fire_from_current, fire_pairs

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
def test_firing_from_currents(seed: int, to_zero: bool) -> None:
    rng = np.random.default_rng(seed)
    alive = rng.integers(2**64, dtype=np.uint64) if seed else ALL
    membrane, current = membranes(rng)
    after, falling, flags = membrane.copy(), current.copy(), 0
    for k in range(BLOCK):
        j = BLOCK + k
        after[j] += MOVE * current[j]
        falling[j] *= KEEP
        if after[j] >= THETA and int(alive) >> k & 1:
            flags |= 1 << k
            after[j] = 0.0 if to_zero else after[j] - THETA
    spikes = fire_from_current(BLOCK, membrane, current, MOVE, KEEP, THETA, to_zero, alive)
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
    found = fire_pairs(0, net, current, MOVE, KEEP, THETA, to_zero, is_open, hold)
    assert tuple(map(int, found)) == (flags, positive)
    assert 0 < positive.bit_count() < flags.bit_count() < BLOCK
    np.testing.assert_array_equal(net, after)
    np.testing.assert_array_equal(current, falling)
