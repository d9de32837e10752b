"""Recognises the columns of a measured table by their names, which end with a unit.

A name such as ``conductance_uS``, ``conductance (uS)`` or ``time [ms]`` gives quantity and unit;
the case of the quantity does not matter.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from device_presets.fitting.reading.units import SECONDS, SIEMENS, VOLTS
from rpu_ssnn.common.errors import Fault, PresetError, meant, nearest
from rpu_ssnn.common.wording import listed

CONDITIONS: Final = ("time", "pulse_width", "amplitude")
"""The columns that describe a row's pulse, and when the row was read."""

UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "conductance": SIEMENS,
    "time": SECONDS,
    "pulse_width": SECONDS,
    "amplitude": VOLTS,
}
"""The quantities whose names end with a unit, with the size of each unit in SI."""

_WITHOUT_UNIT = ("pulse", "polarity", "device", "cycle")
_NEEDED = ("polarity", "conductance")
_ALIKE = 0.8
"""An unused column is taken for a misspelt one above this similarity, at most 1."""

_WITH_UNIT = re.compile(r"(.+?)(?:_|\s*[(\[]\s*)([^\s()\[\]_]+)\s*[)\]]?")


@dataclass(frozen=True)
class Column:
    """Describes a column of the file.

    Args:
        name: The name in the file.
        unit: The unit in the name; empty for a column that needs none.
        size: The size of the unit in SI; 1 without a unit.
    """

    name: str
    unit: str = ""
    size: float = 1.0


def columns_of(where: str, names: Sequence[str]) -> dict[str, Column]:
    """Returns the column of each quantity in a table.

    Args:
        where: The file and its line of names, for errors.
        names: The names of the columns in the file.

    Raises:
        PresetError: The polarity or the conductance is missing, a quantity has two columns, or the
            unit of a name is missing or unknown.
    """
    found: dict[str, Column] = {}
    for name in names:
        quantity, column = _read(where, name)
        if quantity in found:
            allowed = f"must be there only once, but {found[quantity].name!r} is the same quantity"
            raise PresetError(where, "column", name, allowed)
        if quantity:
            found[quantity] = column
    for quantity in _NEEDED:
        if quantity not in found:
            known = [*_WITHOUT_UNIT, *(f"{q}_{next(iter(u))}" for q, u in UNITS.items())]
            near = nearest(names, "conductance_uS" if quantity in UNITS else quantity)
            allowed = f"{meant(near)}the first row must name {', '.join(known)} (or other units)"
            if quantity in UNITS:
                allowed += "; to get conductances, divide currents by the read voltage"
            beside = Fault(f"{quantity!r} is missing beside {listed([*filter(None, names)], 6)}")
            raise PresetError(where, "column", beside, allowed)
    used = [column.name for column in found.values()]
    for name in names:
        missing = [quantity for quantity in (*_WITHOUT_UNIT, *CONDITIONS) if quantity not in found]
        near = nearest(missing, name, _ALIKE) if name not in used else []
        if near:
            allowed = f"must be {near[0]}, or have a name that is less like it"
            raise PresetError(where, "column", name, allowed)
    return found


def _read(where: str, name: str) -> tuple[str, Column]:
    """Returns the quantity in a column, and the column; the quantity is empty if it is unknown."""
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
    is_mega = unit[:1] == "m" and f"M{known.get(unit, '')[1:]}" in name
    if unit not in known or plain in UNITS or is_mega:
        example = f"{quantity}_{next(iter(sizes))}"
        allowed = f"must end with its unit, one of {', '.join(sizes)}, as in {example}"
        raise PresetError(where, "column", name, allowed)
    return quantity, Column(name, known[unit], sizes[known[unit]])
