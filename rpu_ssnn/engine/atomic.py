"""What threads of compiled code tell each other: whole numbers, read and written in order.

Whoever sees a number that was written here also sees all that its writer wrote before it.
"""

from typing import Any

from numba import types

from rpu_ssnn.engine.vectors import Arrays, generated

_BYTES = 8


@generated
def seen(typing: Any, values: Any, place: Any) -> Any:
    """values[place], int64."""
    signature = types.int64(values, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = Arrays(context, builder, signature, arguments).address(0, arguments[1])
        return builder.load_atomic(address, "acquire", _BYTES)

    return signature, generate


@generated
def tell(typing: Any, values: Any, place: Any, value: Any) -> Any:
    """values[place] = value, int64."""
    signature = types.void(values, types.int64, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = Arrays(context, builder, signature, arguments).address(0, arguments[1])
        builder.store_atomic(arguments[2], address, "release", _BYTES)
        return context.get_dummy_value()

    return signature, generate


@generated
def replace(typing: Any, values: Any, place: Any, old: Any, new: Any) -> Any:
    """values[place] = new if it is still `old`; whether it was."""
    signature = types.boolean(values, types.int64, types.int64, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = Arrays(context, builder, signature, arguments).address(0, arguments[1])
        found = builder.cmpxchg(address, *arguments[2:], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return signature, generate
