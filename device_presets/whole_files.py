"""Files that are there whole or not at all."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from device_presets.errors import PresetError


def write_whole(where: str, writers: Mapping[Path, Callable[[Path], object]]) -> None:
    """Lets each writer fill a temporary file, and puts all in place only once all are written.

    Args:
        where: what is being written, for errors.
        writers: file -> what writes it, given a temporary path with the same suffix.

    Raises:
        PresetError: a folder that is missing or cannot be written to, a full disk, a suffix
            that no format has; the files are then as before.
    """
    temporaries = {path: path.with_name(f".{os.getpid()}.{path.name}") for path in writers}
    at = Path()
    try:
        for at, write in writers.items():
            write(temporaries[at])
        for at, temporary in temporaries.items():
            os.replace(temporary, at)
    except (OSError, ValueError) as error:
        if isinstance(error, PresetError):
            raise
        allowed = f"must be a file that can be written ({error})"
        raise PresetError(where, "file", str(at), allowed) from None
    finally:
        for temporary in temporaries.values():
            temporary.unlink(missing_ok=True)
