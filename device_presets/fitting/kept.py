"""A fit is kept, so that accepting it, or another name, plot or report, does not fit again."""

import hashlib
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from device_presets.fitting.fit_file import fit_file
from device_presets.fitting.results.fitted_device import FittedDevice
from rpu_ssnn.common.files import is_regular, write_whole

FOLDER = "RPU_SSNN_FITS"
"""This variable of the environment names the folder of kept fits, in place of the user's cache."""

_MOST = 20
"""So many fits are kept, the newest."""


def kept_fit(
    file: Path,
    name: str,
    sheet: str | None,
    weight_zero: float | None,
    weight_one: float | None,
    tell: Callable[[str], None],
) -> FittedDevice:
    """Returns what `fit_file` returns; readings, options and program that were seen before are not
    fitted again.

    Raises:
        PresetError: As `fit_file` raises it.
    """
    options = repr((file.name, sheet, weight_zero, weight_one))
    place = _folder() / f"{_digest(file, options)}.pickle"
    if is_regular(place) and place.stat().st_uid == os.getuid():
        tell(f"the fit is the one kept in {place}")
        kept: FittedDevice = pickle.loads(place.read_bytes())
        return replace(kept, name=name)
    fitted = fit_file(file, name, sheet, weight_zero, weight_one, tell)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(place, lambda path: path.write_bytes(pickle.dumps(fitted)))
    newest_last = sorted(place.parent.glob("*.pickle"), key=lambda path: path.stat().st_mtime)
    for old in newest_last[:-_MOST]:
        old.unlink(missing_ok=True)
    return fitted


def _folder() -> Path:
    named = os.environ.get(FOLDER)
    return Path(named) if named else Path.home() / ".cache" / "rpu_ssnn" / "fits"


def _digest(data: Path, options: str) -> str:
    """Returns the digest of the readings, the options and the program that fits them."""
    found = hashlib.sha256(options.encode())
    project = Path(__file__).parents[2]
    sources = [*(project / "device_presets").rglob("*.py"), *(project / "rpu_ssnn").rglob("*.py")]
    for path in [*sorted(sources), *(sorted(data.iterdir()) if data.is_dir() else [data])]:
        if path.is_file():
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()
