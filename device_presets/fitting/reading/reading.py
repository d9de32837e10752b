"""A measurement is read here, from a table of pulses or from a lookup table of CrossSim."""

from pathlib import Path

from device_presets.fitting.reading.measurement import Measurement, read_measurement
from device_presets.fitting.reading.sampled_table import sampled
from device_presets.fitting.reading.thinning import thinned
from device_presets.jump_tables.lookup_table import is_lookup_table, read_lookup_table
from rpu_ssnn.common.errors import PresetError


def read(path: Path, sheet: str | None = None) -> Measurement:
    """A measurement is read, with at most as many pulses as a fit can take.

    Args:
        path: A CSV file, an Excel file, or a folder with a lookup table of CrossSim.
        sheet: The sheet of an Excel file; None: the first one.

    Raises:
        PresetError: As `read_measurement` and `read_lookup_table` raise it.
    """
    if not path.is_dir():
        return thinned(read_measurement(path, sheet))
    if not is_lookup_table(path):
        allowed = "must be a lookup table of CrossSim, or a file: join files with pandas.concat"
        raise PresetError(path, "folder", "no lookup table", allowed)
    return sampled(read_lookup_table(path))
