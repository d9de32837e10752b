"""Charge traps with effects switched off, for tests of what remembers pulses."""

from device_presets import Preset, get_preset

UNIFORM = {
    **dict.fromkeys(("cycle_to_cycle", "step_spread", "asymmetry_spread"), 0.0),
    **dict.fromkeys(("slope_up", "slope_down", "slope_up_spread", "slope_down_spread"), 0.0),
    **dict.fromkeys(("w_max_spread", "w_min_spread"), 0.0),
}
"""All devices alike, without noise, the same step at every state."""
NO_MEMORY = {"gap_time_constant_s": 0.0, "loss_per_decade": 0.0}


def charge_trap(**overrides: float) -> Preset:
    """`charge_trap_pulsed`, uniform but for what is given."""
    return get_preset("charge_trap_pulsed", {**UNIFORM, **overrides})
