"""Recognises the columns of a measured table by their names, which end with a unit.

A name such as ``conductance_uS``, ``conductance (uS)`` or ``time [ms]`` gives quantity and unit;
the case of the quantity does not matter. Rows above the names, such as a title, are passed over.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from device_presets.fitting.reading.units import AMPERES, SECONDS, SIEMENS, VOLTS
from rpu_ssnn.common.errors import Fault, InputError, nearest, require
from rpu_ssnn.common.wording import listed

CONDITIONS = ("time", "pulse_width", "amplitude")
"""The columns that describe a row's pulse, and when the row was read."""

UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "conductance": SIEMENS,
    "current": AMPERES,
    "time": SECONDS,
    "pulse_width": SECONDS,
    "amplitude": VOLTS,
}
"""The quantities whose names end with a unit, with the size of each unit in SI."""

_AMPERES = dict.fromkeys(["i a", "i_d a", "id a", "i_ds a", "ids a"], "current")
_SYMBOLS = {"g s": "conductance", "t s": "time", **_AMPERES}
"""The quantities of common symbols, each with the last letter of its units."""

_WITHOUT_UNIT = ("pulse", "polarity", "device", "cycle")
NAMED: Final = (*_WITHOUT_UNIT, *UNITS)
"""The quantities that columns may have."""

_ALIKE = 0.8
"""An unused column is taken for a misspelt one above this similarity, at most 1."""

_NUMBER = re.compile(r"[ _]*(#|no\.?|number)$")
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


def columns_of(
    where: str, names: Sequence[str], volts: float | None = None, pulsed: bool = True
) -> dict[str, Column]:
    """Returns the column of each quantity in a table.

    Args:
        where: The file and its line of names, for errors.
        names: The names of the columns in the file.
        volts: The read voltage, by which a column of currents becomes one of conductances.
        pulsed: Whether the table must have polarities.

    Raises:
        InputError: A needed quantity is missing, a quantity has two columns, the unit of a name is
            missing or unknown, or currents and a read voltage do not come together.
    """
    found: dict[str, Column] = {}
    parts = [(name, *_parts(name)) for name in names]
    divided = "conductance" not in [quantity for _, quantity, _ in parts]
    # Retention readings may be conductances beside currents of pulses.
    unused = volts is not None and pulsed and not divided
    require(not unused, where, "--read-voltage", volts, "must be left out beside conductances")
    for name, quantity, unit in parts:
        if quantity not in NAMED or (quantity == "current" and not divided):  # It is not used.
            continue
        column = _column(where, name, quantity, unit, volts)
        quantity = "conductance" if quantity == "current" else quantity
        if quantity in found:
            allowed = f"must be there only once, but {found[quantity].name!r} is the same quantity"
            raise InputError(where, "column", name, allowed)
        found[quantity] = column
    needed = {"polarity": pulsed and "amplitude" not in found, "conductance": True}
    if lacking := [quantity for quantity in needed if needed[quantity] and quantity not in found]:
        near = [n for q in lacking for n in nearest(names, "conductance_uS" if q in UNITS else q)]
        lacks = Fault(f"no {' or '.join(lacking)} beside {listed([*filter(None, names)], 6)}")
        renamed = f"rename {listed(near)}: " if near else ""
        allowed = (
            f"{renamed}each row must have {'polarity (or amplitude_V)' if pulsed else 'time_s'} and"
            " one conductance_uS (1 / resistance; or current_nA, with --read-voltage); for others"
            " and for a column per sweep see docs/how-to/measured_devices.md"
        )
        raise InputError(where, "column", lacks, allowed)
    used = [column.name for column in found.values()]
    missing = [quantity for quantity in (*_WITHOUT_UNIT, *CONDITIONS) if quantity not in found]
    for name in names:
        if name not in used and (near := nearest(missing, name, _ALIKE)):
            allowed = f"must be {near[0]}, or have a name that is less like it"
            raise InputError(where, "column", name, allowed)
    return found


def _parts(name: str) -> tuple[str, str]:
    """Returns the quantity that the name of a column stands for, and its unit, which is empty
    without one."""
    plain = name.strip().lower().replace("\u00b5", "u").replace("\u03bc", "u")
    plain = numbered if (numbered := _NUMBER.sub("", plain)) in _WITHOUT_UNIT else plain
    parts = None if plain in NAMED else _WITH_UNIT.fullmatch(plain)
    quantity, unit = (parts[1].replace(" ", "_"), parts[2]) if parts else (plain, "")
    return _SYMBOLS.get(f"{quantity} {unit[-1:]}", quantity), unit


def _column(where: str, name: str, quantity: str, unit: str, volts: float | None) -> Column:
    """Returns the column of a quantity. Currents become conductances by the read voltage."""
    if quantity in _WITHOUT_UNIT:
        return Column(name)
    sizes = UNITS[quantity]
    known = {one.lower(): one for one in sizes}
    is_mega = unit[:1] == "m" and f"M{known.get(unit, '')[1:]}" in name
    if unit not in known or is_mega:
        example = f"{quantity}_{next(iter(sizes))}"
        allowed = f"must end with its unit, one of {', '.join(sizes)}, as in {example}"
        raise InputError(where, "column", name, allowed)
    unit, size = known[unit], sizes[known[unit]]
    if quantity != "current":
        return Column(name, unit, size)
    if volts is None or not 0.0 < abs(volts) <= 10.0:
        allowed = f"must be the read voltage of the column {name}, with its sign, at most 10 V"
        raise InputError(where, "--read-voltage", volts, allowed)
    return Column(name, f"{unit[:-1]}S", size / volts)
