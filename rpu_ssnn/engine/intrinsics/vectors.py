"""Parts of arrays as vectors in registers.

In numba, LLVM decides which loops become vector code and which values stay in registers. A
`generated` function emits LLVM instructions directly, with vectors of any length. LLVM maps them to
the registers of the machine.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

INDEX = ir.IntType(64)
_ELEMENTS = {types.float32: ir.FloatType()}


def generated(function: Callable[..., Any]) -> Any:
    """numba's `intrinsic`, for callers that mypy reads."""
    return intrinsic(function)


class Arrays:
    """Contiguous array arguments of a generated function. No bounds are checked.

    Args:
        of: the arguments of the generator: context, builder, signature, arguments.
    """

    def __init__(self, *of: Any) -> None:
        self._context, self._builder, self._signature, self._arguments = of

    def load(self, place: int, first: Any, length: int) -> Any:
        """Elements [first, first + length) of the argument at `place`."""
        value = self._builder.load(self._pointer(place, first, length))
        value.align = self._alignment(place)
        return value

    def store(self, value: Any, place: int, first: Any) -> None:
        """Write a vector from element `first` on."""
        pointer = self._pointer(place, first, value.type.count)
        self._builder.store(value, pointer).align = self._alignment(place)

    def element(self, place: int, index: Any) -> Any:
        return self._builder.load(self.address(place, index))

    def address(self, place: int, index: Any) -> Any:
        return self._builder.gep(self._data(place), [index])

    def everywhere(self, value: Any, length: int) -> Any:
        """A vector of one number or truth value."""
        none = ir.Constant(ir.VectorType(value.type, length), ir.Undefined)
        first = self._builder.insert_element(none, value, ir.IntType(32)(0))
        copies = ir.Constant(ir.VectorType(ir.IntType(32), length), [0] * length)
        return self._builder.shuffle_vector(first, none, copies)

    def _data(self, place: int) -> Any:
        make = self._context.make_array(self._signature.args[place])
        return make(self._context, self._builder, self._arguments[place]).data

    def _pointer(self, place: int, first: Any, length: int) -> Any:
        kind = ir.VectorType(_ELEMENTS[self._signature.args[place].dtype], length)
        return self._builder.bitcast(self.address(place, first), kind.as_pointer())

    def _alignment(self, place: int) -> int:
        """Alignment of an element: numpy guarantees no more."""
        return int(self._signature.args[place].dtype.bitwidth) // 8
