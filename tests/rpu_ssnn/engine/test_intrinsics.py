"""An intrinsic gives the bits of its plain twin; flags of a block are the bits of a number."""

import numpy as np
import pytest

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.blocks import BLOCK, list_signed, list_spikes, lowest_flag
from rpu_ssnn.engine.intrinsics import block_rows


def caller(function):  # type: ignore[no-untyped-def]
    """Intrinsics can be called from compiled code only."""

    @compiled_in_place
    def call(*given):  # type: ignore[no-untyped-def]
        return function(*given)

    return call


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
