"""Defines the parameters for which `require` finds limits, and the scales on which they are varied.

Crossings are sought along a coordinate called harm, which grows as the device gets worse. It is the
decimal logarithm of the parameter, with its sign reversed if more is better. An axis on which
energy or time falls as the device gets worse is reversed as a whole. A parameter whose best value
is zero has a floor, below which a value counts as zero.
"""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_presets.jump_tables.table_device import TABLE_PARAMETERS
from rpu_ssnn.common.value_kinds import kinds_of
from rpu_ssnn.devices.common_parameters import MOST_LEVELS
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.laws import LAWS
from rpu_ssnn.spec import NetworkSpec
from rpu_ssnn.spec.tile import TileSpec
from studies.common.quantities import unit_of
from studies.declaration.cases import Case
from studies.sensitivity.device_question import TunedDevice
from studies.sensitivity.imperfections import (
    FINITE_STEP,
    finest_levels,
    own_parameters,
    rounded,
    settings_of,
    with_settings,
    with_step,
)


@dataclass(frozen=True)
class RequirementParameter:
    """Describes a parameter for which a limit can be found.

    Attributes:
        floor: smaller values count as zero; 0 for a parameter of which more is better.
        worst: value at which the search ends.
        paths: settings of the case that get the value; if the device's settings differ, the largest
            gets it, and the others stay in proportion.
        imperfection: its name in `studies.sensitivity.imperfections`; empty if it is not one.
        best: the best value; if more is better, a value as good as no limit.
    """

    name: str
    unit: str
    meaning: str
    floor: float
    worst: float
    paths: tuple[str, ...]
    imperfection: str
    best: float = 0.0


def _settings() -> Iterator[RequirementParameter]:
    """Yields the settings of the tile and the neurons that can be varied."""
    with Path(__file__).with_name("settings_to_vary.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        name, path = row["name"], row["path"]
        first, *sections, key = path.split(".")
        model: Any = {"tile": TileSpec, "network": NetworkSpec}[first]
        for section in sections:
            kinds = kinds_of(model.model_fields[section].annotation)
            model = next(kind for kind in kinds if hasattr(kind, "model_fields"))
        meaning = model.model_fields[key].description or ""
        cause = sections[0] if first == "tile" and sections not in ([], ["reads"]) else name
        floor, worst, best = (float(row[end]) for end in ("floor", "worst", "best"))
        yield RequirementParameter(name, unit_of(path), meaning, floor, worst, (path,), cause, best)


def _declared(parameters: Mapping[str, LawParameter]) -> Iterator[RequirementParameter]:
    """Yields the parameters of a law of devices that can be varied."""
    for name, parameter in parameters.items():
        if parameter.swept is not None:
            floor, worst = parameter.swept
            cause = FINITE_STEP if name == "levels" else parameter.imperfection
            unit, paths = parameter.unit, (f"overrides.{name}",)
            meaning = parameter.description.partition(". ")[0]
            yield RequirementParameter(name, unit, meaning, floor, worst, paths, cause)


MOST_SPREAD = 0.5
"""Above this, the real spread falls behind, as aihwkit takes the absolute value of its draws."""

_WINDOW = "range of weights, with the same step in weight"
_RANGE = "hyperparameters.weight_range"
_BOUNDS = ("overrides.w_max_spread", "overrides.w_min_spread")

_OTHERS = (
    RequirementParameter("weight_range", unit_of(_RANGE), _WINDOW, 0.0, 0.05, (), ""),
    RequirementParameter(
        "bounds_spread", "bound", "spread of bounds", 1e-2, MOST_SPREAD, _BOUNDS, "bounds_spread"
    ),
    *_settings(),
)

PARAMETERS: Mapping[str, RequirementParameter] = {
    row.name: row
    for parameters in (*(law.parameters for law in LAWS.values()), TABLE_PARAMETERS)
    for row in _declared(parameters)
} | {row.name: row for row in _OTHERS}
"""These parameters can be varied, besides those of a user's law."""


def parameters_for(case: Case) -> Mapping[str, RequirementParameter]:
    """Returns `PARAMETERS` and those that a user's law adds."""
    return {**PARAMETERS, **{row.name: row for row in _declared(own_parameters(case))}}


WIDEST = 16.0
"""The widest weight range that is tried is this multiple of the device's."""


@dataclass(frozen=True)
class RequirementAxis:
    """Varies one parameter of one device and leaves the rest of the device as it is.

    Attributes:
        context: the device with its original value of the parameter.
        own: that value (signed, for the asymmetry).
        best_value, worst_value: the ends of the scale.
        is_reversed: whether harm grows as the device gets better.
    """

    name: str
    parameter: RequirementParameter
    context: Case
    own: float
    best_value: float
    worst_value: float
    is_reversed: bool = False

    @property
    def sign(self) -> int:
        """Returns 1 if harm grows with the size of the value, otherwise -1."""
        more_is_better = self.parameter.floor == 0.0
        return 1 if more_is_better == self.is_reversed else -1

    @property
    def at_most(self) -> bool:
        """Says whether the required value is an upper limit rather than a lower one."""
        return (self.sign > 0) == (self.own >= 0)

    def harm(self, value: float) -> float:
        """Returns the harm of a value."""
        return self.sign * math.log10(max(abs(value), self.parameter.floor))

    def value(self, harm: float) -> float:
        """Returns the value at a harm, rounded to three digits; at the floor, the best value."""
        size, floor = self.sign * harm, self.parameter.floor
        if floor and size <= math.log10(floor) + 1e-9:
            return self.best_value
        return math.copysign(rounded(10**size), self.own)

    def measured(self, harm: float) -> float:
        """Returns the value that is run at a harm: the device's original one exactly, or the
        rounded one."""
        return self.own if harm == self.harm(self.own) else self.value(harm)

    def case(self, value: float) -> Case:
        """Returns the device with that value."""
        if self.name != "weight_range":
            own = _values(self.parameter, settings_of(self.context))
            largest = max(map(abs, own))
            shares = [abs(each) / largest if largest else 1.0 for each in own]
            settings = zip(self.parameter.paths, shares, strict=True)
            return with_step(self.context, {path: value * share for path, share in settings})
        # With the same step in weight, another window has another number of steps.
        share = value / self.own
        own_levels = float(settings_of(self.context)["overrides.levels"])
        levels = min(own_levels * share, MOST_LEVELS)  # a range that was rounded up may need more
        changed = with_settings(self.context, {"overrides.levels": levels})
        given = changed.device_rule.hyperparameters.model_dump() | {"weight_range": value}
        return changed.changed(hyperparameters=given)


def axis(name: str, context: Case, tuned: TunedDevice) -> RequirementAxis | str:
    """Returns the axis of a parameter, or says why the device has none.

    Args:
        context: the device with its hyperparameters.
    """
    parameter = parameters_for(context)[name]
    has = settings_of(context)
    levels = float(has["overrides.levels"])
    if name in ("levels", "weight_range") and "overrides.step" not in has:
        return f"{name}: left out, as the step of {context.device_rule.device} is that of its table"
    if name == "weight_range":
        own = tuned.weight_range
        # The device keeps at least two levels, and no more than a preset may have.
        worst = max(parameter.worst, own * 2.0 / levels)
        best = rounded(own * min(WIDEST, MOST_LEVELS / levels))
        return RequirementAxis(name, parameter, context, own, best, min(own, worst))
    if name == "levels":
        # More levels than can be used would only lower the learning rate.
        best = finest_levels(levels, tuned.thinning) if tuned.thinning else rounded(levels)
        return RequirementAxis(name, parameter, context, levels, best, parameter.worst)
    if any(not path.startswith("tile.") and path not in has for path in parameter.paths):
        return f"{name}: left out, as the model of {context.device_rule.device} does not have it"
    own = max(_values(parameter, has), key=abs) or parameter.best
    worst = max(parameter.worst, abs(own)) if parameter.floor else min(parameter.worst, own)
    worst = math.copysign(worst, own)
    return RequirementAxis(name, parameter, context, own, parameter.best, worst)


def _values(parameter: RequirementParameter, has: Mapping[str, Any]) -> list[float]:
    """Returns the device's settings of a parameter."""
    return [float(has.get(path) or 0.0) for path in parameter.paths]
