"""Numbers with a decimal comma, a unit or a per cent sign: which plain number stands for them."""

import re
from decimal import Decimal

_WRITTEN = re.compile(r"([+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)\s*([^\d\s.,]*)")
_MAYBE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_PREFIXES = {"p": -12, "n": -9, "u": -6, "\u00b5": -6, "\u03bc": -6, "m": -3, "": 0, "k": 3}
_UNITS_OF_ENDINGS = {"_s": "s", "_seconds": "s", "_j": "J", "_k": "K", "_ev": "eV"}


def unit_of(name: str) -> str:
    """The unit that the name of a setting ends in, ``s`` of ``slot_seconds``; empty: none."""
    return next((unit for end, unit in _UNITS_OF_ENDINGS.items() if name.endswith(end)), "")


def instead_of(text: str, unit: str = "", share: bool = False) -> str:
    """The end of a phrase, ``; write 0.01, not 10 ms``; empty of text that is no such number.

    Args:
        unit: in which the number is asked for; empty: not known.
        share: whether the number is a share, so that per cent are divided by 100.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return ""
    if _MAYBE_THOUSANDS.fullmatch(text.strip()):
        return "; write a point as decimal mark, and no mark of thousands"
    number, own = found[1].replace(",", "."), found[2]
    if not own:
        return f"; write {number}, not {text}" if "," in text else "; leave out the quotes"
    power = -2 if own == "%" and share else _power(own, unit)
    if power is None:
        return "; write the number alone"
    return f"; write {float(Decimal(number).scaleb(power)):.12g}, not {text}"


def _power(own: str, unit: str) -> int | None:
    """The power of ten between two units, 0 of one unit, -3 of ms and s; None: not known."""
    if unit and own in (unit, f"{unit}s"):
        return 0
    if not unit or not own.endswith(unit):
        return None
    return _PREFIXES.get(own.removesuffix(unit))
