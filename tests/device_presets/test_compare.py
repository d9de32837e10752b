"""Presets side by side."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from device_presets import Preset, PresetError, get_device, get_preset
from device_presets.cards.card import card
from device_presets.cards.card_plot import plot_card
from device_presets.cards.comparison_plot import measured_steps, names_of, plot_comparison
from device_presets.cards.listing import listing
from device_presets.pulsing.example_measurement import example_measurement
from studies.cli.presets import presets_app


def test_steps_are_those_of_the_preset() -> None:
    found = measured_steps(get_preset("capacitor", {"slope_up": 0.2, "slope_down": 0.0}))
    np.testing.assert_allclose(found.up, 0.005 * (1 - 0.2 * found.weight), rtol=2e-3)
    np.testing.assert_allclose(found.down, 0.005, rtol=2e-3)
    assert found.noise.mean() == pytest.approx(0.3 * 0.005, rel=0.1)
    middle = np.abs(found.weight) < 0.5
    expected = 0.005 * np.hypot(0.1, 0.06)  # step spread and asymmetry spread
    assert found.spread[middle].mean() == pytest.approx(expected, rel=0.15)


def test_the_page_is_drawn(tmp_path: Path) -> None:
    presets = [get_preset("ideal", {"levels": 20}), get_preset("pcm", {"levels": 20})]
    path = plot_comparison(presets, tmp_path / "page.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_presets_of_one_name_are_told_apart(tmp_path: Path) -> None:
    like = "{like: ideal, description: mine}"
    for folder in (tmp_path, tmp_path / "sub"):
        folder.mkdir(exist_ok=True)
        (folder / "one.yaml").write_text(f"a: {like}")
    (tmp_path / "two.yaml").write_text(f"a: {like}\nb: {like}")
    files = [
        f"{tmp_path}/{name}" for name in ("two.yaml:a", "two.yaml:b", "one.yaml", "sub/one.yaml")
    ]
    presets = [get_preset(name) for name in ("ideal", *files)]
    assert names_of(presets[:-1]) == ["ideal", "two_a", "two_b", "one"]
    assert names_of(presets)[-2:] == files[-2:]
    dotted = get_device("SoftBoundsDevice(dw_min=0.01)")
    assert isinstance(dotted, Preset)
    assert names_of([dotted]) == ["SoftBoundsDevice(dw_min=0.01)"]


def test_names_and_descriptions_are_drawn_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No formula between dollars, no entry that the legend hides."""
    monkeypatch.chdir(tmp_path)
    levels = "parameters: {levels: {value: 5, unit: states, source: x}}"
    for name in ("_mine.yaml", "m$^$.yaml"):
        Path(name).write_text(f"a: {{like: ideal, description: a cell of $^ $, {levels}}}")
    drawn = []
    monkeypatch.setattr(Figure, "legend", lambda _, handles, names, **__: drawn.extend(names))
    presets = [get_preset(name) for name in ("_mine.yaml", "m$^$.yaml")]
    plot_comparison(presets, Path("both.png"))
    assert drawn == [" _mine", r"m\$^\$"]
    assert plot_card(presets[1], Path("card.png")).is_file()


def test_an_example_has_no_negative_conductance() -> None:
    with pytest.raises(PresetError, match=r"ideal: w_min: -10.0 .*at least -3 here, which is 0 uS"):
        example_measurement(get_preset("ideal", {"w_min": -10}), 1, 5, 1, 0)


def test_an_example_says_that_a_device_has_no_down_sweep(tmp_path: Path) -> None:
    out = tmp_path / "pcm.csv"
    said = CliRunner().invoke(
        presets_app, ["example", "pcm", "--out", str(out), "--pulses", "5", "--devices", "1"]
    )
    assert "note: one sweep up a device, as pcm has no gradual down step" in said.output


def test_the_command_prints_the_numbers_and_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(
        "a: {like: charge_trap_180nm, parameters: {step: {value: 0.1, unit: weight, source: x}}}"
    )
    asked = ["compare", "mine.yaml", "pcm", "--csv", "table.csv", "--plot", "page.png"]
    said = CliRunner().invoke(presets_app, asked)
    assert said.exit_code == 0, said.output
    assert Path("page.png").is_file()
    table = pd.read_csv("table.csv").set_index("fact")
    expected = {
        "states over the range, up / down": ("20 / 20 states", "sourced", np.nan, "none"),
        "states over the range": (np.nan, "none", "7.1 states", "sourced"),
        # 0.6 (0.28235 + 0.042) / 0.28235: the noise of this step has an offset.
        "noise of a pulse": ("0.38 step", "assumed", "0.6893 step", "sourced"),
        "noise of a reading": ("0 step", "assumed", "0 step", "sourced"),
        "energy a pulse": ("3e-15 J", "sourced", "not known", "not known"),
    }
    for fact, row in expected.items():
        pd.testing.assert_series_equal(
            table.loc[fact], pd.Series(row, table.columns), check_names=False
        )
    lines = [[cell.strip() for cell in line.split("|")] for line in said.output.splitlines()]
    shown = {cells[1]: cells[2:4] for cells in lines if len(cells) > 3}
    assert shown["fact"] == ["mine", "pcm"]
    assert shown["noise of a pulse"] == ["0.38 step*", "0.6893 step"]


def test_card_and_list_show_the_noise_of_the_step() -> None:
    facts = {fact.what: fact.value for fact in card(get_preset("pcm"))}
    assert facts["noise of a pulse"] == "0.6893 step"
    # 75 shares of the parameter `step`, 0.00135; the larger step at weight zero is 0.0019914.
    reram = {fact.what: fact.value for fact in card(get_preset("reram_es"))}
    assert reram["noise of a reading"] == "50.84 step"
    pcm = next(row for row in listing().splitlines() if row.split()[:1] == ["pcm"])
    assert pcm.split()[5] == "0.689"
