"""Tests which measured files can be read, and the one-line error for each that cannot."""

import math
import re
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.chart import LineChart

from device_presets import get_preset
from device_presets.fitting import fit_file
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.reading.measurement import FEWEST_PULSES, read_measurement
from device_presets.fitting.reading.reading import read
from device_presets.fitting.reading.sampled_table import sampled
from device_presets.jump_tables.lookup_table import read_lookup_table
from support.commands import refused
from support.device_presets.fits import write_pulses
from support.device_presets.jump_tables import write_table

HEAD = "pulse,polarity,conductance_uS"


def sweep(n: int = 20) -> list[str]:
    """Returns the lines of a device that goes up and down by 0.5 uS per pulse, from 10 uS."""
    value = [10 + 0.5 * (k if k <= n else 2 * n - k) for k in range(2 * n + 1)]
    return [HEAD, *(f"{k},{'up' if k <= n else 'down'},{v:.2f}" for k, v in enumerate(value))]


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("above", [[], ["Chip 3, device 1, read at 0.1 V", ""]])
def test_a_plain_file_becomes_steps(above: list[str], tmp_path: Path) -> None:
    measurement = read_measurement(written(tmp_path / "a.csv", [*above, *sweep()]))
    assert (measurement.n_devices, len(set(measurement.cycle)), measurement.n_pulses) == (1, 1, 40)
    assert measurement.conductance[0] == pytest.approx(10e-6)
    np.testing.assert_array_equal(measurement.pulse, [0] + [1] * 20 + [-1] * 20)


@pytest.mark.parametrize(("mark", "point"), [(";", ","), (";", "."), ("\t", ","), ("\t", ".")])
def test_semicolons_and_tabs_separate_cells_too(mark: str, point: str, tmp_path: Path) -> None:
    lines = [line.replace(",", mark).replace(".", point) for line in ["Chip 3, at 0.1 V", *sweep()]]
    measurement = read_measurement(written(tmp_path / "a.csv", lines))
    np.testing.assert_allclose(measurement.conductance[:3], [10e-6, 10.5e-6, 11e-6])


@pytest.mark.parametrize(
    ("name", "unit", "size"),
    [
        ("conductance_nS", "nS", 1e-9),
        ("Conductance (mS)", "mS", 1e-3),
        ("conductance [\u00b5S]", "uS", 1e-6),
        ("conductance_a.u.", "a.u.", 1.0),
    ],
)
def test_a_columns_name_says_its_unit(name: str, unit: str, size: float, tmp_path: Path) -> None:
    lines = [HEAD.replace("conductance_uS", name), *sweep()[1:]]
    measurement = read_measurement(written(tmp_path / "a.csv", lines))
    assert (measurement.unit, measurement.column) == (unit, name)
    assert measurement.conductance[0] == pytest.approx(10 * size)


def test_times_and_widths_are_read_in_their_units(tmp_path: Path) -> None:
    lines = [f"{line},{100 * k},2" for k, line in enumerate(sweep()[1:])]
    measurement = read(written(tmp_path / "a.csv", [f"{HEAD},time (ms),pulse_width_us", *lines]))
    np.testing.assert_allclose(measurement.conditions.elapsed_s[1:], 0.1)
    np.testing.assert_allclose(measurement.conditions.width_s[1:], 2e-6)


def test_a_pulse_longer_than_the_time_between_readings_is_refused(tmp_path: Path) -> None:
    lines = [f"{line},{k},5" for k, line in enumerate(sweep()[1:])]
    with refused("a.csv, row 4: column pulse_width_s: 5.0", "time since the previous pulse"):
        read(written(tmp_path / "a.csv", [f"{HEAD},time_s,pulse_width_s", *lines]))


def test_normalised_conductances_may_be_negative(tmp_path: Path) -> None:
    lines = [re.sub(r",(\d+\.\d+)$", r",-\1", line) for line in sweep()[1:]]
    swapped = [line.replace("up", "x").replace("down", "up").replace("x", "down") for line in lines]
    file = written(tmp_path / "a.csv", [HEAD.replace("uS", "a.u."), *swapped])
    assert read_measurement(file).conductance.max() == -10.0


def test_without_a_pulse_column_the_order_of_rows_counts(tmp_path: Path) -> None:
    lines = [f"{line.split(',', 1)[1]},0.1" for line in sweep()[1:]]
    measurement = read(written(tmp_path / "a.csv", ["polarity,conductance_uS,humidity", *lines]))
    assert measurement.n_pulses == 40
    assert "order of the rows" in measurement.notes[0]
    assert "humidity" in measurement.notes[1]


def test_an_empty_cell_is_a_gap_where_the_order_counts_the_pulses(tmp_path: Path) -> None:
    """No step is computed across the gap; an empty line is not a gap."""
    values = ["" if k == 10 else f"{10 + 0.5 * k}" for k in range(30)]
    lines = ["polarity,conductance_uS", *(f"up,{value}" for value in values)]
    for own in (lines, [*lines[:5], "", *lines[5:]]):
        measurement = read(written(tmp_path / "a.csv", own))
        assert measurement.n_pulses == 27
        np.testing.assert_allclose(
            np.diff(measurement.conductance)[measurement.pulse[1:] != 0], 0.5e-6
        )


def test_excel_reads_the_sheet_that_is_named(tmp_path: Path) -> None:
    """Rows above the column names may be empty, as is common in spreadsheets."""
    book = openpyxl.Workbook()
    book.create_sheet("other").append(["nothing"])
    sheet = book.create_sheet("pulses")
    for number, line in enumerate(sweep(), 3):
        for place, cell in enumerate(line.split(","), 1):
            sheet.cell(number, place, float(cell) if place == 3 and number > 3 else cell)
    file = tmp_path / "a.xlsx"
    book.save(file)
    measurement = read(file, "pulses")
    assert (measurement.name, measurement.n_pulses) == ("a.xlsx", 40)
    with refused("a.xlsx", "no polarity or conductance beside nothing", "must have polarity"):
        read(file, "other")
    with refused("a.xlsx: --sheet", "did you mean pulses?", "one of Sheet, other, pulses"):
        read(file, "pulse")
    book.move_sheet("pulses", -2)
    book.save(tmp_path / "c.xlsx")
    assert "sheets not read: other; " in read(tmp_path / "c.xlsx").notes[0]
    assert not any("sheets" in note for note in read(tmp_path / "c.xlsx", "pulses").notes)
    sheet["C5"] = "twelve"
    book.save(file)
    with refused("a.xlsx, row 5: column conductance_uS", "'twelve'"):
        read(file, "pulses")
    sheet.sheet_state = "hidden"
    book.remove(book["other"])
    book.create_chartsheet("chart").add_chart(LineChart())
    book.save(file)
    with refused("a.xlsx: --sheet: 'chart'", "one of pulses, Sheet"):
        read(file, "chart")
    with refused("a.xlsx: sheet: 'Sheet' is empty"):
        read(file)


@pytest.mark.parametrize(
    ("symbol", "volts"), [("G (\u03bcS)", None), ("I_D (uA)", 1.0), ("Ids (uA)", 1.0)]
)
def test_symbols_stand_for_quantities(symbol: str, volts: float | None, tmp_path: Path) -> None:
    head, *rows = sweep(20)
    lines = [head.replace("conductance_uS", symbol) + ",G_max,ts", *(f"{row},1,2" for row in rows)]
    given = read(written(tmp_path / "a.csv", lines), read_voltage=volts)
    np.testing.assert_allclose(
        given.conductance, read(written(tmp_path / "b.csv", sweep(20))).conductance
    )


def test_a_workbook_is_read_as_a_laboratory_writes_it(tmp_path: Path) -> None:
    """A title stands above the names, sheets are devices with currents, and cycles begin with a
    reading. The devices jump between cycles, which no pulse does."""
    volts, cycle = np.tile([0.0, *np.repeat([2.0, -2.0], 15)], 3), np.repeat([1, 2, 3], 31)
    current = -100.0 * (3.0 + cycle + 0.05 * np.cumsum(volts))
    sheet = pd.DataFrame({"Cycle #": cycle, "Amplitude (V)": volts, "Current (nA)": current})
    notes = pd.DataFrame({"made by": ["E. B."]})
    file, other = tmp_path / "lab.xlsx", sheet.assign(**{"Current (nA)": 2 * current})
    with pd.ExcelWriter(file) as book:
        for name, table in {"A": sheet, "notes": notes, "Device B": other}.items():
            table.to_excel(book, sheet_name=name, index=False, startrow=2)
            book.sheets[name]["A1"] = "Chip 3, read at -0.1 V"
    measurement = read(file, "all", -0.1)
    assert measurement.size == "180 pulses in 12 sweeps, 2 devices, 3 cycles"
    assert measurement.labels == ("device A", "Device B")
    assert any(note.startswith("sheets not read: notes;") for note in measurement.notes)
    steps = np.diff(measurement.conductance)[measurement.pulse[1:] != 0]
    np.testing.assert_allclose(np.abs(steps).reshape(2, -1).T, [[0.1e-6, 0.2e-6]] * 90)
    with refused("row 4 of sheet 'A': column Current (nA): -400", "read voltage's sign"):
        read(file, "all", 0.1)
    with refused("lab.xlsx, row 3 of sheet 'A'", "--read-voltage: missing", "(nA)"):
        read(file)
    with refused("--read-voltage: 0.0", "left out beside conductances"):
        read(written(tmp_path / "a.csv", sweep()), None, 0.0)
    kept = written(tmp_path / "kept.csv", ["time_s,conductance_uS", "1,4", "9,5"])
    assert read(file, "A", -0.1, kept).conductance[-1] == pytest.approx(5e-6)
    numbered = sheet.assign(pulse=range(1, 94))
    numbered.to_excel(file, index=False)
    with refused("row 2: column Amplitude (V): 0", "must be above or below 0 V", "pulse number 0"):
        read(file, None, -0.1)
    sheet.to_excel(file, sheet_name="A", index=False)
    with pd.ExcelWriter(file, mode="a") as book:
        other.drop(columns="Cycle #").to_excel(book, sheet_name="B", index=False)
    with refused("row 1 of sheet 'B': columns: Amplitude (V)", "those of sheet 'A', Cycle #"):
        read(file, "all", -0.1)


def test_devices_that_move_far_at_a_turn_do_not_jump(tmp_path: Path) -> None:
    """Steps spread by 71 %, and the longest cross the range with the first pulse of a sweep."""
    file = write_pulses(tmp_path / "a.csv", get_preset("hfo2"), 40, 12, 8, seed=3)
    assert not [note for note in read(file).notes if "jump" in note]


@pytest.mark.parametrize("backwards", [True, False])
def test_a_jump_between_sweeps_is_no_pulse(backwards: bool, tmp_path: Path) -> None:
    """Each cycle starts again at the bottom, though no pulses brought the device back there; or the
    level rises by 5 uS before the first pulse up of the third of four cycles."""
    lines = ["cycle,polarity,conductance_uS"]
    for cycle in (1, 2, 3, 4)[: 3 if backwards else 4]:
        for line in sweep()[1 : 28 if backwards else None]:
            _, polarity, value = line.split(",")
            rise = 5.0 if cycle > 2 and not backwards else 0.0
            lines.append(f"{cycle},{polarity},{float(value) + rise:.2f}")
    measurement = read(written(tmp_path / "a.csv", lines))
    assert int((measurement.pulse == 0).sum()) == (3 if backwards else 2)
    assert np.abs(np.diff(measurement.conductance)[measurement.pulse[1:] != 0]).max() < 0.6e-6
    told = "2 jumps" if backwards else "1 jump"
    assert any(note.startswith(f"{told} between sweeps") for note in measurement.notes)


def test_numbers_that_start_again_with_the_other_polarity_follow_on(tmp_path: Path) -> None:
    lines = [f"{k},LTP,{10 + k}" for k in range(1, 21)]
    lines += [f"{k},LTD,{30 - k}" for k in range(1, 21)]
    measurement = read_measurement(written(tmp_path / "a.csv", [HEAD, *lines]))
    np.testing.assert_array_equal(measurement.pulse, [0] + [1] * 19 + [-1] * 20)


def test_devices_may_be_interleaved(tmp_path: Path) -> None:
    lines = [f"d{d} ,{k},+1,{10 + d + k}" for k in range(30) for d in range(3)]
    lines[-1] = lines[-1].replace("d2 ", "d2")
    measurement = read_measurement(written(tmp_path / "a.csv", [f"Device,{HEAD}", *lines]))
    assert (measurement.labels, measurement.n_pulses) == (
        ("device d0", "device d1", "device d2"),
        3 * 29,
    )
    assert set(np.diff(measurement.conductance)[measurement.pulse[1:] > 0].round(9)) == {1e-6}


@pytest.mark.parametrize("gap", ["", "nan"])
def test_gaps_take_no_step_across_them(tmp_path: Path, gap: str) -> None:
    lines = sweep()
    lines[6] = f"5,up,{gap}"
    measurement = read_measurement(written(tmp_path / "a.csv", lines))
    assert measurement.n_pulses == 38
    assert "1 empty conductance left out" in measurement.notes[0]
    missing = sweep()
    del missing[6]  # Here the whole row is missing.
    assert read_measurement(written(tmp_path / "b.csv", missing)).n_pulses == 38


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("polarity", "sign", ("row 1: column: no polarity beside",)),
        ("conductance_uS", "resistance (Ohm)", ("beside", "1 / resistance")),
        ("pulse,", "pulse,pulse,", ("row 1: column: 'pulse'", "only once")),
        ("5,up,12.50", "5,up,high", ("row 7: column conductance_uS: 'high'",)),
        ("5,up,12.50", '5,up,"1,250"', ("row 7: column conductance_uS: '1,250'", "decimal point")),
        ("5,up,12.50", "5,up,inf", ("row 7: column conductance_uS", "finite")),
        ("5,up,12.50", "5,up,1e9", ("row 7: column conductance_uS", "to 1e+06 uS")),
        ("5,up,12.50", "5,sideways,12.5", ("row 7: column polarity: 'sideways'", "up or down")),
        ("5,up,12.50", "5,,12.5", ("row 7: column polarity", "up or down")),
        ("5,up,12.50", "x,up,12.5", ("row 7: column pulse: 'x'",)),
        ("5,up,12.50", ",up,12.5", ("row 7: column pulse", "whole number")),
        ("5,up,12.50", "5.5,up,12.5", ("row 7: column pulse", "5.5", "whole number")),
        ("5,up,12.50", "4,up,12.5", ("row 7: column pulse", "4", "must increase")),
        ("5,up,12.50", "5,up,12,5", ("file: row 7", "as many cells")),
        ("0,up,10.00", "0,up,10,0", ("file: the first row", "as many cells")),
        (",up,12.50\n", ",up,12.50\n\n5,up,high\n", ("row 9: column conductance_uS: 'high'",)),
    ],
)
def test_a_wrong_cell_is_one_line_with_file_row_and_column(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    text = "\n".join(sweep())
    assert old in text
    file = tmp_path / "a.csv"
    file.write_text(text.replace(old, new, 1))
    with refused("a.csv", *words):
        read_measurement(file)


def of_devices(names: str, row: str) -> list[str]:
    """Returns lines of 30 up pulses per device; `row` is the conductance of device B."""
    cells = dict.fromkeys(names, "{g}") | {"B": row}
    lines = [f"{d},{k},up,{cells[d].format(g=10 + k)}" for d in names for k in range(30)]
    return [f"device,{HEAD}", *lines]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([HEAD], ("rows: 0",)),
        ([HEAD, "0,up,1", "1,up,2"], ("up pulses: 1", str(FEWEST_PULSES))),
        ([HEAD, *(f"{k},up,3" for k in range(30))], ("always the same",)),
        ([HEAD, *(f"{k},up,{k}e-12" for k in range(30))], ("must reach 1e-09 uS",)),
        (of_devices("AB", "3"), ("always the same for device B",)),
        (of_devices("ABC", ""), ("conductances of device B", "must be at least 1")),
    ],
)
def test_files_with_too_little(tmp_path: Path, lines: list[str], words: tuple[str, ...]) -> None:
    with refused(*words):
        read_measurement(written(tmp_path / "a.csv", lines))


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with refused("nowhere.csv", "No such file"):
        read(tmp_path / "nowhere.csv")
    with refused("folder", "lookup table"):
        read(tmp_path)


def test_a_device_without_down_pulses_beside_others_is_refused(tmp_path: Path) -> None:
    """Its down step would be a guess, but would count in the mean."""
    lines = [f"A,{line}" for line in sweep()[1:]] + [f"B,{line}" for line in sweep()[1:20]]
    file = written(tmp_path / "a.csv", [f"device,{HEAD}", *lines])
    with refused("down pulses of device B", "as for other devices"):
        prepare(read_measurement(file), None, None)


@pytest.mark.parametrize(
    ("zero", "one", "words"),
    [
        (math.nan, None, ("--weight-zero", "10 uS to 20 uS")),
        (None, math.inf, ("--weight-one", "above --weight-zero")),
        (-1, None, ("--weight-zero: '-1 uS'",)),
        (500, None, ("--weight-zero: '500 uS'", "measured range, 10 uS to 20 uS")),
        (15, 12, ("--weight-one: '12 uS'", "above --weight-zero, 15 uS")),
        (15, 15.1, ("--weight-one: '15.1 uS'", "by 0.1 to 10 times the measured range")),
        (None, 99_999, ("--weight-one: '99999 uS'", "by 0.1 to 10 times the measured range")),
    ],
)
def test_conductances_of_weights_are_told_in_the_users_unit(
    tmp_path: Path, zero: float | None, one: float | None, words: tuple[str, ...]
) -> None:
    file = written(tmp_path / "a.csv", sweep())
    with refused("a.csv: ", *words):
        fit_file(file, "mine", None, zero, one)


def test_weight_one_is_the_top_of_the_range_wherever_weight_zero_is(tmp_path: Path) -> None:
    measurement = read_measurement(written(tmp_path / "a.csv", sweep(60)))
    top = prepare(measurement, None, None).scale.one
    assert prepare(measurement, 12e-6, None).scale.one == pytest.approx(top, abs=0.2e-6)


def test_crosssims_lookup_tables(tmp_path: Path) -> None:
    table = read_lookup_table(write_table(tmp_path / "mine"))
    np.testing.assert_allclose(table.mean_step(up=True), 1e-6)
    np.testing.assert_allclose(table.mean_step(up=False), -2e-6)
    assert table.after(2.2e-5, up=True, share=1.0) == pytest.approx(2.31e-5)
    assert table.after(5e-5, up=True, share=0.5) == 5e-5  # The table ends there.
    drawn = sampled(table, seed=1)
    change = np.diff(drawn.conductance)[drawn.pulse[1:] > 0]
    free = drawn.conductance[:-1][drawn.pulse[1:] > 0] < 4.8e-5
    assert change[free].mean() == pytest.approx(1e-6, rel=0.01)
    assert change[free].std() == pytest.approx(0.1e-6 / np.sqrt(3), rel=0.05)
    assert "drawn from CrossSim's table (seed 1), not measured" in drawn.notes[0]
    again = read(tmp_path / "mine")
    assert again.n_devices == 1
    np.testing.assert_array_equal(read(tmp_path / "mine").pulse, again.pulse)
