"""A swapped polarity is found in the raw data."""

from pathlib import Path

import numpy as np
import pytest

from device_presets import get_preset
from device_presets.fitting.reading.measurement import doubt_of
from device_presets.fitting.reading.reading import read
from device_presets.pulsing.example_measurement import example_measurement


@pytest.mark.parametrize("name", ["ecram", "pcm", "ideal"])
def test_a_swapped_polarity_is_told(name: str, tmp_path: Path) -> None:
    file, preset = tmp_path / "a.csv", get_preset(name, {"cycle_to_cycle": 0.1})
    table = example_measurement(preset, devices=4, pulses=100, cycles=3, seed=1)
    table.to_csv(file, index=False)
    assert "polarity" not in doubt_of(read(file))
    if len(set(table["polarity"])) == 2:
        table["polarity"] = table["polarity"].map({"up": "down", "down": "up"})
    else:
        table["conductance_uS"] = 200 - table["conductance_uS"]
    table.to_csv(file, index=False)
    assert doubt_of(read(file)).startswith("the polarity may be swapped")


def test_noise_alone_has_no_polarity(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    preset = get_preset("ecram", {"levels": 100})
    table = example_measurement(preset, devices=2, pulses=60, cycles=2, seed=0)
    for trial in range(20):
        table["conductance_uS"] = 60 + rng.normal(size=len(table))
        table.to_csv(tmp_path / f"{trial}.csv", index=False)
        assert "polarity" not in doubt_of(read(tmp_path / f"{trial}.csv"))
