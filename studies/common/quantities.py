"""Settings by the names and units that readers know them by, for tables and figures."""

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
    "network.hidden": "hidden neurons",
    "network.inhibition.clocked": "clocked winner-take-all",
    "surrogate.T_s": "T_s",
    "dataset.n_train": "training images",
}
"""Where the last word of the path does not say enough."""

_UNITS = {
    "network.T": "slots",
    "surrogate.T_s": "slots",
    "tile.reads.read_noise": "units of weight",
}
_UNIT_WORDS = {"step": "steps", "weight": "units of weight", "1": "", "yes/no": "", "states": ""}
"""Of `ParameterRule.unit`, as a reader would say it."""


def quantity(path: str) -> str:
    """A setting's name and unit: ``cycle-to-cycle noise (steps)`` of ``overrides.cycle_to_cycle``.

    A path without a name of its own keeps its last word.
    """
    name, unit = name_of(path), _unit(path)
    return f"{name} ({unit})" if unit else name


def name_of(path: str) -> str:
    """The name alone."""
    if path in _NAMES:
        return _NAMES[path]
    last = path.rpartition(".")[2]
    return (last.removesuffix("_s") if _unit(path) == "s" else last).replace("_", " ")


@cache
def _unit(path: str) -> str:
    if path in _UNITS:
        return _UNITS[path]
    section, _, name = path.rpartition(".")
    if section != "overrides":
        return "s" if name.endswith("_seconds") else ""
    from device_presets.parameters.table import PARAMETERS

    unit = next((rules[name].unit for rules in PARAMETERS.values() if name in rules), "")
    return _UNIT_WORDS.get(unit, unit if len(unit) < 3 else f"shares of {name_of(unit)}")
