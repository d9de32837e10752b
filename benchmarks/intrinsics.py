"""What the intrinsic of the engine brings over its twin in plain numba.

`python benchmarks/intrinsics.py` times both in turn, in one process, at the sizes of 784-1280-10
and T = 50, and prints microseconds (fastest, median, slowest) and the ratio of the fastest.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.blocks import BLOCK
from rpu_ssnn.engine.intrinsics import block_rows

N_IN, HIDDEN, SLOTS = 784, 1280, 65
REPEATS = 41


def in_turn(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Microseconds of each call, one after the other, again and again."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(REPEATS):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append(1e6 * (time.perf_counter() - started))
    row: dict[str, float] = {}
    for name, each in times.items():
        row |= {f"{name}, min": min(each), f"{name}, median": statistics.median(each)}
        row[f"{name}, max"] = max(each)
    first, second = (min(each) for each in times.values())
    return row | {"plain / by hand": first / second}


def rows_of_a_layer(function) -> Callable[[], object]:  # type: ignore[no-untyped-def]
    """A presentation's reads of the first crossbar, about 40 spikes a slot."""

    @compiled_in_place
    def run(sums, blocks, rows, spikes, slots) -> None:  # type: ignore[no-untyped-def]
        for b in range(len(blocks)):
            for slot in range(slots):
                function(sums, blocks[b], rows, slot * spikes, (slot + 1) * spikes, np.float32(1.0))

    rng, spikes = np.random.default_rng(0), 40
    blocks = rng.random((HIDDEN // BLOCK, N_IN * BLOCK)).astype(np.float32)
    rows = np.sort(rng.integers(0, N_IN, (SLOTS, spikes))).astype(np.int32).reshape(-1)
    return lambda: run(np.zeros(BLOCK, np.float32), blocks, rows, spikes, SLOTS)


def main() -> None:
    calls = {
        "plain": rows_of_a_layer(block_rows.plain),
        "by hand": rows_of_a_layer(block_rows.by_hand),
    }
    print(pd.DataFrame({"add_block_rows": in_turn(calls)}).T.to_markdown(floatfmt=".3g"))


if __name__ == "__main__":
    main()
