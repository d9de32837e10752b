"""How a measured file is laid out: columns, units, separator, decimal mark, encoding."""

import codecs
import csv
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rpu_ssnn.common.errors import PresetError, one_of
from rpu_ssnn.common.files import open_regular, reason

ARBITRARY = "a.u."
"""Of conductances that were normalised: any finite number is one, also a negative one."""

SIEMENS = {"S": 1.0, "mS": 1e-3, "uS": 1e-6, "nS": 1e-9, "pS": 1e-12, ARBITRARY: 1.0}
AMPERES = {"A": 1.0, "mA": 1e-3, "uA": 1e-6, "nA": 1e-9, "pA": 1e-12}
VOLTS = {"V": 1.0, "mV": 1e-3}

TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_NO_UNIT = ("", "-", "--", "#", "1", "n/a", "none")

MOST_SIEMENS = 1.0
WHY_MOST = "a device of 1 ohm, less than the wires to it have"
"""Assumption: no single memory device is above it (a quantum of conductance is 77.5 uS)."""

LEAST_SIEMENS = 1e-15
WHY_LEAST = "as much leaks past a device on a probe station"
"""Assumption: an electrometer's floor of 0.1 fA at 0.1 V; no device is read below it."""

USUAL_SIEMENS = (1e-9, 0.1)
"""Assumption: memory devices mostly lie there. A file with all readings beyond has another unit."""

SIDES = ("up_pulse", "down_pulse")

CONDITIONS = ("time_s", "pulse_width_s", "amplitude_v")
"""Standard names of the columns that say how a row's pulse was made."""

_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*")
_NUMBER = re.compile(r"[x*×·]?[\d.^eE+−*×·-]*\d[⁻⁰-⁹²³¹]*")
_SEPARATORS = (";", "\t", ",")
_SNIFFED_BYTES = 65536


@dataclass(frozen=True, kw_only=True)
class CsvLayout:
    """Names of the columns and units of the values, as the user states them.

    Args:
        pulse: number of the pulse after which the row was read; None means: ``pulse`` where the
            file has it, otherwise the order of the rows.
        polarity: direction of that pulse; ``all_pulses`` replaces it where there is no column.
        conductance: conductance; not read where ``current`` is given.
        conductance_unit: a key of ``SIEMENS``.
        current: read current; needs ``read_voltage``.
        current_unit: a key of ``AMPERES``.
        read_voltage: a column, or a number that holds for every row.
        voltage_unit: a key of ``VOLTS``.
        device, cycle: None means: the standard name where the file has it, otherwise one of each.
        all_pulses: polarity of every pulse of the file, in place of a column.
        up, down: columns of the conductance after each up and each down pulse, where a file has
            the two sweeps side by side; each column is a sweep of its own. None means:
            ``up_pulse`` and ``down_pulse`` (as aihwkit's example has them) where the file has
            them and no conductance.
        time, pulse_width, amplitude: time of the row's reading, width and amplitude (V) of the
            row's pulse. None means: a name of ``CONDITIONS`` where the file has it.
        time_unit, width_unit: keys of ``TIMES``.
    """

    pulse: str | None = None
    polarity: str = "polarity"
    conductance: str = "conductance"
    conductance_unit: str = "uS"
    current: str | None = None
    current_unit: str = "uA"
    read_voltage: str | None = None
    voltage_unit: str = "V"
    device: str | None = None
    cycle: str | None = None
    all_pulses: Literal["up", "down"] | None = None
    up: str | None = None
    down: str | None = None
    time: str | None = None
    pulse_width: str | None = None
    amplitude: str | None = None
    time_unit: str = "s"
    width_unit: str = "s"

    def __post_init__(self) -> None:
        units = (
            ("conductance unit", self.conductance_unit, SIEMENS),
            ("current unit", self.current_unit, AMPERES),
            ("voltage unit", self.voltage_unit, VOLTS),
            ("time unit", self.time_unit, TIMES),
            ("width unit", self.width_unit, TIMES),
        )
        for field, unit, known in units:
            if unit not in known:
                raise PresetError("layout", field, unit, one_of(known, unit))
        volts = self.constant_voltage
        if volts is not None and not (math.isfinite(volts) and volts != 0):
            allowed = "must be a column, or a finite voltage other than zero"
            raise PresetError("layout", "read voltage", volts, allowed)
        if self.current is not None and self.read_voltage is None:
            allowed = "must be a column or a voltage: a current alone is no conductance"
            raise PresetError("layout", "read voltage", None, allowed)
        if (self.up is None) != (self.down is None):
            given, field = self.up or self.down, "down column" if self.up else "up column"
            raise PresetError("layout", field, None, f"must be named too, beside {given}")
        if self.current is None and self.read_voltage is not None:
            allowed = "goes with a current column, and none is named"
            raise PresetError("layout", "read voltage", self.read_voltage, allowed)

    @property
    def constant_voltage(self) -> float | None:
        """The read voltage in ``voltage_unit`` where it is one number, not a column."""
        try:
            return float(self.read_voltage) if self.read_voltage is not None else None
        except ValueError:
            return None

    @property
    def measured_unit(self) -> str:
        """Of the measured column."""
        return self.conductance_unit if self.current is None else self.current_unit

    @property
    def measured_column(self) -> str:
        """The column a fit names as its source."""
        return self.current or self.conductance

    def conditions(self, columns: tuple[str, ...]) -> dict[str, str]:
        """Standard name -> column, of those of ``CONDITIONS`` that are named or there."""
        given = zip(CONDITIONS, (self.time, self.pulse_width, self.amplitude), strict=True)
        return {name: own or name for name, own in given if own is not None or name in columns}

    def sides(self, columns: tuple[str, ...]) -> tuple[str, str] | None:
        """The columns of up and down sweeps side by side, if that is how the file has them."""
        if self.up is not None and self.down is not None:
            return self.up, self.down
        if set(SIDES) <= set(columns) and self.conductance not in columns and not self.current:
            return SIDES
        return None


def in_unit(siemens: float, unit: str) -> str:
    """A conductance as ``12.5 uS``, to six digits at most.

    Args:
        unit: a key of ``SIEMENS``.
    """
    return f"{siemens / SIEMENS[unit]:.6g} {unit}"


def is_unit(cell: str) -> bool:
    """Whether a cell is a unit, in brackets or not."""
    return _bare(cell) in (*SIEMENS, *AMPERES, *VOLTS, *TIMES)


def _bare(cell: str) -> str:
    return cell.strip().strip("()[]").replace("\u00b5", "u").replace("\u03bc", "u")


def unit_in_name(column: str, known: Collection[str]) -> str | None:
    """The unit that the name of a column ends with, as in ``G_nS`` or ``current (nA)``.

    Args:
        known: the units that it may be; those of several letters in capitals or not.
    """
    *before, last = re.split(r"[\s_(\[/,]", column.strip())
    if before and _NUMBER.fullmatch(before[-1]):
        return None  # a multiple of the unit, as in ``G (10^-6 S)``
    last = _bare(last)
    if last == column or last in known:
        return last if last != column else None
    alike = {unit.lower(): unit for unit in known if len(unit) > 1}
    return alike.get(last.lower())


def is_no_unit(cell: str) -> bool:
    """Whether a cell stands for no unit in a row of units."""
    return cell.strip().strip("()[]").lower() in _NO_UNIT


@dataclass(frozen=True)
class TextFormat:
    """What the file itself shows.

    Args:
        encoding: of the text.
        separator: between cells.
        decimal: mark within numbers.
        header_row: 1-based line of the column names; the line before the first row where there
            is none, and columns are then named 1, 2...
        columns: the names, stripped; as many spaces as its place for a column without a name.
    """

    encoding: str
    separator: str
    decimal: str
    header_row: int
    columns: tuple[str, ...]


def detect_format(file: Path) -> TextFormat:
    """Separator, decimal mark and column names, from the beginning of the file.

    Raises:
        PresetError: unreadable, empty, or not a table of text.
    """
    try:
        with open_regular(file) as opened:
            head = opened.read(_SNIFFED_BYTES)
    except OSError as error:
        allowed = "must be a readable CSV file"
        raise PresetError(file, "file", reason(error), allowed) from None
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PresetError(file, "file", "binary data", "must be text: export it as CSV")
    encoding, text = _decoded(head)
    lines = text.splitlines()
    number = next((n for n, line in enumerate(lines, 1) if line.strip()), None)
    if number is None:
        raise PresetError(file, "file", "nothing", "must hold a line of column names and rows")
    header = lines[number - 1]
    separator = next((s for s in _SEPARATORS if s in header), ",")
    cells = next(csv.reader([header], delimiter=separator, skipinitialspace=True))
    columns = tuple(cell.strip() or " " * place for place, cell in enumerate(cells, 1))
    if all(cell.lower() in ("up", "down") or _is_number(cell) for cell in columns) and any(
        _is_number(cell) for cell in columns
    ):
        # No line of names: columns are called by their place. (`up,down` alone is a line of names.)
        names = tuple(str(place) for place in range(1, len(columns) + 1))
        decimal = _decimal_mark(lines[number - 1 :], separator)
        return TextFormat(encoding, separator, decimal, number - 1, names)
    doubled = next((c for c in columns if columns.count(c) > 1), None)
    if doubled is not None:
        raise PresetError(f"{file}, row {number}", "column", doubled, "must be there only once")
    decimal = _decimal_mark(lines[number:], separator)
    return TextFormat(encoding, separator, decimal, number, columns)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _decoded(head: bytes) -> tuple[str, str]:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    try:
        # A character may be cut in two at the end of what was read.
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        return "utf-8-sig", decoder.decode(head, final=len(head) < _SNIFFED_BYTES)
    except UnicodeDecodeError:
        return "cp1252", head.decode("cp1252", errors="replace")  # Excel's CSV on Windows


def _decimal_mark(lines: Sequence[str], separator: str) -> str:
    if separator == ",":
        return "."
    cells = (cell for line in lines for cell in line.split(separator))
    return "," if any(_DECIMAL_COMMA.fullmatch(cell.strip().strip('"')) for cell in cells) else "."
