"""Settings of what arrays do wrong, beyond their ranges or without what they need."""

from typing import Any

import pytest

from rpu_ssnn.spec.tile import TileSpec

LINES = {"ohm_per_cell": 10.0, "on_resistance": 1e4, "voltage_constant": 0.2}
REFUSED: dict[str, list[tuple[dict[str, Any], str]]] = {
    "line_spread": [({"step_by_row": 0.1}, "unknown key; did you mean step_by_output_line")],
    "device_read_noise": [({"slow_levels": "three"}, "'many' or 'two'")],
    "lines": [
        ({"ohm_per_cell": 1.0}, "ohm_per_cell needs on_resistance"),
        ({"ohm_per_cell": 1.0, "on_resistance": 1e4}, "ohm_per_cell needs voltage_constant"),
    ],
    "retention": [
        ({"loss_per_decade": 0.1, "exponent": 0.1}, "give only one of them"),
        ({"from_s": 1e-4}, "from_s needs a law"),
        ({"toward_state": 0.5}, "toward_state needs a law"),
        ({"temperature_k": 350.0}, "must be given together"),
        ({"activation_energy_ev": 1.0}, "must be given together"),
        ({"reference_temperature_k": 350.0}, "needs temperature_k"),
        ({"temperature_k": 900.0, "activation_energy_ev": 5.0}, "scale times by more than 1e\\+12"),
    ],
}


@pytest.mark.parametrize(
    ("group", "settings", "words"),
    [(group, *row) for group, rows in REFUSED.items() for row in rows],
)
def test_bad_settings_are_refused(group: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TileSpec.model_validate({"simulator": "native", group: settings})


@pytest.mark.parametrize(
    ("group", "settings"),
    [
        ("half_select", {"gradient": 0.1}),
        ("line_spread", {"step_gradient": 0.1}),
        ("pulse_noise", {"of_range": 0.1}),
        ("wear", {"half_window_pulses": 9.0}),
        ("read_disturb", {"forward_up": 0.1}),
        ("device_read_noise", {"white_of_range": 0.1}),
        ("lines", LINES),
        ("retention", {"exponent": 0.1}),
    ],
)
def test_aihwkits_tiles_have_none_of_it(group: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{group} needs simulator: native"):
        TileSpec.model_validate({group: settings})
