"""Gives settings readable names and units, for tables and figures."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache

_NAMES = {
    "overrides.asymmetry": "asymmetry of up and down steps",
    "overrides.asymmetry_spread": "device-to-device spread of the asymmetry",
    "overrides.cycle_to_cycle": "cycle-to-cycle noise",
    "overrides.leak_time_constant_s": "time constant of the leak",
    "overrides.levels": "levels",
    "overrides.slope_down": "nonlinearity of down steps",
    "overrides.slope_up": "nonlinearity of up steps",
    "overrides.step_spread": "device-to-device spread of the step",
    "overrides.w_max_spread": "device-to-device spread of the upper bound",
    "overrides.w_min_spread": "device-to-device spread of the lower bound",
    "network.T": "T",
    "network.inference_T": "T at inference",
    "network.hidden": "hidden neurons",
    "network.layers": "hidden layers",
    "network.inhibition.clocked": "clocked winner-take-all",
    "surrogate.T_s": "T_s",
    "tile.lines.ohm_per_cell": "resistance of a line from cell to cell",
    "dataset.n_train": "training images",
    "dataset.range": "range of the data",
}
"""These paths need a name, since their last part is not clear enough."""

_UNITS = {
    "hyperparameters.weight_range": "He deviations",
    "network.T": "slots",
    "network.inference_T": "slots",
    "surrogate.T_s": "slots",
    "tile.lines.ohm_per_cell": "ohm",
    "tile.lines.on_resistance": "ohm",
    "tile.reads.adc_bound": "device states",
    "tile.reads.adc_bound_transposed": "device states",
    "tile.reads.read_noise": "device states",
}
_UNITS_OF_SECTIONS = {"tile.half_select": "steps a spike", "tile.read_disturb": "steps a spike"}
_UNITS_OF_ENDINGS = {"_s": "s", "_seconds": "s", "_k": "K", "_ev": "eV"}
_UNIT_WORDS = {"step": "steps", "weight": "units of weight", "1": "", "yes/no": "", "states": ""}
"""These words replace units of `LawParameter.unit`."""


def quantity(path: str) -> str:
    """Returns name and unit, such as ``cycle-to-cycle noise (steps)`` for
    ``overrides.cycle_to_cycle``.

    A path without a special name is named by its last part.
    """
    name, unit = name_of(path), _unit(path)
    return f"{name} ({unit})" if unit else name


def name_of(path: str) -> str:
    """Returns the name of a setting without its unit."""
    if path in _NAMES:
        return _NAMES[path]
    last, unit = path.rpartition(".")[2], _unit(path)
    told = unit in ("s", "J", "K", "eV")  # the name need not repeat these units
    return (last.removesuffix(f"_{unit.lower()}") if told else last).replace("_", " ")


def distinct[T](things: Iterable[T], name: Callable[[T], str]) -> dict[T, str]:
    """Returns a name for each of several things, which is its own text if names would be equal."""
    names = {thing: name(thing) for thing in things}
    times = Counter(names.values())
    return {thing: named if times[named] == 1 else str(thing) for thing, named in names.items()}


@cache
def _unit(path: str) -> str:
    if path in _UNITS:
        return _UNITS[path]
    section, _, name = path.rpartition(".")
    if section != "overrides":
        known = (unit for end, unit in _UNITS_OF_ENDINGS.items() if name.endswith(end))
        return _UNITS_OF_SECTIONS.get(section) or next(known, "")
    from rpu_ssnn.devices.laws import LAWS

    laws = [law.parameters for law in LAWS.values()]
    unit = next((known[name].unit for known in laws if name in known), "")
    is_share = any(unit in known for known in laws)  # the unit is another parameter
    return _UNIT_WORDS.get(unit, f"shares of {name_of(f'overrides.{unit}')}" if is_share else unit)
