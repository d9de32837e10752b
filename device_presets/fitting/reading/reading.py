"""Reads a measurement from a table of pulses or from a lookup table of CrossSim."""

from pathlib import Path

from device_presets.fitting.reading.measurement import Measurement, read_measurement
from device_presets.fitting.reading.sampled_table import sampled
from device_presets.fitting.reading.table import EXCEL
from device_presets.fitting.reading.thinning import thinned
from device_presets.jump_tables.lookup_table import FILES, is_lookup_table, read_lookup_table
from rpu_ssnn.common.errors import Fault, InputError, require


def read(
    path: Path,
    sheet: str | None = None,
    read_voltage: float | None = None,
    retention: Path | None = None,
) -> Measurement:
    """Reads a measurement, with at most as many pulses as a fit can use.

    Args:
        path: A CSV file, an Excel file, or a folder with a lookup table of CrossSim.
        sheet: The sheet of an Excel file; None for the first one, "all" for one device in each.
        read_voltage: The voltage (V) by which a column of currents is divided.
        retention: A file of readings over time; see `with_retention`.

    Raises:
        InputError: For the reasons given at `read_measurement` and `read_lookup_table`.
    """
    if sheet is not None and path.suffix.lower() not in EXCEL:
        raise InputError(path, "--sheet", sheet, f"must come with an Excel file, {EXCEL[0]}")
    if not path.is_dir():
        return thinned(read_measurement(path, sheet, read_voltage, retention))
    for option, value in (("--read-voltage", read_voltage), ("--retention", retention)):
        require(value is None, path, option, str(value), "must be left out")
    allowed = f"must hold {' and '.join(FILES.values())}; join tables with pandas.concat"
    require(is_lookup_table(path), path, "folder", Fault("it has no lookup table"), allowed)
    return sampled(read_lookup_table(path))
