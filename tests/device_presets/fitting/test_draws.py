"""Where no law describes each pulse whole cycles are fitted, and devices are drawn from a fit."""

import math
from pathlib import Path

import numpy as np
import pytest

from device_presets import get_preset
from device_presets.fitting import FittedDevice, fit_file
from device_presets.jump_tables.table_device import SHIPPED
from device_presets.library.entry_writing import MOST_DRAWS, draws_file
from device_presets.library.steps_at_zero import mean_steps


@pytest.fixture(scope="module")
def enode() -> FittedDevice:
    """The measured table that no law describes pulse by pulse."""
    return fit_file(SHIPPED / "ENODe", "enode")


def test_the_mean_curve_of_a_measured_device_is_nearer_than_neurosims(enode: FittedDevice) -> None:
    """By likelihood alone it was off by 2.6 %, and 58 % of the readings lay within the band."""
    assert enode.held_out is not None
    assert enode.neurosim is not None
    assert enode.held_out.worst < 0.01 < enode.neurosim.worst
    assert 0.85 < enode.within_band < 0.97
    assert enode.usable
    assert "but not each pulse" in enode.sentence
    assert enode.models()["model"].iloc[0].endswith("fitted to its mean curve")


def test_drawn_devices_scatter_as_the_report_says(enode: FittedDevice, tmp_path: Path) -> None:
    file = tmp_path / "enode.yaml"
    enode.save(file, tmp_path / "enode.png")
    own = get_preset(str(file)).number("w_max")
    assert own == pytest.approx(enode.population.device().local[4], rel=1e-4)
    (states,) = (q for q in enode.quantities if q.name == "states")
    assert states.low is not None
    assert states.high is not None
    drawn = [get_preset(f"{draws_file(file)}:draw_{k + 1}") for k in range(MOST_DRAWS)]
    logs = np.log([2 * (one.w_max - one.w_min) / sum(mean_steps(one)) for one in drawn])
    error = math.log(states.high / states.low) / 4.2  # of Student's t with 19 degrees
    assert 0.4 * error < logs.std(ddof=1) < 2.0 * error
