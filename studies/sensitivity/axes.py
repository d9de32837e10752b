"""The parameters that a requirement can be put on, and the scale each is varied on.

Harm is the coordinate on which a crossing is looked for: it grows as the device gets worse, and is
the decimal logarithm of the parameter (upside down where more is better). A parameter whose best
value is zero has a floor: a smaller value counts as zero.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studies.declaration.update_rules.devices import OnDeviceCase, PartialHyperparameters
from studies.sensitivity.device_question import TunedDevice
from studies.sensitivity.imperfections import (
    finest_levels,
    most_levels,
    own_parameters,
    rounded,
    settings_of,
    with_settings,
)


@dataclass(frozen=True)
class RequirementParameter:
    """A row of the table of parameters.

    Attributes:
        imperfection: its name in `studies.sensitivity.imperfections`; empty where it is none.
        paths: settings of the case that are set to the value; where the device's own differ, the
            largest is, and the others stay in proportion.
        floor: a smaller value counts as zero; 0 for a parameter of which more is better.
        worst: value at which the search ends.
    """

    unit: str
    meaning: str
    imperfection: str
    paths: tuple[str, ...]
    floor: float
    worst: float


MOST_SPREAD = 0.5
"""aihwkit takes the absolute value of what it draws: beyond this the real spread lags behind."""

PARAMETERS: Mapping[str, RequirementParameter] = {
    "levels": RequirementParameter(
        "states", "range over the step of one pulse", "finite_step", ("overrides.levels",), 0.0, 2.0
    ),
    "asymmetry": RequirementParameter(
        "step", "up against down step", "asymmetry", ("overrides.asymmetry",), 1e-3, 0.9
    ),
    "cycle_to_cycle": RequirementParameter(
        "step", "noise of each pulse", "cycle_to_cycle", ("overrides.cycle_to_cycle",), 1e-2, 10.0
    ),
    "jump_spread": RequirementParameter(
        "measured",
        "spread of a table's jumps around their mean",
        "cycle_to_cycle",
        ("overrides.jump_spread",),
        1e-2,
        100.0,
    ),
    "step_spread": RequirementParameter(
        "step", "device to device", "step_spread", ("overrides.step_spread",), 1e-2, MOST_SPREAD
    ),
    "weight_range": RequirementParameter(
        "He deviations", "window of weights, at the same step in weight", "", (), 0.0, 0.05
    ),
    "read_noise": RequirementParameter(
        "device states", "of one read", "read_noise", ("tile.reads.read_noise",), 1e-2, 10.0
    ),
    "stuck_share": RequirementParameter(
        "1", "devices that never move", "stuck_share", ("tile.stuck_share",), 1e-3, 0.5
    ),
    "half_select": RequirementParameter(
        "steps a spike",
        "disturb of an input line's devices, upwards (simulator: native)",
        "half_select",
        ("tile.half_select.forward_up",),
        1e-7,
        1.0,
    ),
    "read_disturb": RequirementParameter(
        "steps a spike",
        "disturb of an input line's devices by reads, upwards (simulator: native)",
        "read_disturb",
        ("tile.read_disturb.forward_up",),
        1e-7,
        1.0,
    ),
    "noise_of_range": RequirementParameter(
        "range",
        "noise of each pulse, as NeuroSim has it (simulator: native)",
        "pulse_noise",
        ("tile.pulse_noise.of_range",),
        1e-5,
        1.0,
    ),
    "retention_loss": RequirementParameter(
        "1",
        "share of the state that is lost in each decade of time (simulator: native)",
        "retention",
        ("tile.retention.loss_per_decade",),
        1e-5,
        1.0,
    ),
    "device_read_noise": RequirementParameter(
        "range",
        "noise of each device, new in each read (simulator: native)",
        "device_read_noise",
        ("tile.device_read_noise.white_of_range",),
        1e-5,
        1.0,
    ),
    "device_read_noise_of_current": RequirementParameter(
        "current",
        "the same, as a share of the device's own current (simulator: native)",
        "device_read_noise",
        ("tile.device_read_noise.white_of_current",),
        1e-5,
        1.0,
    ),
    "slow_read_noise": RequirementParameter(
        "range",
        "noise of each device, with a memory of slow_time_s (simulator: native)",
        "device_read_noise",
        ("tile.device_read_noise.slow_of_range",),
        1e-5,
        1.0,
    ),
    "asymmetry_common": RequirementParameter(
        "step",
        "asymmetry that all devices of an array share (simulator: native)",
        "line_spread",
        ("tile.line_spread.asymmetry_common",),
        1e-3,
        1.0,
    ),
    "ohm_per_cell": RequirementParameter(
        "ohm",
        "resistance of a line from cell to cell (simulator: native, lines.on_resistance)",
        "lines",
        ("tile.lines.ohm_per_cell",),
        1e-4,
        1e5,
    ),
    "asymmetry_spread": RequirementParameter(
        "step",
        "asymmetry, device to device",
        "asymmetry_spread",
        ("overrides.asymmetry_spread",),
        1e-3,
        1.0,
    ),
    "bounds_spread": RequirementParameter(
        "bound",
        "both bounds, device to device",
        "bounds_spread",
        ("overrides.w_max_spread", "overrides.w_min_spread"),
        1e-2,
        MOST_SPREAD,
    ),
    "write_noise": RequirementParameter(
        "step", "read against kept weight", "write_noise", ("overrides.write_noise",), 0.1, 1e3
    ),
}


def parameters_for(case: OnDeviceCase) -> Mapping[str, RequirementParameter]:
    """`PARAMETERS`, and those that a law of the user's own lets be asked for."""
    own = {
        name: RequirementParameter(
            p.unit, p.description, p.imperfection, (f"overrides.{name}",), *p.swept
        )
        for name, p in own_parameters(case).items()
        if p.swept is not None
    }
    return {**PARAMETERS, **own}


STANDARD = (
    "levels",
    "asymmetry",
    "cycle_to_cycle",
    "step_spread",
    "weight_range",
    "read_noise",
    "stuck_share",
)
"""The parameters that are asked for where none is named."""

WIDEST = 16.0
"""Weight range at which a search upwards ends, as a multiple of the device's own."""


@dataclass(frozen=True)
class RequirementAxis:
    """One parameter of one device, with the rest of the device around it.

    Attributes:
        context: the device with the parameter's own value.
        own: that value (signed, for the asymmetry).
        best_value, worst_value: ends of the scale.
    """

    name: str
    parameter: RequirementParameter
    context: OnDeviceCase
    own: float
    best_value: float
    worst_value: float
    weight_range: float

    @property
    def more_is_better(self) -> bool:
        """Whether the device gets worse as the size of the value falls."""
        return self.parameter.floor == 0.0

    @property
    def larger_is_better(self) -> bool:
        """Whether the value has to be at least, rather than at most, the one required."""
        return self.more_is_better or self.own < 0

    def harm(self, value: float) -> float:
        """Coordinate of a value."""
        if self.more_is_better:
            return -math.log10(value)
        return math.log10(max(abs(value), self.parameter.floor))

    def value(self, harm: float) -> float:
        """Value at a coordinate, to three digits; at the floor the best value."""
        if self.more_is_better:
            return rounded(10**-harm)
        if harm <= math.log10(self.parameter.floor) + 1e-9:
            return self.best_value
        return math.copysign(rounded(10**harm), self.own)

    def case(self, value: float) -> OnDeviceCase:
        """The device with that value."""
        if self.name != "weight_range":
            own = _values(self.parameter, settings_of(self.context))
            largest = max(map(abs, own))
            shares = [abs(each) / largest if largest else 1.0 for each in own]
            settings = zip(self.parameter.paths, shares, strict=True)
            return with_settings(self.context, {path: value * share for path, share in settings})
        # Another window at the same step in weight has another number of steps.
        share = value / self.weight_range
        own_levels = float(settings_of(self.context)["overrides.levels"])
        levels = min(own_levels * share, most_levels())  # the range is rounded
        changed = with_settings(self.context, {"overrides.levels": levels})
        drive = changed.hyperparameters.model_dump() | {"weight_range": value}
        return changed.model_copy(update={"hyperparameters": PartialHyperparameters(**drive)})


def axis(name: str, context: OnDeviceCase, tuned: TunedDevice) -> RequirementAxis | str:
    """The axis of a parameter; in words, why the device has none.

    Args:
        context: the device, with its drive.
    """
    parameter = parameters_for(context)[name]
    has = settings_of(context)
    levels = float(has["overrides.levels"])
    if name in ("levels", "weight_range") and "overrides.step" not in has:
        return f"{name}: {context.device} has the step of its table"
    if name == "weight_range":
        own = tuned.weight_range
        # No fewer than two levels, and no more than a preset may have.
        worst = max(parameter.worst, own * 2.0 / levels)
        best = rounded(own * min(WIDEST, most_levels() / levels))
        return RequirementAxis(name, parameter, context, own, best, min(own, worst), own)
    if name == "levels":
        # More of them than the drive can use would lower the learning rate.
        best = finest_levels(levels, tuned.thinning) if tuned.thinning else rounded(levels)
        return RequirementAxis(
            name, parameter, context, levels, best, parameter.worst, tuned.weight_range
        )
    if any(path.startswith("overrides.") and path not in has for path in parameter.paths):
        return f"{name}: {context.device} is simulated by a model without it"
    own = max(_values(parameter, has), key=abs)
    worst = max(parameter.worst, abs(own))
    return RequirementAxis(
        name, parameter, context, own, 0.0, math.copysign(worst, own), tuned.weight_range
    )


def _values(parameter: RequirementParameter, has: Mapping[str, Any]) -> list[float]:
    """The device's own settings of a parameter."""
    return [float(has.get(path) or 0.0) for path in parameter.paths]
