"""Keeps fits, so that accepting one, or another name, plot or report, does not fit again."""

import hashlib
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from device_presets.fitting.fit_file import fit_file
from device_presets.fitting.results.fitted_device import FittedDevice
from rpu_ssnn.common.files import is_regular, reason, write_whole

FOLDER = "RPU_SSNN_FITS"
"""This environment variable names the folder of kept fits, in place of the user's cache."""

_MOST = 20
"""This many of the newest fits are kept."""

_LIBRARIES = ("numba", "numpy", "pandas", "scipy")
"""Another version of these may compute other numbers, or fail to load what an earlier one kept."""


def kept_fit(file: Path, name: str, tell: Callable[[str], None], **options: Any) -> FittedDevice:
    """Returns the result of `fit_file`, or the kept one if readings, options, program and its
    libraries are the same as before. A fit that cannot be kept is returned all the same.

    Args:
        file, name, tell: Those of `fit_file`.
        options: The other arguments of `fit_file`.

    Raises:
        PresetError: `fit_file` raises it.
    """
    key = repr((file.name, options, *map(version, _LIBRARIES)))
    folder = Path(os.environ.get(FOLDER) or Path.home() / ".cache" / "rpu_ssnn" / "fits")
    place = folder / f"{_digest(key, file, options.get('retention'))}.pickle"
    if is_regular(place) and place.stat().st_uid == os.getuid():
        tell(f"taking the fit that was kept in {place}")
        kept: FittedDevice = pickle.loads(place.read_bytes())
        return replace(kept, name=name)
    fitted = fit_file(file, name, tell=tell, **options)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(place, lambda path: path.write_bytes(pickle.dumps(fitted)))
        newest_last = sorted(folder.glob("*.pickle"), key=lambda path: path.stat().st_mtime)
        for old in newest_last[:-_MOST]:
            old.unlink(missing_ok=True)
    except OSError as error:
        tell(f"the fit is not kept in {folder}: {reason(error)}")
    return fitted


def _digest(options: str, *data: Path | None) -> str:
    """Returns a digest of the options, the readings and the source code."""
    found = hashlib.sha256(options.encode())
    project = Path(__file__).parents[2]
    sources = [*(project / "device_presets").rglob("*.py"), *(project / "rpu_ssnn").rglob("*.py")]
    given = (sorted(one.iterdir()) if one.is_dir() else [one] for one in data if one)
    for path in [*sorted(sources), *(file for files in given for file in files)]:
        if path.is_file():
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()
