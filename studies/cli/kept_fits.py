"""Keeps fits, so that accepting one, or another name, plot or report, does not fit again."""

import os
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import joblib

import device_presets
import rpu_ssnn
from device_presets.fitting import FittedDevice, fit_file
from rpu_ssnn.common.files import reason, user_path

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
        InputError: `fit_file` raises it, or the folder of kept fits cannot be a path.
    """
    named = os.environ.get(FOLDER) or "~/.cache/rpu_ssnn/fits"
    folder = user_path("environment", FOLDER, named)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()  # joblib would warn in words of its own
        memory = joblib.Memory(folder, verbose=0)
    except OSError as error:
        tell(f"the fit is not kept in {folder}: {reason(error)}")
        memory = joblib.Memory(None)
    given = [one for one in (file, options.get("retention")) if one]
    programs = [Path(str(package.__file__)).parent for package in (device_presets, rpu_ssnn)]
    what = [_content(given, "*"), _content(programs, "**/*.py"), *map(version, _LIBRARIES)]
    fitted: FittedDevice = memory.cache(_fitted, ignore=["fit"])(
        joblib.hash([file.name, options, what]), lambda: fit_file(file, name, tell=tell, **options)
    )
    memory.reduce_size(items_limit=_MOST)
    return replace(fitted, name=name)


def _fitted(key: str, fit: Callable[[], FittedDevice]) -> FittedDevice:
    """Returns the fit, which is kept under the key."""
    return fit()


def _content(places: list[Path], pattern: str) -> list[bytes]:
    """Returns the content of files, and of the files in folders that match the pattern."""
    found = [each for one in places for each in (sorted(one.glob(pattern)) or [one])]
    return [each.read_bytes() for each in found if each.is_file()]
