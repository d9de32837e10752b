"""Makes charge traps with some effects switched off, for tests of the memory of pulses."""

from device_presets import Preset, get_preset

UNIFORM = {
    **dict.fromkeys(("cycle_to_cycle", "step_spread", "asymmetry_spread"), 0.0),
    **dict.fromkeys(("slope_up", "slope_down", "slope_up_spread", "slope_down_spread"), 0.0),
    **dict.fromkeys(("w_max_spread", "w_min_spread"), 0.0),
}
"""Makes all devices equal and noise-free, with the same step at every state."""
NO_MEMORY = {"gap_time_constant_s": 0.0, "loss_per_decade": 0.0}


def charge_trap(**overrides: float) -> Preset:
    """Returns `charge_trap_pulsed`, uniform except for the given overrides."""
    return get_preset("charge_trap_pulsed", {**UNIFORM, **overrides})
