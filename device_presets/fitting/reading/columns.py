"""The columns of a measured table: each quantity has one name, which ends with its unit.

A name such as ``conductance_uS``, ``conductance (uS)`` or ``time [ms]`` says both; capitals make no
difference to the quantity.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from device_presets.fitting.reading.units import SECONDS, SIEMENS, VOLTS
from rpu_ssnn.common.errors import Fault, PresetError, meant, nearest

CONDITIONS: Final = ("time", "pulse_width", "amplitude")
"""The columns that say how a row's pulse was made, and when the row was read."""

UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "conductance": SIEMENS,
    "time": SECONDS,
    "pulse_width": SECONDS,
    "amplitude": VOLTS,
}
"""The quantities whose names end with a unit, with the size of each unit in SI."""

_WITHOUT_UNIT = ("pulse", "polarity", "device", "cycle")
_NEEDED = ("polarity", "conductance")
_WITH_UNIT = re.compile(r"(.+?)(?:_|\s*[(\[]\s*)([^\s()\[\]_]+)\s*[)\]]?")


@dataclass(frozen=True)
class Column:
    """A column of the file.

    Args:
        name: What the file calls it.
        unit: The unit in its name; empty for a column that needs none.
        size: The unit in SI; 1 where there is none.
    """

    name: str
    unit: str = ""
    size: float = 1.0


def columns_of(where: str, names: Sequence[str]) -> dict[str, Column]:
    """Returns the column of each quantity that a table holds.

    Args:
        where: The file and its line of names, for errors.
        names: What the file calls its columns.

    Raises:
        PresetError: The polarity or the conductance is missing, a quantity has two columns, or a
            name ends with no unit or with an unknown one.
    """
    found: dict[str, Column] = {}
    for name in names:
        quantity, column = _read(where, name)
        if quantity in found:
            allowed = f"must be there only once, and {found[quantity].name!r} is one too"
            raise PresetError(where, "column", name, allowed)
        if quantity:
            found[quantity] = column
    for quantity in _NEEDED:
        if quantity not in found:
            known = [*_WITHOUT_UNIT, *(f"{q}_{next(iter(u))}" for q, u in UNITS.items())]
            near = nearest(names, "conductance_uS" if quantity in UNITS else quantity)
            allowed = f"{meant(near)}columns are called {', '.join(known)}, or with another unit"
            raise PresetError(where, "column", Fault(f"{quantity!r} is missing"), allowed)
    return found


def _read(where: str, name: str) -> tuple[str, Column]:
    """Returns the quantity that a column holds, and the column; no quantity where it is none of
    ours."""
    plain = name.strip().lower().replace("\u00b5", "u").replace("\u03bc", "u")
    if plain in _WITHOUT_UNIT:
        return plain, Column(name)
    parts = _WITH_UNIT.fullmatch(plain)
    quantity, unit = (parts[1], parts[2]) if parts else (plain, "")
    quantity = plain if plain in UNITS else quantity.replace(" ", "_")
    if quantity not in UNITS:
        return "", Column(name)
    sizes = UNITS[quantity]
    known = {one.lower(): one for one in sizes}
    if unit not in known or plain in UNITS:
        example = f"{quantity}_{next(iter(sizes))}"
        allowed = f"must end with its unit, one of {', '.join(sizes)}, as in {example}"
        raise PresetError(where, "column", name, allowed)
    return quantity, Column(name, known[unit], sizes[known[unit]])
