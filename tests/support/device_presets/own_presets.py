"""Provides presets with the laws that no shipped preset uses."""

from pathlib import Path

OWN_PRESETS = """
power:
  technology: test
  law: power
  description: steps by a power of the way left
  citation: none
  parameters:
    levels: {value: 100, unit: states, assumption: &t test}
    w_max: {value: 1.0, unit: weight, assumption: *t}
    w_min: {value: -1.0, unit: weight, assumption: *t}
    w_max_spread: {value: 0.1, unit: w_max, assumption: *t}
    w_min_spread: {value: 0.1, unit: w_min, assumption: *t}
    cycle_to_cycle: {value: 0.3, unit: step, assumption: *t}
    step_spread: {value: 0.2, unit: step, assumption: *t}
    asymmetry: {value: 0.1, unit: step, assumption: *t}
    asymmetry_spread: {value: 0.05, unit: step, assumption: *t}
    exponent: {value: 1.4, unit: "1", assumption: *t}
    exponent_spread: {value: 0.1, unit: exponent, assumption: *t}
    exponent_asymmetry: {value: 0.1, unit: exponent, assumption: *t}
    exponent_asymmetry_spread: {value: 0.1, unit: exponent, assumption: *t}
    write_noise: {value: 2.0, unit: step, assumption: *t}
piecewise:
  technology: test
  law: piecewise
  description: steps between given ones
  citation: none
  parameters:
    levels: {value: 100, unit: states, assumption: *t}
    w_max: {value: 1.0, unit: weight, assumption: *t}
    w_min: {value: -1.0, unit: weight, assumption: *t}
    w_max_spread: {value: 0.1, unit: w_max, assumption: *t}
    w_min_spread: {value: 0.1, unit: w_min, assumption: *t}
    cycle_to_cycle: {value: 0.3, unit: step, assumption: *t}
    step_spread: {value: 0.2, unit: step, assumption: *t}
    asymmetry: {value: 0.0, unit: step, assumption: *t}
    asymmetry_spread: {value: 0.05, unit: step, assumption: *t}
    step_factors_up: {value: [1.5, 1.0, 1.2, 0.2], unit: step, assumption: *t}
    step_factors_down: {value: [0.1, 0.8, 1.0, 1.4], unit: step, assumption: *t}
    write_noise: {value: 2.0, unit: step, assumption: *t}
"""


def write_own_presets(folder: Path) -> Path:
    """Writes a preset file with the entries `power` and `piecewise`."""
    path = folder / "own.yaml"
    path.write_text(OWN_PRESETS)
    return path
