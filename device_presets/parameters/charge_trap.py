"""The rows of the parameter table that only charge traps have (see `charge_trap_physics`)."""

from device_presets.parameters.common import (
    LONGEST_PULSE_S,
    PULSE_LIMITS,
    SHARE,
    SHORTEST_PULSE_S,
)
from device_presets.parameters.rule import ParameterRule as Rule

_LONGEST = "at most 1e9: some decades"

CHARGE_TRAP = {
    **{
        name: Rule(
            unit="s",
            description=f"{meaning}; {PULSE_LIMITS}",
            limits=(SHORTEST_PULSE_S, LONGEST_PULSE_S),
            required=True,
        )
        for name, meaning in (
            ("pulse_width_s", "duration of a pulse, which the step follows"),
            ("step_width_s", "width of the isolated pulse that makes the step `step`"),
        )
    },
    "width_knee_s": Rule(
        unit="s",
        description="isolated pulses of this width use half of their on-time; "
        "at most 1e4, as the longest pulse",
        limits=(0.0, LONGEST_PULSE_S),
        required=True,
    ),
    "width_steepness": Rule(
        unit=SHARE,
        description="used share of an isolated pulse: 1 / (1 + (knee / width)^this); "
        "at most 100: all or nothing within a few percent of the knee",
        limits=(0.0, 100.0),
        above_low=True,
        required=True,
    ),
    "gap_time_constant_s": Rule(
        unit="s",
        description="how fast one pulse's preparation of the next fades in the gap, 0 being at "
        "once; " + _LONGEST,
        limits=(0.0, 1e9),
        required=True,
    ),
    "loss_per_decade": Rule(
        unit=SHARE,
        description="share of the stored charge lost a decade of time after loss_onset_s",
        limits=(0.0, 1.0),
        required=True,
    ),
    "loss_onset_s": Rule(
        unit="s",
        description="kept charge after t: 1 - loss_per_decade log10(1 + t / this); 1e-12, the "
        "shortest pulse, to 1e9, some decades",
        limits=(1e-12, 1e9),
        required=True,
    ),
}
