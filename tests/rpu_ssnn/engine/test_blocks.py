"""Rows are added in order, one after the other, and the flags of a block are bits of a number."""

import numpy as np
import pytest

from rpu_ssnn.engine.blocks import BLOCK
from support.rpu_ssnn.compiled_parts import add_rows, list_signed, list_spikes, lowest_flag


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
