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

_CIRCUIT = "network.neuron.circuit"
_UNITS = {
    "hyperparameters.weight_range": "He deviations",
    "network.T": "slots",
    "network.inference_T": "slots",
    f"{_CIRCUIT}.input_offset": "thresholds a slot",
    f"{_CIRCUIT}.polarity_spread": "threshold",
    f"{_CIRCUIT}.reset_rest": "threshold",
    f"{_CIRCUIT}.saturation": "firing levels",
    f"{_CIRCUIT}.spurious": "1 a slot",
    f"{_CIRCUIT}.threshold_drift": "threshold",
    f"{_CIRCUIT}.threshold_noise": "threshold",
    f"{_CIRCUIT}.threshold_spread": "threshold",
    "surrogate.T_s": "slots",
    "tile.lines.ohm_per_cell": "ohm",
    "tile.lines.on_resistance": "ohm",
    "tile.reads.adc_bound": "device states",
    "tile.reads.adc_bound_transposed": "device states",
    "tile.reads.read_noise": "device states",
}
_UNITS_OF_SECTIONS = {
    "tile.half_select": "steps a spike",
    "tile.line_spread": "step",
    "tile.read_disturb": "steps a spike",
}
_UNITS_OF_ENDINGS = {
    "_s": "s",
    "_seconds": "s",
    "_k": "K",
    "_ev": "eV",
    "of_range": "range",
    "of_current": "current",
}
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


def unit_of(path: str) -> str:
    """Returns the unit of a setting, as `LawParameter.unit` has it; it is 1 for a pure number."""
    section, _, name = path.rpartition(".")
    if section == "overrides":
        return _units_of_parameters().get(name, "1")
    known = (unit for end, unit in _UNITS_OF_ENDINGS.items() if name.endswith(end))
    return _UNITS.get(path) or _UNITS_OF_SECTIONS.get(section) or next(known, "1")


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
