"""Tests devices with measured jumps, their overrides and their files."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from device_presets.fitting.reading.reading import read
from device_presets.jump_tables.lookup_table import read_lookup_table, write_lookup_table
from device_presets.jump_tables.table_device import table_device
from rpu_ssnn.common.errors import InputError
from support.device_presets.jump_tables import write_table


@pytest.mark.parametrize("value", [[0.5, 0.5], {"a": 1}, True, "much"])
def test_what_is_no_number_is_refused_in_one_line(value: object, tmp_path: Path) -> None:
    name = f"table({write_table(tmp_path / 'one')})"
    table_device(name, {"jump_spread": 1})
    with pytest.raises(InputError, match="jump_spread: ") as caught:
        table_device(name, {"jump_spread": value})
    assert "\n" not in str(caught.value)


def test_pulses_do_not_overlap(tmp_path: Path) -> None:
    name = f"table({write_table(tmp_path / 'one')})"
    with pytest.raises(InputError, match="pulse_period_s: 1e-06"):
        table_device(name, {"pulse_width_s": 1e-3, "pulse_period_s": 1e-6})


@pytest.mark.parametrize("scale", [1e-9, 0.1])
def test_both_directions_have_the_same_conductances(scale: float, tmp_path: Path) -> None:
    """This also holds for conductances in nanosiemens."""
    for name, low in (("increasing", 1.0), ("decreasing", 1.5)):
        conductance = [scale * (low + k) for k in range(3)]
        rows = (conductance, (0.0, 1.0), *[(scale * 0.1,) * 3] * 2)
        text = "\n".join(", ".join(map(str, row)) for row in rows)
        (tmp_path / f"dG_{name}.txt").write_text(text)
    with pytest.raises(InputError, match="dG_decreasing"):
        table_device(f"table({tmp_path})")


def test_a_file_is_there_packed_or_unpacked(tmp_path: Path) -> None:
    """If both were allowed, an edit of the unpacked file would have no effect."""
    folder = write_table(tmp_path / "one")
    (folder / "dG_decreasing.txt").write_text("edited")
    with pytest.raises(InputError, match=r"one: file: 'dG_decreasing\.txt'"):
        table_device(f"table({folder})")


def test_normalised_conductances_are_not_in_siemens(tmp_path: Path) -> None:
    table = read_lookup_table(write_table(tmp_path / "one"))
    for number, normalised in enumerate((False, True)):
        written = replace(table, normalised=normalised)
        write_lookup_table(tmp_path / "both" / str(number), written)
    name = f"table({tmp_path / 'both' / '1'})"
    source = table_device(name).parameters["w_min"].source
    assert source == "the table: the smallest conductance, 1e-05 a.u."
    with pytest.raises(InputError, match="tables: some are normalised, some in siemens"):
        table_device(f"table({tmp_path / 'both'})")
    assert [read(tmp_path / "both" / number).unit for number in "01"] == ["uS", "a.u."]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.replace("0, 0.5, 1", "0, x, 1"), r"row 3: row: .*must hold numbers"),
        (lambda s: s.replace("0, 0.5, 1", "0, 1, 0.5"), "points: they do not rise"),
        (lambda s: "\n".join(s.split("\n")[:4]), "rows: 3 .*one row for each point"),
        (lambda s: s.replace("9e-07, 9e-07", "9e-07", 1), "row 4: cells: 8 .* must be 9"),
        (lambda s: s.replace("0, 0.5, 1", "0, 0.5, 0.9"), "distribution: from 0 to 0.9; must go"),
        (
            lambda s: "\n".join(s.split("\n")[i] for i in (0, 1, 2, 5, 4, 3)),
            "column 1 of changes: 9e-07 .* must rise with the points",
        ),
    ],
)
def test_a_bad_lookup_table_is_one_line(change, message: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = write_table(tmp_path / "mine")
    file = folder / "dG_increasing.txt.gz"
    file.write_bytes(gzip.compress(change(gzip.decompress(file.read_bytes()).decode()).encode()))
    with pytest.raises(InputError, match=message) as caught:
        read(folder)
    assert "\n" not in str(caught.value)
