"""Device cards: every fact with where it comes from, and pictures of them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from device_presets import get_preset, preset_names
from device_presets.plots.card import card, measured_share, plot_overview
from studies.cli.presets import presets_app


@pytest.mark.parametrize("name", preset_names())
def test_a_fact_is_measured_where_its_parameter_has_a_source(name: str) -> None:
    preset = get_preset(name)
    facts = {fact.what: fact for fact in card(preset)}
    assert {"states over the range", "noise of a pulse", "retention", "energy a pulse"} <= set(
        facts
    )
    noise = preset.parameters["cycle_to_cycle"]
    standing = "measured" if noise.source else "assumed"
    assert facts["noise of a pulse"].standing == standing
    if preset.value("energy_per_pulse_j") is None:
        assert facts["energy a pulse"].standing == "not known"


def test_what_is_derived_stands_as_what_it_comes_from() -> None:
    states = {f.what: f for f in card(get_preset("capacitor"))}["states over the range"]
    assert (states.value, states.standing) == ("400 states", "measured")
    assumed = {f.what: f for f in card(get_preset("capacitor", {"step": 0.01}))}
    assert assumed["states over the range"].standing == "assumed"


def test_the_capacitor_is_more_measured_than_the_charge_trap() -> None:
    assert measured_share(get_preset("capacitor")) > 0.7
    assert measured_share(get_preset("charge_trap")) < 0.3


def test_the_command_shows_a_card_and_draws_it(tmp_path: Path) -> None:
    picture = tmp_path / "card.png"
    shown = CliRunner().invoke(presets_app, ["show", "hfo2_with_failed", "--plot", str(picture)])
    assert shown.exit_code == 0, shown.output
    line = next(
        row for row in shown.output.splitlines() if row.startswith("devices that never move")
    )
    assert line.split()[4:] == ["0.0977", "measured"]
    assert picture.stat().st_size > 10_000


def test_an_overview_of_several_presets(tmp_path: Path) -> None:
    presets = [get_preset(name, {"levels": 20}) for name in ("ideal", "capacitor", "charge_trap")]
    assert plot_overview(presets, tmp_path / "all.png").stat().st_size > 10_000
