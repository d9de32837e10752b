"""Any file or folder with a measurement: CSV, Excel, a folder of devices, CrossSim's table."""

import csv
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from device_presets.fitting.reading.csv_layout import (
    ARBITRARY,
    CONDITIONS,
    USUAL_SIEMENS,
    CsvLayout,
    in_unit,
)
from device_presets.fitting.reading.measurement import Measurement, read_measurement, thinned
from device_presets.fitting.reading.sampled_table import sampled
from device_presets.fitting.rows import joined
from device_presets.jump_tables.lookup_table import is_lookup_table, read_lookup_table
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.common.files import reason

EXCEL = (".xlsx", ".xlsm")
TEXT = (".csv", ".txt", ".tsv", ".dat")
_NO_DATA = (".", "~$")  # hidden files, and those that Excel makes beside an open one


def read(path: Path, layout: CsvLayout) -> Measurement:
    """What was measured, whatever holds it.

    Args:
        path: a CSV or Excel file (its first sheet); a folder of such files, one a device; a folder
            with a lookup table of CrossSim.
        layout: columns and units, of every file alike.

    Raises:
        PresetError: as ``read_measurement``; an empty folder; an Excel file that is none; a
            table that is normalised and a unit that is none, or the reverse.
    """
    if is_lookup_table(path):
        table = read_lookup_table(path)
        unit = layout.conductance_unit
        if table.normalised != (unit == ARBITRARY):
            is_in = "normalised" if table.normalised else "in siemens"
            allowed = (
                f"must {'' if table.normalised else 'not '}be {ARBITRARY}: the table is {is_in}"
            )
            raise PresetError(path, "--conductance-unit", unit, allowed)
        return sampled(table, unit)
    found = _files(path, layout)
    doubt = unit_doubt(found, layout)
    return thinned(replace(found, notes=(doubt, *found.notes)) if doubt else found)


def unit_doubt(found: Measurement, layout: CsvLayout) -> str:
    """A note where no reading lies where memory devices lie; empty where one does.

    Who counts in nS or pS means small conductances.
    """
    unit, readings = found.unit, found.conductance
    low, high = float(readings.min()), float(readings.max())
    small = high < USUAL_SIEMENS[0] and unit not in ("nS", "pS")
    if unit == ARBITRARY or not (small or low > USUAL_SIEMENS[1]):
        return ""
    side, limit = ("below", USUAL_SIEMENS[0]) if small else ("above", USUAL_SIEMENS[1])
    options = "--conductance-unit sets it"
    if layout.current is not None:
        options = "--current-unit and --voltage-unit set it"
    return (
        f"all conductances, {in_unit(low, unit)} to {in_unit(high, unit)}, lie {side} "
        f"{in_unit(limit, unit)}, where few devices lie: is the unit right? {options}"
    )


def _files(path: Path, layout: CsvLayout) -> Measurement:
    if not path.is_dir():
        return _file(path, layout)
    tables = (f for f in path.iterdir() if f.suffix.lower() in EXCEL + TEXT)
    files = sorted(f for f in tables if not f.name.startswith(_NO_DATA))
    if not files:
        allowed = f"must hold a file for each device, {', '.join(TEXT + EXCEL)}"
        raise PresetError(path, "folder", "no such file", allowed)
    return _joined(path.name, [_file(file, layout) for file in files])


def _file(path: Path, layout: CsvLayout) -> Measurement:
    if path.suffix.lower() not in EXCEL:
        return read_measurement(path, layout)
    with _as_text(path) as text:
        try:
            found = read_measurement(text, layout)
        except PresetError as error:
            where = str(error.where).replace(str(text), str(path))
            raise PresetError(where, error.field, error.value, error.allowed) from None
    return replace(found, name=path.name)


@contextmanager
def _as_text(path: Path) -> Iterator[Path]:
    """The first sheet as a CSV file beside nothing else; row numbers stay those of the sheet."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        rows = list(book.worksheets[0].iter_rows(values_only=True))
        book.close()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise PresetError(path, "file", reason(error), "must be a readable Excel file") from None
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "sheet.csv"
        with text.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.writer(opened)
            writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
        yield text


def _joined(name: str, parts: list[Measurement]) -> Measurement:
    """Measurements of several files as one; no device is in two of them."""
    notes = [f"{part.name}: {note}" for part in parts for note in part.notes]
    known = [set() if part.conditions is None else part.conditions.known for part in parts]
    common = set[str].intersection(*known)
    if mixed := [name for name in CONDITIONS if name in set[str].union(*known) - common]:
        notes.append(f"not used: {', '.join(mixed)}, since only some of the files have them")
    if mixed or any(part.conditions is None for part in parts):
        parts = [
            replace(part, conditions=part.conditions and part.conditions.only(common))
            for part in parts
        ]
    before = accumulate((part.n_devices for part in parts), initial=0)
    numbered = [
        replace(part, device=part.device + n) for part, n in zip(parts, before, strict=False)
    ]
    return replace(
        joined(numbered),
        name=name,
        n_cycles=max(part.n_cycles for part in parts),
        notes=tuple(notes),
        labels=tuple(
            part.name if part.n_devices == 1 else f"{part.name}, {label}"
            for part in parts
            for label in part.labels
        ),
    )
