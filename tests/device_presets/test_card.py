"""Tests device cards, with the origin of every fact, their pictures, and example measurements."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from device_presets import get_preset, preset_names
from device_presets.cards.card import card
from device_presets.cards.listing import listing
from device_presets.pulsing.example_measurement import example_measurement
from rpu_ssnn.common.errors import InputError
from studies.cli.presets import presets_app


@pytest.mark.parametrize("name", preset_names())
def test_a_fact_is_sourced_where_its_parameter_has_a_source(name: str) -> None:
    preset = get_preset(name)
    facts = {fact.what: fact for fact in card(preset)}
    states = "states over the range" + (", up / down" if preset.bidirectional else "")
    assert {states, "noise of a pulse", "retention", "energy per pulse"} <= set(facts)
    noise = preset.parameters["cycle_to_cycle"]
    standing = "sourced" if noise.source else "assumed"
    assert facts["noise of a pulse"].standing == standing
    if preset.value("energy_per_pulse_j") is None:
        assert facts["energy per pulse"].standing == "not known"


def test_the_card_shows_what_the_list_shows() -> None:
    listed = listing()
    for preset in map(get_preset, preset_names()):
        facts = {fact.what: fact.value for fact in card(preset)}
        line = next(row for row in listed.splitlines() if row.split()[:1] == [preset.name])
        _, up, _, down, asymmetry, *_ = line.split()
        if preset.bidirectional:
            assert facts["states over the range, up / down"] == f"{up} / {down} states"
            assert facts["asymmetry of the mean steps"] == f"{asymmetry} of the larger step"
        else:
            assert facts["states over the range"] == f"{up} states"
            assert facts["asymmetry of the mean steps"] == "no gradual down step"


def test_the_card_of_an_exponential_step_shows_mean_steps_and_no_raw_parameter() -> None:
    facts = {fact.what: fact.value for fact in card(get_preset("reram_es"))}
    assert facts["states over the range, up / down"] == "1350.2 / 1004.3 states"
    assert facts["asymmetry of the mean steps"] == "-0.256 of the larger step"
    # From the formula of the step factor, 1 - A exp(d gamma z).
    assert facts["decrease of the step at the bound"] == "0.0813 / 0.457 of the step"


def test_spreads_of_bounds_that_differ_are_both_shown() -> None:
    def shown(low: float) -> str:
        preset = get_preset("reram_es", {"w_min_spread": low})
        return {f.what: f.value for f in card(preset)}["spread of bounds between devices"]

    assert shown(0.3) == "0.3 of each bound"
    assert shown(0.1) == "0.3 w_max, 0.1 w_min"


def test_the_command_shows_a_card_and_draws_it(tmp_path: Path) -> None:
    picture = tmp_path / "card.png"
    shown = CliRunner().invoke(presets_app, ["show", "hfo2_with_failed", "--plot", str(picture)])
    assert shown.exit_code == 0, shown.output
    line = next(x for x in shown.output.splitlines() if x.startswith("devices that never move"))
    assert line.split()[4:] == ["0.0977", "sourced"]
    assert picture.stat().st_size > 10_000


def test_each_entry_has_its_own_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    overrides = "parameters: {levels: {value: 5, unit: states, source: x}}"
    Path("two.yaml").write_text("".join(f"{n}: {{like: ideal, {overrides}}}\n" for n in "ab"))
    for entry in "ab":
        assert CliRunner().invoke(presets_app, ["show", f"two.yaml:{entry}"]).exit_code == 0
    assert sorted(p.name for p in tmp_path.glob("*.png")) == ["two_a_card.png", "two_b_card.png"]


def test_a_small_device_does_not_claim_the_large_ones_bound() -> None:
    """It has 100 levels, with steps half as large again at a bound: 1.5 % of the range, not
    1.5e-4."""
    preset = get_preset("charge_trap_180nm")
    largest = (1.0 + preset.number("slope_up")) / preset.levels
    assert largest == pytest.approx(0.015)
    assert "1.5 % of the range" in str(preset.parameters["slope_up"].assumption)


def test_card_and_list_show_the_noise_of_the_step() -> None:
    facts = {fact.what: fact.value for fact in card(get_preset("pcm"))}
    assert facts["noise of a pulse"] == "0.6893 step"
    # The noise is 75 times the parameter `step`, 0.00135; the larger step at zero is 0.0019914.
    reram = {fact.what: fact.value for fact in card(get_preset("reram_es"))}
    assert reram["noise of a reading"] == "50.84 step"
    pcm = next(row for row in listing().splitlines() if row.split()[:1] == ["pcm"])
    assert pcm.split()[5] == "0.689"


def test_an_example_has_no_negative_conductance() -> None:
    with pytest.raises(InputError, match=r"ideal: w_min: -10.0 .*at least -3 here, which is 0 uS"):
        example_measurement(get_preset("ideal", {"w_min": -10}), 1, 5, 1, 0)


def test_an_example_says_that_a_device_has_no_down_sweep(tmp_path: Path) -> None:
    out = tmp_path / "pcm.csv"
    said = CliRunner().invoke(
        presets_app, ["example", "pcm", "--out", str(out), "--pulses", "5", "--devices", "1"]
    )
    assert "note: each device is only swept up, as pcm has no gradual down step" in said.output
