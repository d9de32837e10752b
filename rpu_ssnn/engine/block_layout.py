"""A crossbar laid out block of columns by block, as it is read ahead (`engine.ahead`)."""

from typing import Any

import numpy as np
from jaxtyping import Float32
from llvmlite import ir
from numba import types

from rpu_ssnn.compiled import compiled_in_place
from rpu_ssnn.engine.block_rows import BLOCK
from rpu_ssnn.engine.vectors import INDEX, Arrays, generated

SIDE = 16
"""Of the squares that are turned in registers."""


def in_blocks(
    weights: Float32[np.ndarray, "n_in n_out"], out: Float32[np.ndarray, " blocks"]
) -> None:
    """Write a crossbar block of columns by block, the last filled up with zeros as it was.

    Fast for either order in memory: ideal weights lie row by row, a tile's column by column.
    """
    n_in, n_out = weights.shape
    whole = n_out // BLOCK
    blocks = out.reshape(-1, n_in, BLOCK)
    if weights.T.flags.c_contiguous:
        _turned(weights.T, blocks)
        return
    columns = weights[:, : whole * BLOCK].reshape(n_in, whole, BLOCK)
    blocks[:whole] = columns.transpose(1, 0, 2)
    if n_out > whole * BLOCK:
        blocks[whole, :, : n_out - whole * BLOCK] = weights[:, whole * BLOCK :]


@generated
def _turn_square(
    typing: Any, source: Any, first: Any, source_row: Any, target: Any, to: Any, target_row: Any
) -> Any:
    """target[to + k target_row + m] = source[first + m source_row + k], k and m below SIDE.

    source, target: float32, flat.
    """
    signature = types.void(source, types.int64, types.int64, target, types.int64, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = Arrays(context, builder, signature, arguments)
        _, first, source_row, _, to, target_row = arguments

        def begin(start: Any, width: Any, k: int) -> Any:
            return builder.add(start, builder.mul(width, INDEX(k)))

        rows = [arrays.load(0, begin(first, source_row, k), SIDE) for k in range(SIDE)]
        # Swap the off-diagonal quarters of squares of twice the distance, for each distance.
        for distance in (1, 2, 4, 8):
            low = _places([m if not m & distance else SIDE + m - distance for m in range(SIDE)])
            high = _places([m + distance if not m & distance else SIDE + m for m in range(SIDE)])
            for k in range(SIDE):
                if not k & distance:
                    a, b = rows[k], rows[k + distance]
                    rows[k] = builder.shuffle_vector(a, b, low)
                    rows[k + distance] = builder.shuffle_vector(a, b, high)
        for k, row in enumerate(rows):
            arrays.store(row, 3, begin(to, target_row, k))
        return context.get_dummy_value()

    return signature, generate


def _places(of: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), SIDE), of)


@compiled_in_place
def _turned(columns, blocks) -> None:  # type: ignore[no-untyped-def]
    """columns: float32 [n_out, n_in]; blocks: float32 [blocks, n_in, BLOCK]."""
    n_out, n_in = columns.shape
    flat, out = columns.reshape(-1), blocks.reshape(-1)
    squares = n_in // SIDE * SIDE
    for b in range(blocks.shape[0]):
        block = blocks[b]
        width = min(BLOCK, n_out - b * BLOCK)
        across = width // SIDE * SIDE
        for i in range(0, squares, SIDE):
            for j in range(0, across, SIDE):
                _turn_square(
                    flat, (b * BLOCK + j) * n_in + i, n_in, out, (b * n_in + i) * BLOCK + j, BLOCK
                )
        for i in range(n_in):
            for j in range(across if i < squares else 0, width):
                block[i, j] = columns[b * BLOCK + j, i]
