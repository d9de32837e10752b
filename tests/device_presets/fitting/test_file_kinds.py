"""Files as labs have them: no header, no numbers, side by side, Excel, folders, CrossSim."""

import gzip
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from device_presets import PresetError
from device_presets.fitting.model.history import timing_of
from device_presets.fitting.reading.csv_layout import SIEMENS, CsvLayout, unit_in_name
from device_presets.fitting.reading.file_kinds import read
from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.sampled_table import sampled
from device_presets.jump_tables.lookup_table import read_lookup_table
from support.device_presets.jump_tables import write_table

PULSES = 20
UP_THEN_DOWN = [0] + [1] * PULSES + [-1] * PULSES


def rows(first: float = 10.0) -> list[tuple[str, float]]:
    """Polarity and conductance (uS): up by 0.5 a pulse, and down again."""
    ups = [("up", first + 0.5 * k) for k in range(PULSES + 1)]
    return ups + [("down", first + 0.5 * (PULSES - k)) for k in range(1, PULSES + 1)]


def text(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def same(found: Measurement, factor: float = 1e-6) -> None:
    np.testing.assert_array_equal(found.pulse, UP_THEN_DOWN)
    np.testing.assert_allclose(found.conductance, [factor * g for _, g in rows()])


def test_without_a_pulse_column_the_order_of_rows_counts(tmp_path: Path) -> None:
    lines = ["polarity,conductance", *(f"{p},{g}" for p, g in rows())]
    found = read(text(tmp_path / "a.csv", lines), CsvLayout())
    same(found)
    assert found.notes == ("no pulse column: pulses are counted in the order of the rows",)
    with pytest.raises(PresetError, match=r"row 1: column: 'pulse' is missing"):
        read(tmp_path / "a.csv", CsvLayout(pulse="pulse"))


def test_a_column_that_is_not_used_is_named(tmp_path: Path) -> None:
    lines = ["polarity,humidity,conductance", *(f"{p},0.1,{g}" for p, g in rows())]
    note = read(text(tmp_path / "a.csv", lines), CsvLayout()).notes[-1]
    assert note == "not used: 1 column (humidity)"


def test_without_a_header_columns_are_named_by_their_place(tmp_path: Path) -> None:
    file = text(tmp_path / "a.csv", [f"{1 if p == 'up' else -1};{g}" for p, g in rows()])
    same(read(file, CsvLayout(polarity="1", conductance="2")))
    with pytest.raises(PresetError, match=r"'polarity' is missing.*one of 1, 2"):
        read(file, CsvLayout())
    one = text(tmp_path / "b.csv", [str(g) for _, g in rows()[: PULSES + 1]])
    found = read(one, CsvLayout(conductance="1", all_pulses="up"))
    assert (found.n_pulses, (found.pulse < 0).any()) == (PULSES, False)


def test_arbitrary_units_may_be_negative(tmp_path: Path) -> None:
    lines = ["polarity,conductance", *(f"{p},{g - 15}" for p, g in rows())]
    file = text(tmp_path / "a.csv", lines)
    found = read(file, CsvLayout(conductance_unit="a.u."))
    assert found.conductance.min() == -5.0
    with pytest.raises(PresetError, match=r"row 2: column conductance: .*unless .* is a\.u\."):
        read(file, CsvLayout())


def test_up_and_down_sweeps_side_by_side(tmp_path: Path) -> None:
    """As aihwkit's example file has them: two columns, the n-th row after the n-th pulse."""
    ups = [10 + 0.5 * k for k in range(PULSES + 1)]
    downs = ups[::-1]
    lines = ["up_pulse,down_pulse", *(f"{u},{d}" for u, d in zip(ups, downs, strict=True))]
    found = read(text(tmp_path / "a.csv", lines), CsvLayout())
    np.testing.assert_array_equal(found.pulse, [0] + [1] * PULSES + [0] + [-1] * PULSES)
    np.testing.assert_allclose(found.conductance, 1e-6 * np.array([*ups, *downs]))
    shorter = [line if k < 18 else line.split(",")[0] + "," for k, line in enumerate(lines)]
    named = text(tmp_path / "b.csv", [shorter[0].replace("_pulse", " G"), *shorter[1:]])
    found = read(named, CsvLayout(up="up G", down="down G"))
    assert int((found.pulse < 0).sum()) == 16
    with pytest.raises(PresetError, match=r"down column: missing.* beside up G"):
        CsvLayout(up="up G")


def test_a_jump_between_sweeps_is_no_pulse(tmp_path: Path) -> None:
    """Each cycle starts anew at the bottom, where nothing brought the device back by pulses."""
    lines = ["cycle,polarity,conductance"]
    for cycle in (1, 2, 3):
        lines += [f"{cycle},{p},{g}" for p, g in rows()[: PULSES + 6]]
    found = read(text(tmp_path / "a.csv", lines), CsvLayout())
    assert int((found.pulse == 0).sum()) == 3
    assert np.abs(np.diff(found.conductance)[found.pulse[1:] != 0]).max() < 0.6e-6
    assert any(note.startswith("2 jumps between sweeps taken as no pulse") for note in found.notes)


def test_excel(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["pulse", "polarity", "conductance"])
    for k, (polarity, conductance) in enumerate(rows()):
        sheet.append([k, polarity, conductance])
    book.save(tmp_path / "a.xlsx")
    found = read(tmp_path / "a.xlsx", CsvLayout())
    same(found)
    assert found.name == "a.xlsx"
    sheet["C5"] = "twelve"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(PresetError, match=r"a\.xlsx, row 5: column conductance: 'twelve'"):
        read(tmp_path / "a.xlsx", CsvLayout())
    (tmp_path / "b.xlsx").write_text("no Excel file")
    with pytest.raises(PresetError, match=r"b\.xlsx: file: .*readable Excel file"):
        read(tmp_path / "b.xlsx", CsvLayout())


def test_a_folder_holds_a_file_a_device(tmp_path: Path) -> None:
    folder = tmp_path / "devices"
    folder.mkdir()
    with pytest.raises(PresetError, match=r"devices: folder: .* must hold a file for each device"):
        read(folder, CsvLayout())
    for device in range(3):
        lines = ["polarity,conductance", *(f"{p},{g}" for p, g in rows(10 + device))]
        text(folder / f"d{device}.csv", lines)
    found = read(folder, CsvLayout())
    assert (found.n_devices, found.n_pulses) == (3, 3 * 2 * PULSES)
    assert found.conductance[found.device == 2].min() == pytest.approx(12e-6)
    text(folder / "d1.csv", ["polarity,conductance", "up,x"])
    with pytest.raises(PresetError, match=r"d1\.csv, row 2: column conductance: 'x'"):
        read(folder, CsvLayout())


def test_crosssims_lookup_tables(tmp_path: Path) -> None:
    found = read_lookup_table(write_table(tmp_path / "mine"))
    np.testing.assert_allclose(found.mean_step(up=True), 1e-6)
    np.testing.assert_allclose(found.mean_step(up=False), -2e-6)
    assert found.after(2.2e-5, up=True, share=1.0) == pytest.approx(2.31e-5)
    assert found.after(5e-5, up=True, share=0.5) == 5e-5  # the table ends there
    drawn = sampled(found, "uS", seed=1)
    change = np.diff(drawn.conductance)[drawn.pulse[1:] > 0]
    free = drawn.conductance[:-1][drawn.pulse[1:] > 0] < 4.8e-5
    assert change[free].mean() == pytest.approx(1e-6, rel=0.01)
    assert change[free].std() == pytest.approx(0.1e-6 / np.sqrt(3), rel=0.05)
    assert drawn.open_ends == (True, True), "its steps are as large at both ends as between"
    assert "ends at 50 uS, where a pulse up still moves 1 uS (1 uS on average)" in drawn.notes[1]
    slows = read_lookup_table(write_table(tmp_path / "slows", slope=0.97))
    assert sampled(slows, "uS").open_ends == (False, True)
    again = read(tmp_path / "mine", CsvLayout())
    assert again.n_devices == 1
    np.testing.assert_array_equal(read(tmp_path / "mine", CsvLayout()).pulse, again.pulse)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.replace("0, 0.5, 1", "0, x, 1"), r"row 3: row: .*must hold numbers"),
        (lambda s: s.replace("0, 0.5, 1", "0, 1, 0.5"), "points: 'not rising'"),
        (lambda s: "\n".join(s.split("\n")[:4]), "rows: 3 .*one row a point"),
        (lambda s: s.replace("9e-07, 9e-07", "9e-07", 1), "row 4: cells: 8 .* must be 9"),
        (lambda s: s.replace("9e-07", "nan", 1), r"row \d+: row: .*must hold finite numbers"),
        (
            lambda s: s.replace("0, 0.5, 1", "0, 0.5, 0.9"),
            "distribution: from 0 to 0.9; must go from 0 to 1",
        ),
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
    with pytest.raises(PresetError, match=message) as caught:
        read(folder, CsvLayout())
    assert "\n" not in str(caught.value)
    file.write_bytes(b"no gzip")
    with pytest.raises(PresetError, match="must be a readable table"):
        read(folder, CsvLayout())
    (folder / "dG_decreasing.txt.gz").unlink()
    with pytest.raises(PresetError, match=r"no dG_decreasing\.txt.*one for each direction"):
        read(folder, CsvLayout())


@pytest.mark.parametrize(
    ("unit", "factor", "told"),
    [
        ("uS", 1.0, ""),
        (
            "uS",
            1e-6,
            "lie below 0.001 uS, where few devices lie: is the unit right? --conductance-",
        ),
        ("uS", 1e5 / 9, "lie above 100000 uS"),
        ("S", 1e-6, ""),
        ("pS", 1.0, ""),  # who counts in pS means small conductances
        ("a.u.", 1e-9, ""),
    ],
)
def test_an_unlikely_unit_is_noted_once(
    unit: str, factor: float, told: str, tmp_path: Path
) -> None:
    for name in ("a.csv", "b.csv"):
        lines = ["pulse,polarity,conductance"]
        lines += [f"{k},{way},{value * factor}" for k, (way, value) in enumerate(rows())]
        text(tmp_path / name, lines)
    notes = read(tmp_path, CsvLayout(conductance_unit=unit)).notes
    doubts = [note for note in notes if "is the unit right?" in note]
    assert len(doubts) == bool(told)
    assert told in "".join(doubts)


def test_an_empty_cell_is_a_gap_where_the_order_counts_the_pulses(tmp_path: Path) -> None:
    """No step is computed across it, whatever other columns the file has."""
    values = ["" if k == 10 else f"{10 + 0.5 * k}" for k in range(30)]
    numbered = ["n,conductance", *(f"{k},{g}" for k, g in enumerate(values))]
    sides = ["n,up_pulse,down_pulse", *(f"{k},{g},{g}" for k, g in enumerate(values))]
    for lines, pulses in (
        (numbered, 27),
        (["conductance", *values], 27),
        ([*numbered[:5], ",", *numbered[5:]], 27),  # an empty line is no gap
        (sides, 54),
    ):
        way = None if lines is sides else "up"
        layout = CsvLayout(all_pulses=way)  # type: ignore[arg-type]
        found = read(text(tmp_path / "a.csv", lines), layout)
        step = np.diff(found.conductance)[found.pulse[1:] != 0]
        assert found.n_pulses == pulses
        np.testing.assert_allclose(step, 0.5e-6)


def test_a_name_may_hold_the_separator_in_quotes(tmp_path: Path) -> None:
    lines = ['polarity, "G, uS"', *(f"{p},{g}" for p, g in rows())]
    same(read(text(tmp_path / "a.csv", lines), CsvLayout(conductance="G, uS")))


def test_files_of_a_folder_use_the_conditions_that_all_have(tmp_path: Path) -> None:
    """One file with even times, one without: no time differs."""
    for name, column, cell in (("a", "time_s,", "{k},"), ("b", "", "")):
        lines = [f"pulse,polarity,{column}pulse_width_s,conductance"]
        lines += [f"{k},{way},{cell.format(k=k)}1e-6,{g}" for k, (way, g) in enumerate(rows())]
        text(tmp_path / f"{name}.csv", lines)
    found = read(tmp_path, CsvLayout())
    assert found.notes == ("not used: time_s, since only some of the files have them",)
    timing = timing_of(found)
    assert timing is not None
    assert (timing.asked, timing.width_0) == ((), 1e-6)


def test_a_large_folder_says_how_many_pulses_were_measured(tmp_path: Path) -> None:
    way = np.tile(np.repeat([1, -1], 100), 105)
    level = 20 + np.cumsum(0.1 * way)
    for name in ("a.csv", "b.csv"):
        lines = [f"{w},{g:.4f}" for w, g in zip(way, level, strict=True)]
        text(tmp_path / name, ["polarity,conductance", *lines])
    found = read(tmp_path, CsvLayout())
    assert len(found.notes) == 3  # each file's order of rows, and this one
    assert found.notes[-1].startswith("41998 pulses measured; one in 3 stretches")
    assert found.n_devices == 2


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("conductance_nS", "nS"),
        ("conductance (ns)", "nS"),
        ("G [\u00b5S]", "uS"),
        ("G/mS", "mS"),
        ("G_S", "S"),
        ("nS", None),
        ("conductances", None),
        ("conductance_s", None),  # one small letter may be anything
        ("G_set", None),
        ("G (10^-6 S)", None),  # a multiple of the unit
        ("G (x1e-6 S)", None),
        ("G2 (nS)", "nS"),
        ("device 1 G_nS", "nS"),
    ],
)
def test_a_unit_at_the_end_of_a_name_is_known(column: str, unit: str | None) -> None:
    assert unit_in_name(column, SIEMENS) == unit


def test_a_column_with_its_unit_in_the_name_is_read_in_that_unit(tmp_path: Path) -> None:
    lines = ["polarity,G (nS)", *(f"{p},{g}" for p, g in rows())]
    layout = CsvLayout(conductance="G (nS)", conductance_unit="nS")
    same(read(text(tmp_path / "m.csv", lines), layout), 1e-9)


def test_times_and_widths_are_read_in_their_units(tmp_path: Path) -> None:
    head = "polarity,conductance,time (ms),width_us"
    lines = [f"{p},{g},{100 * k},2" for k, (p, g) in enumerate(rows())]
    layout = CsvLayout(time="time (ms)", time_unit="ms", pulse_width="width_us", width_unit="us")
    found = read(text(tmp_path / "m.csv", [head, *lines]), layout)
    assert found.conditions is not None
    np.testing.assert_allclose(found.conditions.elapsed_s[1:], 0.1)
    np.testing.assert_allclose(found.conditions.width_s[1:], 2e-6)
