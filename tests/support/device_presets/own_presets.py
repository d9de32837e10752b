"""Provides presets with the laws that no shipped preset uses."""

from pathlib import Path

_COMMON = """
  technology: test
  description: a device of a law that no shipped preset has
  citation: none
  parameters:
    levels: {value: 100, unit: states, assumption: test}
    w_max: {value: 1.0, unit: weight, assumption: test}
    w_min: {value: -1.0, unit: weight, assumption: test}
    w_max_spread: {value: 0.1, unit: w_max, assumption: test}
    w_min_spread: {value: 0.1, unit: w_min, assumption: test}
    cycle_to_cycle: {value: 0.3, unit: step, assumption: test}
    step_spread: {value: 0.2, unit: step, assumption: test}
    asymmetry_spread: {value: 0.05, unit: step, assumption: test}
    write_noise: {value: 2.0, unit: step, assumption: test}
"""
OWN_PRESETS = f"""
power:
  law: power{_COMMON}
    asymmetry: {{value: 0.1, unit: step, assumption: test}}
    exponent: {{value: 1.4, unit: "1", assumption: test}}
    exponent_spread: {{value: 0.1, unit: exponent, assumption: test}}
    exponent_asymmetry: {{value: 0.1, unit: exponent, assumption: test}}
    exponent_asymmetry_spread: {{value: 0.1, unit: exponent, assumption: test}}
piecewise:
  law: piecewise{_COMMON}
    asymmetry: {{value: 0.0, unit: step, assumption: test}}
    step_factors_up: {{value: [1.5, 1.0, 1.2, 0.2], unit: step, assumption: test}}
    step_factors_down: {{value: [0.1, 0.8, 1.0, 1.4], unit: step, assumption: test}}
"""


def write_own_presets(folder: Path) -> Path:
    """Writes a preset file with the entries `power` and `piecewise`."""
    path = folder / "own.yaml"
    path.write_text(OWN_PRESETS)
    return path
