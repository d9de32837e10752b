"""Measured files: layouts that work, and one clear line for each that cannot."""

import math
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from device_presets import PresetError, get_preset
from device_presets.fitting import fit_file
from device_presets.fitting.model.weights import prepare, refuse_no_conductance
from device_presets.fitting.reading.csv_layout import CsvLayout, detect_format
from device_presets.fitting.reading.file_kinds import read
from device_presets.fitting.reading.measurement import FEWEST_PULSES, MOST_PULSES, read_measurement


def sweep(n: int = 20, separator: str = ",", decimal: str = ".") -> list[str]:
    """Lines of one device going up and down by 0.5 a pulse."""
    lines = [separator.join(("pulse", "polarity", "conductance"))]
    for k in range(2 * n + 1):
        polarity = "up" if k <= n else "down"
        value = f"{10 + 0.5 * (k if k <= n else 2 * n - k):.2f}".replace(".", decimal)
        lines.append(separator.join((str(k), polarity, value)))
    return lines


def written(path: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def refused(*words: str) -> pytest.RaisesExc[PresetError]:
    """Expects a PresetError of one line that holds the words in this order."""
    pattern = "^[^\n]*" + "[^\n]*".join(map(re.escape, words)) + "[^\n]*$"
    return pytest.raises(PresetError, match=pattern)


def test_a_plain_file_becomes_steps(tmp_path: Path) -> None:
    found = read_measurement(written(tmp_path / "a.csv", sweep()), CsvLayout())
    assert (found.n_devices, found.n_cycles, found.n_pulses) == (1, 1, 40)
    assert found.conductance[0] == pytest.approx(10e-6)
    np.testing.assert_array_equal(found.pulse, [0] + [1] * 20 + [-1] * 20)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_excel_semicolons_and_decimal_commas(tmp_path: Path, encoding: str) -> None:
    file = written(tmp_path / "excel.csv", sweep(separator=";", decimal=","), encoding)
    assert (detect_format(file).separator, detect_format(file).decimal) == (";", ",")
    found = read_measurement(file, CsvLayout())
    assert found.conductance[1] == pytest.approx(10.5e-6)


def test_a_character_may_be_cut_at_the_end_of_what_the_format_is_told_from(tmp_path: Path) -> None:
    lines = "\n".join(f"{k},up,{k}" for k in range(9000)).encode()
    for cut in range(65530, 65537):
        file = tmp_path / "a.csv"
        file.write_bytes(lines[:cut] + "µ".encode() + lines[cut:])
        assert detect_format(file).encoding == "utf-8-sig"


def test_weight_one_is_the_top_of_the_range_wherever_weight_zero_is(tmp_path: Path) -> None:
    found = read_measurement(written(tmp_path / "a.csv", sweep(60)), CsvLayout())
    top = prepare(found, None, None).scale.one
    assert prepare(found, 12e-6, None).scale.one == pytest.approx(top, abs=0.2e-6)


def test_a_device_without_down_pulses_beside_others_is_refused(tmp_path: Path) -> None:
    """Its down step would be a guess, and count in the mean."""
    lines = [f"A,{line}" for line in sweep()[1:]] + [f"B,{line}" for line in sweep()[1:20]]
    file = written(tmp_path / "a.csv", ["device,pulse,polarity,conductance", *lines])
    with refused("down pulses of device B", "as of other devices"):
        prepare(read_measurement(file, CsvLayout()), None, None)


def test_tabs_and_units_and_other_names(tmp_path: Path) -> None:
    lines = [line.replace("conductance", "I read").replace("pulse", "N") for line in sweep()]
    file = written(tmp_path / "a.tsv", [line.replace(",", "\t") for line in lines])
    layout = CsvLayout(
        pulse="N", current="I read", current_unit="nA", read_voltage="100", voltage_unit="mV"
    )
    assert read_measurement(file, layout).conductance[0] == pytest.approx(10e-9 / 0.1)


def test_current_with_a_voltage_column(tmp_path: Path) -> None:
    lines = [line + (",V" if k == 0 else ",-0.2") for k, line in enumerate(sweep())]
    lines = [lines[0], *(re.sub(r",(\d+\.\d+),", r",-\1,", line) for line in lines[1:])]
    layout = CsvLayout(current="conductance", read_voltage="V")
    found = read_measurement(written(tmp_path / "a.csv", lines), layout)
    assert found.conductance[0] == pytest.approx(10e-6 / 0.2)


def test_numbers_that_start_again_with_the_other_polarity_follow_on(tmp_path: Path) -> None:
    lines = ["pulse,polarity,conductance"]
    lines += [f"{k},LTP,{10 + k}" for k in range(1, 21)]
    lines += [f"{k},LTD,{30 - k}" for k in range(1, 21)]
    found = read_measurement(written(tmp_path / "a.csv", lines), CsvLayout())
    np.testing.assert_array_equal(found.pulse, [0] + [1] * 19 + [-1] * 20)


def test_devices_may_be_interleaved(tmp_path: Path) -> None:
    lines = ["device,pulse,polarity,conductance"]
    lines += [f"d{d},{k},+1,{10 + d + k}" for k in range(30) for d in range(3)]
    found = read_measurement(written(tmp_path / "a.csv", lines), CsvLayout())
    assert (found.n_devices, found.n_pulses) == (3, 3 * 29)
    assert set(np.diff(found.conductance)[found.pulse[1:] > 0].round(9)) == {1e-6}


@pytest.mark.parametrize("gap", ["", "nan", "NaN"])
def test_gaps_take_no_step_across_them(tmp_path: Path, gap: str) -> None:
    lines = sweep()
    lines[6] = f"5,up,{gap}"
    found = read_measurement(written(tmp_path / "a.csv", lines), CsvLayout())
    assert found.n_pulses == 38
    assert "1 empty conductance left out" in found.notes[0]
    missing = sweep()
    del missing[6]  # the row is not there at all
    assert read_measurement(written(tmp_path / "b.csv", missing), CsvLayout()).n_pulses == 38


def test_a_device_without_a_conductance_is_refused(tmp_path: Path) -> None:
    lines = ["device,pulse,polarity,conductance"]
    lines += [f"d{d},{k},up,{10 + k if d != 1 else ''}" for d in range(3) for k in range(30)]
    file = written(tmp_path / "a.csv", lines)
    with refused("a.csv", "conductances of device d1", "0", "must be at least 1"):
        fit_file(file, "mine")


def test_blank_lines_do_not_shift_the_rows_in_errors(tmp_path: Path) -> None:
    lines = ["", *sweep()]
    lines.insert(5, "")
    lines[8] = "6,up,high"
    with refused("a.csv, row 9", "column conductance", "'high'", "must be a number"):
        read_measurement(written(tmp_path / "a.csv", lines), CsvLayout())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("polarity", "sign", ("row 1: column: 'polarity'", "missing", "all pulses go up")),
        (",conductance", ",g", ("row 1: column: 'conductance'", "missing")),
        ("5,up,12.50", "5,up,12.5.0", ("a.csv, row 7", "column conductance", "'12.5.0'")),
        ("5,up,12.50", "5,up,-0.1", ("row 7", "column conductance", "-0.1", "negative")),
        ("5,up,12.50", "5,sideways,12.5", ("row 7", "column polarity", "'sideways'", "up or down")),
        ("5,up,12.50", "5,,12.5", ("row 7", "column polarity", "up or down")),
        ("5,up,12.50", "x,up,12.5", ("row 7", "column pulse", "'x'")),
        ("5,up,12.50", ",up,12.5", ("row 7", "column pulse", "must be the pulse's number")),
        ("5,up,12.50", "5.5,up,12.5", ("row 7", "column pulse", "5.5", "whole number")),
        ("5,up,12.50", "4,up,12.5", ("row 7", "column pulse", "4", "must grow", "devices")),
        ("5,up,12.50", "5,up,inf", ("row 7", "column conductance", "finite")),
        ("pulse,", "pulse,pulse,", ("row 1", "'pulse'", "only once")),
    ],
)
def test_a_wrong_cell_is_one_line_with_file_row_and_column(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    text = "\n".join(sweep())
    assert old in text
    file = tmp_path / "a.csv"
    file.write_text(text.replace(old, new, 1))
    with refused(*words):
        read_measurement(file, CsvLayout())


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], ("must hold a line of column names",)),
        (["pulse,polarity,conductance"], ("rows: 0",)),
        (["pulse,polarity,conductance", "0,up,1"], ("up pulses: 0", str(FEWEST_PULSES))),
        (["pulse,polarity,conductance", "0,up,1", "1,up,2"], ("up pulses: 1", "at least")),
        (
            ["just words"],
            ("row 1", "'polarity'", "is missing; the polarity column must be one of just words"),
        ),
        (["Model,4200", "pulse,polarity,conductance"], ("lines above the column names must be",)),
        (["pulse,up,down"], ("(--up-column and --down-column)",)),
        (
            ["n,way,g"],
            ("'conductance' is missing too; or name it by --polarity-column and --conductance",),
        ),
        (["pulse,polarity,conductance", *(f"{k},up,3" for k in range(30))], ("always the same",)),
        (
            ["device,pulse,polarity,conductance"]
            + [f"{d},{k},up,{k + 1 if d == 'A' else 3}" for d in "AB" for k in range(30)],
            ("of device B it is always the same",),
        ),
        (
            ["pulse,polarity,conductance", *(f"{k},down,{60 - k}" for k in range(30))],
            ("up pulses",),
        ),
    ],
)
def test_files_with_too_little_in_them(
    tmp_path: Path, lines: list[str], words: tuple[str, ...]
) -> None:
    with refused(*words):
        read_measurement(written(tmp_path / "a.csv", lines), CsvLayout())


def test_mixed_polarities_without_a_column(tmp_path: Path) -> None:
    lines = [re.sub(",(up|down)", "", line).replace(",polarity", "") for line in sweep(40)]
    file = written(tmp_path / "a.csv", lines)
    with refused("a.csv", "column: 'polarity'", "goes both", "add a column"):
        read_measurement(file, CsvLayout(all_pulses="up"))
    one_way = written(tmp_path / "b.csv", lines[:42])
    assert read_measurement(one_way, CsvLayout(all_pulses="up")).n_pulses == 40


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with refused("nowhere.csv", "No such file"):
        read_measurement(tmp_path / "nowhere.csv", CsvLayout())
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04\0\0\0")
    with refused("a.xlsx", "binary data", "export it as CSV"):
        read_measurement(tmp_path / "a.xlsx", CsvLayout())
    lines = sweep()
    lines[9] = lines[9].replace(".", ",")
    file = written(tmp_path / "a.csv", lines)
    with refused("a.csv, row 10: cells: 4", "must be 3", "decimal commas need semicolons"):
        read_measurement(file, CsvLayout())


@pytest.mark.parametrize(
    ("separator", "decimal", "cell"),
    [(",", ".", '"1,250"'), (";", ",", "1.250"), (";", ".", "10,5")],
)
def test_marks_of_thousands_are_no_decimal_marks(
    tmp_path: Path, separator: str, decimal: str, cell: str
) -> None:
    lines = sweep(5000, separator, decimal)  # the mark is told from the file's first 64 kB
    lines[9000] = separator.join(("8999", "down", cell))
    value = cell.strip('"')
    with refused(f"row 9001: column conductance: '{value}'", f"with '{decimal}' as decimal mark"):
        read_measurement(written(tmp_path / "a.csv", lines), CsvLayout(conductance_unit="nS"))


@pytest.mark.parametrize("row", ["5,up", "5", "5,up,12.5,4", "5,up,12.5,4,5,6,7"])
def test_a_ragged_row_is_told_with_both_counts(tmp_path: Path, row: str) -> None:
    lines = sweep()
    lines[6] = row
    found = row.count(",") + 1
    with refused(f"a.csv, row 7: cells: {found} is not allowed; must be 3"):
        read_measurement(written(tmp_path / "a.csv", lines), CsvLayout())


def test_separators_at_the_end_of_rows_are_no_cells(tmp_path: Path) -> None:
    lines = [lines + "," * (k > 0) for k, lines in enumerate(sweep())]
    lines[6] = "5,up,,"
    found = read_measurement(written(tmp_path / "a.csv", lines), CsvLayout())
    assert found.n_pulses == 38


@pytest.mark.parametrize("voltage", ["0", "nan", "inf", "-inf"])
def test_a_read_voltage_that_is_none(voltage: str) -> None:
    with refused("layout: read voltage", "a finite voltage other than zero"):
        CsvLayout(current="conductance", read_voltage=voltage)


@pytest.mark.parametrize(("voltage", "allowed"), [("0", "not be zero"), ("inf", "be finite")])
def test_a_column_of_read_voltages(tmp_path: Path, voltage: str, allowed: str) -> None:
    lines = [line + (",V" if k == 0 else ",0.2") for k, line in enumerate(sweep())]
    lines[6] = f"5,up,12.5,{voltage}"
    layout = CsvLayout(current="conductance", read_voltage="V")
    with refused("a.csv, row 7: column V", allowed):
        read_measurement(written(tmp_path / "a.csv", lines), layout)


def test_conductances_that_no_device_has(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", sweep())
    with refused("a.csv, row 2: column conductance: 10.0", "at most 1 S", "is S its unit?"):
        read_measurement(file, CsvLayout(conductance_unit="S"))
    lines = [line.replace(".", "e-14.")[:-1].replace(".", "") for line in sweep()[1:]]
    tiny = written(tmp_path / "b.csv", [sweep()[0], *lines])
    with refused("b.csv: column conductance", "pS'", "must reach 0.001 pS", "is pS its unit?"):
        read_measurement(tiny, CsvLayout(conductance_unit="pS"))


@pytest.mark.parametrize(
    ("zero", "one", "words"),
    [
        (math.nan, None, ("weight zero: 'nan uS'", "from 0 to 1e+06 uS")),
        (None, math.inf, ("weight one: 'inf uS'", "from 0 to 1e+06 uS")),
        (-1e-6, None, ("weight zero: '-1 uS'",)),
        (500e-6, None, ("weight zero: '500 uS'", "measured, 10 uS to 20 uS")),
        (15e-6, 12e-6, ("weight one: '12 uS'", "above weight zero, 15 uS")),
    ],
)
def test_conductances_of_weights_are_told_in_the_users_unit(
    tmp_path: Path, zero: float | None, one: float | None, words: tuple[str, ...]
) -> None:
    file = written(tmp_path / "a.csv", sweep())
    with refused("a.csv: ", *words):
        fit_file(file, "mine", CsvLayout(), zero, one)


def test_a_layout_is_checked() -> None:
    with refused("conductance unit", "'uSi'", "did you mean uS?"):
        CsvLayout(conductance_unit="uSi")
    with refused("read voltage", "must be a column or a voltage"):
        CsvLayout(current="I")


def write_sweeps(file: Path, rows: int, sweep_length: int, devices: int = 1) -> None:
    """Up and down sweeps of a constant step, device after device; 0.02 uS a pulse."""
    rng = np.random.default_rng(0)
    with file.open("w") as opened:
        opened.write("device,pulse,polarity,conductance\n")
        for device in range(devices):
            for start in range(0, rows // devices, 2 * sweep_length):
                number = np.arange(start, start + 2 * sweep_length)
                place = number % (2 * sweep_length)
                up = place < sweep_length
                value = np.where(up, place + 1, 2 * sweep_length - 1 - place) * 0.02 + 5
                value += rng.normal(0, 0.01, len(value))  # of the reading
                words = np.where(up, "up", "down")
                opened.writelines(
                    f"{device},{k},{w},{v:.3f}\n"
                    for k, w, v in zip(number, words, value, strict=True)
                )


@pytest.mark.parametrize("sweep_length", [250, 500, 1000])
def test_what_is_used_of_a_long_file_does_not_keep_step_with_its_sweeps(
    sweep_length: int, tmp_path: Path
) -> None:
    """Every tenth stretch of 500 pulses, with sweeps of 500 pulses, would be up pulses only."""
    file = tmp_path / "sweeps.csv"
    write_sweeps(file, 200_000, sweep_length, devices=2)
    found = read(file, CsvLayout())
    assert 0.9 * MOST_PULSES <= found.n_pulses <= MOST_PULSES
    assert 0.25 < np.mean(found.pulse[found.pulse != 0] > 0) < 0.75
    assert found.n_devices == 2
    assert 0.4 < np.mean(found.device == 0) < 0.6
    top = 5 + 0.02 * sweep_length
    assert found.conductance.max() == pytest.approx(top * 1e-6, abs=0.1e-6)
    assert found.conductance.min() == pytest.approx(5e-6, abs=0.1e-6)


@pytest.mark.slow
def test_ten_million_rows_are_fitted_or_refused_in_bounded_memory(tmp_path: Path) -> None:
    """The whole command in a fresh process: four devices, sweeps of 500 pulses, 0.2 GB of file.

    Takes about a minute on one core, half of it to read, and 1.6 GiB at its peak. A bad cell in
    the last row is one line.
    """
    file = tmp_path / "long.csv"
    write_sweeps(file, 10_000_000, 500, devices=4)
    command = [
        sys.executable,
        "-m",
        "studies.cli.app",
        "presets",
        "fit",
        str(file),
        "--name",
        "long",
    ]
    command += ["--out", str(tmp_path / "long.yaml"), "--plot", str(tmp_path / "long.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # MiB on Linux
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9999996 pulses measured" in done.stdout
    assert get_preset(str(tmp_path / "long.yaml")).levels == pytest.approx(500, rel=0.05)
    assert peak < 2500
    with file.open("a") as opened:
        opened.write("3,2500000,up,none of it\n")
    refused_run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused_run.returncode == 2
    assert refused_run.stderr.count("\n") == 1
    assert "row 10000002" in refused_run.stderr
    assert "none of it" in refused_run.stderr


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_weight_without_a_unit_is_any_finite_number(value: float) -> None:
    """Nothing is said of ohms, which such a conductance has not."""
    refuse_no_conductance("mine.csv", "weight zero", -3.0, "a.u.")
    with pytest.raises(PresetError, match=r"weight zero: .* a\.u\.' .*; must be a finite number$"):
        refuse_no_conductance("mine.csv", "weight zero", value, "a.u.")
    with pytest.raises(PresetError, match="must be a conductance from 0"):
        refuse_no_conductance("mine.csv", "weight zero", value, "uS")


def test_a_first_row_with_an_empty_conductance_is_no_row_of_units(tmp_path: Path) -> None:
    rows = [f"{k},1,{20 + k}" for k in range(2, 40)]
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["pulse,polarity,conductance", "1,1,n/a", *rows]) + "\n")
    assert len(read_measurement(file, CsvLayout()).conductance) == len(rows)
