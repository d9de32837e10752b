"""Gives settings readable names and units, for tables and figures."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

with Path(__file__).with_name("quantities.csv").open(encoding="utf-8", newline="") as _rows:
    _SETTINGS = {row["path"]: (row["name"], row["unit"]) for row in csv.DictReader(_rows)}
"""Holds name and unit of paths; either may be empty, and a path may be a pattern such as
``*_seconds``. The first path that fits counts."""

_UNIT_WORDS = {
    "step": "steps",
    "threshold": "thresholds",
    "1 a slot": "spikes a slot",
    "range": "shares of the range",
    "current": "shares of the current",
    "weight": "units of weight",
    "1": "",
    "yes/no": "",
    "states": "",
}
"""Names and figures have these words in place of the units of settings and parameters."""


def quantity(path: str) -> str:
    """Returns name and unit, such as ``cycle-to-cycle noise (steps)`` for
    ``overrides.cycle_to_cycle``.

    A path without a special name is named by its last part.
    """
    name, unit = name_of(path), _unit(path)
    return f"{name} ({unit})" if unit else name


def name_of(path: str) -> str:
    """Returns the name of a setting without its unit."""
    if path in _SETTINGS and _SETTINGS[path][0]:
        return _SETTINGS[path][0]
    last, unit = path.rpartition(".")[2], _unit(path)
    in_name = unit in ("s", "J", "K", "eV")  # the name need not repeat these units
    return (last.removesuffix(f"_{unit.lower()}") if in_name else last).replace("_", " ")


def distinct[T](things: Iterable[T], name: Callable[[T], str]) -> dict[T, str]:
    """Returns a name for each of several things, which is its own text if names would be equal."""
    names = {thing: name(thing) for thing in things}
    times = Counter(names.values())
    return {thing: named if times[named] == 1 else str(thing) for thing, named in names.items()}


def unit_of(path: str) -> str:
    """Returns the unit of a setting, as `LawParameter.unit` has it; it is 1 for a pure number."""
    section, _, name = path.rpartition(".")
    if section == "overrides":
        return _units_of_parameters().get(name, "1")
    known = (unit for like, (_, unit) in _SETTINGS.items() if unit and fnmatchcase(path, like))
    return next(known, "1")


def _unit(path: str) -> str:
    """Returns the unit of a setting in words."""
    unit = unit_of(path)
    is_share = path.startswith("overrides.") and unit in _units_of_parameters()
    return _UNIT_WORDS.get(unit, f"shares of {name_of(f'overrides.{unit}')}" if is_share else unit)


@cache
def _units_of_parameters() -> dict[str, str]:
    from rpu_ssnn.devices.laws import LAWS

    return {
        name: parameter.unit for law in LAWS.values() for name, parameter in law.parameters.items()
    }
