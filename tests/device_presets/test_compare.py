"""Presets side by side."""

from pathlib import Path

import numpy as np
import pytest

from device_presets import PresetError, get_preset
from device_presets.plots.comparison import measured_steps, plot_comparison


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


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    ideal = get_preset("ideal", {"levels": 20})
    with pytest.raises(PresetError, match=r"compare: presets: 1 .*2 to 6"):
        plot_comparison([ideal], tmp_path / "a.png")
    with pytest.raises(PresetError, match=r"compare: file: .*a\.xyz"):
        plot_comparison([ideal, ideal], tmp_path / "a.xyz")
    assert not list(tmp_path.iterdir())
