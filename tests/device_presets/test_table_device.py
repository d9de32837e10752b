"""Overrides of measured tables: checked before the device is looked up among those made before."""

from pathlib import Path

import pytest

from device_presets import PresetError
from device_presets.jump_tables.table_device import table_device
from support.device_presets.jump_tables import write_table


@pytest.mark.parametrize("value", [[0.5, 0.5], {"a": 1}, True, "much"])
def test_what_is_no_number_is_refused_in_one_line(value: object, tmp_path: Path) -> None:
    name = f"table({write_table(tmp_path / 'one')})"
    table_device(name, {"jump_spread": 1})  # kept, and equal to True
    with pytest.raises(PresetError, match=r"jump_spread: .*must be a number, at least 0") as caught:
        table_device(name, {"jump_spread": value})
    assert "\n" not in str(caught.value)


def test_equal_overrides_give_the_device_made_before(tmp_path: Path) -> None:
    name = f"table({write_table(tmp_path / 'one')})"
    device = table_device(name, {"jump_spread": 0.5})
    assert table_device(name, {"jump_spread": "0.5"}) is device
    assert table_device(name, {"jump_spread": 0.25}) is not device
