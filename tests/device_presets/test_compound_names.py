"""Tests cells by name, their overrides, and the one-line errors for parts that do not fit."""

import math
from dataclasses import replace

import pytest

from device_presets import COMPOUNDS, get_device
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.synapses.tiles.tile import devices_of
from support.device_presets.compounds import trial_of
from support.studies.harness import in_device


def test_a_leaking_cell_without_exact_writes_is_refused() -> None:
    with pytest.raises(InputError, match="must be 0 in a cell of leaking"):
        get_device("tiki_taka(capacitor)", {"write_noise": 2.0})


@pytest.mark.parametrize("cell", ["one_sided_pair(pcm)", "mixed_precision_pair(pcm)"])
def test_a_pair_that_is_refreshed_has_no_write_noise(cell: str) -> None:
    with pytest.raises(InputError, match=r"write_noise: 0\.01.*must be 0 in a pair that"):
        get_device(cell, {"write_noise": 0.01})


def test_settings_of_the_cell_and_of_the_preset_are_overridden_by_name() -> None:
    plain = trial_of("tiki_taka(ideal)")
    assert plain.settings.method.parameters["transfer_every"] == 5.0
    assert plain.identity == trial_of("tiki_taka(ideal)").identity
    others = {
        trial_of("tiki_taka(ideal)", overrides=o).identity
        for o in ({"transfer_every": 7}, {"transfer_gain": 0.5}, {"cycle_to_cycle": 0.5})
    }
    assert len(others | {plain.identity, trial_of("tiki_taka(ideal, ecram)").identity}) == 5
    assert in_device(device="agad(ideal)").name == "agad(ideal)"


@pytest.mark.parametrize(
    ("device", "setting", "value"),
    [
        ("mixed_precision(ideal)", "transfer_every", 2.5),
        ("one_sided_pair(pcm)", "refresh_every", 1e10),  # It does not fit into 32 bits.
        ("one_sided_pair(pcm)", "rewrite_pulses", 0.4),  # Rounded to 0, it would write exactly.
        ("tiki_taka(ideal)", "transfer_gain", 1e300),  # It is too large for single precision.
    ],
)
def test_settings_of_cells_have_ranges(device: str, setting: str, value: float) -> None:
    with pytest.raises(InputError) as caught:
        get_device(device, {setting: value})
    assert (caught.value.field, caught.value.value) == (setting, value)
    assert get_device(device, {setting: 7}).settings[setting] == 7.0


def test_a_compound_goes_to_a_worker_process_and_back() -> None:
    import pickle

    device = get_device("tiki_taka(capacitor, ecram)", {"transfer_gain": 0.5})
    again = pickle.loads(pickle.dumps(device))
    assert again.parameters == device.parameters
    with pytest.raises(InputError, match="transfer_gain"):
        get_device("tiki_taka(ideal)", {"transfer_gain": math.inf})
    assert replace(device, kind="agad").cell is COMPOUNDS["agad"]
    assert devices_of({"max_bound_0": None, "max_bound_1": None}) == ["_0", "_1"]  # type: ignore[dict-item]
