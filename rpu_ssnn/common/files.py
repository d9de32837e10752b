"""Files that are there whole or not at all, and a look ahead at whether they can be."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from rpu_ssnn.common.errors import PresetError

PRESET_SUFFIXES = (".yaml", ".yml")
PLOT_SUFFIXES = (".png", ".pdf", ".svg")


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Lets ``write`` fill a temporary file and puts it in place in one step.

    Raises:
        OSError: the disk is full or the folder is gone; ``path`` is then as before.
    """
    _replace_all({path: (path.with_name(f"{path.name}.{os.getpid()}.tmp"), write)})


def refuse_unwritable(where: str, field: str, path: Path, suffixes: tuple[str, ...] = ()) -> None:
    """Looks at a file that is to be written, before the work that it takes is done.

    Args:
        where, field: command and option that name the file, for the error.
        path: the file.
        suffixes: endings it may have; any where there are none.

    Raises:
        PresetError: another ending, a folder that is missing or cannot be written to, or a
            folder in the file's place.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        endings = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise PresetError(where, field, str(path), f"must end in {endings}")
    if path.is_dir():
        raise PresetError(where, field, str(path), "must be a file: a folder has this name")
    if not path.parent.is_dir():
        raise PresetError(where, field, str(path), f"must be in a folder: {path.parent} is none")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        allowed = f"must be in a folder that can be written to: {path.parent} cannot"
        raise PresetError(where, field, str(path), allowed)


def write_together(where: str, writers: Mapping[Path, Callable[[Path], object]]) -> None:
    """Lets each writer fill a temporary file, and puts all in place only once all are written.

    Args:
        where: what is being written, for errors.
        writers: file -> what writes it, given a temporary path with the same suffix.

    Raises:
        PresetError: a folder that is missing or cannot be written to, a full disk, a suffix
            that no format has; the files are then as before.
    """
    at, temporary_at = Path(), Path()

    def of(path: Path, write: Callable[[Path], object]) -> Callable[[Path], object]:
        def writing(temporary: Path) -> object:
            nonlocal at, temporary_at
            at, temporary_at = path, temporary
            return write(temporary)

        return writing

    try:
        # The suffix stays last: writers tell a figure's format from it.
        _replace_all(
            {
                path: (path.with_name(f".{os.getpid()}.{path.name}"), of(path, write))
                for path, write in writers.items()
            }
        )
    except PresetError as error:  # of what was written; the user knows the file by its own name
        named = error.where.replace(str(temporary_at), str(at))
        raise PresetError(named, error.field, error.value, error.allowed) from None
    except OSError as error:
        allowed = f"must be a file that can be written ({error.strerror or type(error).__name__})"
        raise PresetError(where, "file", str(at), allowed) from None
    except ValueError as error:
        raise PresetError(where, "file", str(at), f"cannot be written: {error}") from None


def _replace_all(writers: Mapping[Path, tuple[Path, Callable[[Path], object]]]) -> None:
    """Writes every temporary file, and replaces the files only once all are on the disk."""
    try:
        for temporary, write in writers.values():
            write(temporary)
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
        for path, (temporary, _) in writers.items():
            os.replace(temporary, path)
    finally:
        for temporary, _ in writers.values():
            temporary.unlink(missing_ok=True)
