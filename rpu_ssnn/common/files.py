"""Reads files only if they are regular, and writes them whole or not at all, never through a link.

All other modules read by `open_regular`, `read_bytes`, `read_text` or `text_of`, and write by
`write_whole`; only pandas and h5py open files themselves.
"""

import contextlib
import errno
import gzip
import os
import re
import secrets
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import BufferedReader
from pathlib import Path

from rpu_ssnn.common.errors import Fault, InputError, require

YAML_SUFFIXES = (".yaml", ".yml")
PLOT_SUFFIXES = (".png", ".pdf", ".svg")
CREATOR = {"Creator": "rpu-ssnn"}
"""Every figure has this metadata, by which it may be replaced (`refuse_unwritable`)."""

SEPARATORS = ",;\t"
"""The cells of a CSV are separated by one of these, which its column names show. Numbers may have
decimal commas where it is not a comma."""

MOST_TEXT_BYTES = 64 << 20
"""A text file that is read whole has at most this size; the largest that the project writes has a
few MB."""

MOST_ARRAY_BYTES = 16 << 30
"""The arrays of one file have at most this size, unpacked; MNIST in double precision has 0.4 GB."""

_RANDOM_BYTES = 8

_TEMPORARY = re.compile(rf"\.[0-9a-f]{{{2 * _RANDOM_BYTES}}}\.tmp\.")
"""The name of a temporary file is `.RANDOM.tmp.NAME`, so that the suffix stays last."""

_LIBRARY_MESSAGES = (
    (r"^.* codec can't decode .*$", "not text in UTF-8"),
    (r"^.*Expected \d+ fields in line (\d+), saw \d+$", r"row \1 has too many cells"),
    (
        "^Length of header or names .*$",
        "the first row below the names has too many cells (with decimal commas, cells need "
        "semicolons or tabs between them; a line sep=, of Excel must be deleted)",
    ),
    ("^No columns to parse from file$", "the first line is empty"),
    ("^',' expected after .*$", "no comma follows a quotation mark that closes a cell"),
    ("^.*EOF inside string starting at row .*$", "a quotation mark is not closed"),
    ("^maximum recursion depth exceeded.*$", "nested too deep"),
    (r"^Unknown label type: (\w+)\..*$", r"Unknown label type: \1"),
    ("^The DType .* could not be promoted .*$", "some columns hold no numbers"),
    ("^setting an array element with a sequence.*$", "rows differ in length"),
    ("^.*There is no item named .* in the archive.*$", "not a workbook"),
)
"""Sentences of libraries about bad files and data, and what they mean to a reader."""


def reason(error: Exception) -> Fault:
    """Returns why a file could not be read or written; pandas and numpy leave ``strerror``
    empty."""
    text = getattr(error, "strerror", None) or " ".join(str(error).split())
    for theirs, ours in _LIBRARY_MESSAGES:
        text = re.sub(theirs, ours, text)
    return Fault(text.rstrip(".") or type(error).__name__)


@contextlib.contextmanager
def refusing(
    path: Path | str, allowed: str, *errors: type[Exception], field: str = "file"
) -> Iterator[None]:
    """Turns errors of reading or writing a file into one `InputError` that names the file.

    Raises:
        InputError: the block raised one of ``errors``; an `InputError` of the block stays as it is.
    """
    try:
        yield
    except InputError:
        raise
    except errors as error:
        raise InputError(path, field, reason(error), allowed) from error


def open_regular(path: Path) -> BufferedReader:
    """Opens a regular file for reading; a pipe or a device is refused, without waiting for it.

    Raises:
        OSError: the file is missing, not readable or not regular, or no file can have its name.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError:  # the name holds a NUL or half of a surrogate pair
        raise OSError(errno.EINVAL, "not a valid file name", str(path)) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path, most: int = MOST_TEXT_BYTES) -> bytes:
    """Returns the content of a regular file, which is unpacked if its name ends in .gz.

    Args:
        path: the file.
        most: the largest number of bytes that the content may have.

    Raises:
        OSError: as `open_regular`, or the content is larger, or it is not a complete gzip stream.
    """
    with open_regular(path) as file:
        if path.suffix == ".gz":
            try:
                content = gzip.GzipFile(fileobj=file).read(most + 1)
            except (EOFError, zlib.error) as error:
                raise OSError(errno.EIO, str(error), str(path)) from error
        else:
            content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"Larger than {most} bytes", str(path))
    return content


def read_text(path: Path, most: int = MOST_TEXT_BYTES) -> str:
    """Returns the content of a regular file in UTF-8, without a byte order mark.

    Raises:
        OSError: as `read_bytes`.
        UnicodeDecodeError: the content is not UTF-8.
    """
    return read_bytes(path, most).decode("utf-8-sig")


def text_of(path: Path, most: int = MOST_TEXT_BYTES) -> str:
    """Returns the content of a file that a user named.

    Args:
        path: the file.
        most: the largest number of bytes that the content may have.

    Raises:
        InputError: the file cannot be read, or is not UTF-8.
    """
    try:
        return read_text(path, most)
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError(path, "file", reason(fault), "must be a readable file in UTF-8") from fault


def is_regular(path: Path) -> bool:
    """Returns whether a regular file has this name; a link to one does not count."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def user_path(where: str, field: str, path: Path | str) -> Path:
    """Returns a path as a user named it, with ``~`` expanded.

    Args:
        where, field: the command and option that name the path, for the error.
        path: the path, which need not exist.

    Raises:
        InputError: the path is empty or not UTF-8, no file can have this name, or its home folder
            is unknown.
    """
    allowed = "must name a file or folder"
    require(isinstance(path, str | os.PathLike), where, field, path, allowed)
    text = str(path)
    require(text.strip(), where, field, text, allowed)
    if not text.isascii() and text.encode(errors="replace").decode() != text:
        allowed = "must be a name in UTF-8, in a locale of UTF-8 (such as LC_ALL=C.UTF-8)"
        raise InputError(where, field, text, allowed)
    try:
        expanded = Path(text).expanduser()
        os.lstat(expanded)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return expanded
    except (RuntimeError, ValueError, OSError) as error:
        allowed = f"must be a path that can be used ({reason(error)})"
        raise InputError(where, field, text, allowed) from None
    return expanded


def make_folder(path: Path) -> None:
    """Makes a folder inside one of our own; a link in its place is refused.

    Raises:
        OSError: the folder cannot be made, or something else has its name.
    """
    path.mkdir(exist_ok=True)
    if path.is_symlink():
        raise OSError(errno.ELOOP, "A symbolic link is in the place of a folder", str(path))


def kept_aside(path: Path, ending: str) -> str:
    """Renames a file by adding an ending, and a number if that name is taken; returns a phrase with
    its new name, or with why it is left where it is."""
    aside, number = path.with_name(f"{path.name}.{ending}"), 1
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}.{ending}.{number}")
    try:
        return f"kept as {path.rename(aside).name}"
    except OSError as error:
        return f"left where it is ({reason(error)})"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Lets ``write`` fill a temporary file and puts it in place in one step.

    The temporary file is created exclusively under a random name, and the file replaces
    whatever has the name: nothing is written through a link.

    Raises:
        OSError: the disk is full or the folder is gone; ``path`` is then as before.
    """
    _replace_all({path: write}, {})


def remove_temporaries(folder: Path) -> None:
    """Removes the temporary files that killed processes left in one of our folders.

    Raises:
        OSError: the folder cannot be written to.
    """
    for path in folder.iterdir():
        if _TEMPORARY.match(path.name) and is_regular(path):
            path.unlink(missing_ok=True)


def refuse_unwritable(
    where: str,
    field: str,
    path: Path,
    suffixes: tuple[str, ...] = (),
    new: bool = False,
    ours: bytes = b"rpu[-_]ssnn",
) -> None:
    """Checks that a file can be written, before the work for it is done.

    Args:
        where, field: the command and option that name the file, for the error.
        path: the file.
        suffixes: the endings it may have; empty allows any.
        new: whether nothing may have its name yet, not even a link that leads nowhere.
        ours: the pattern that a file with its name must contain, so that only files of this
            project are replaced.

    Raises:
        InputError: the file has another ending, its folder is missing or cannot be written to, or
            a folder or a file that must not be replaced has its name.
    """
    folder, shown = path.parent, str(path)
    ends_well = not suffixes or path.suffix.lower() in suffixes
    require(ends_well, where, field, shown, f"must end in {' or '.join(suffixes)}")
    free = not new or not os.path.lexists(path)
    require(free, where, field, shown, "must not exist yet; give another name")
    require(not path.is_dir(), where, field, shown, "must be a file, but a folder has this name")
    allowed = "must not exist yet, or be made by an earlier such command"
    with refusing(path, allowed, OSError):
        replaceable = not path.exists() or re.search(ours, read_bytes(path, MOST_ARRAY_BYTES))
    require(replaceable, where, field, shown, allowed)
    allowed = f"must be in an existing folder, which {folder} is not"
    require(folder.is_dir(), where, field, shown, allowed)
    allowed = f"must be in a folder that can be written to, which {folder} is not"
    require(os.access(folder, os.W_OK | os.X_OK), where, field, shown, allowed)


def write_together(where: str, writers: Mapping[Path, Callable[[Path], object]]) -> None:
    """Lets each writer fill a temporary file, and puts all in place only once all are written.

    Args:
        where: what is being written, for errors.
        writers: for each file the function that writes it, given a temporary path with the same
            suffix.

    Raises:
        InputError: a file cannot be written, or a writer refuses what it wrote; the files are then
            as before (unless the file system fails between putting two of them in place).
    """
    temporaries: dict[Path, Path] = {}
    try:
        _replace_all(writers, temporaries)
    except InputError as error:  # the user knows the file by its own name
        at, temporary = list(temporaries.items())[-1]
        named = error.where.replace(str(temporary), str(at))
        raise InputError(named, error.field, error.value, error.allowed) from None
    except (OSError, ValueError) as error:
        at = next((path for path in writers if not path.name), None) or list(temporaries)[-1]
        allowed = f"must be a file that can be written ({reason(error)})"
        raise InputError(where, "file", str(at), allowed) from None


def _replace_all(
    writers: Mapping[Path, Callable[[Path], object]], temporaries: dict[Path, Path]
) -> None:
    """Writes every temporary file, and replaces the files only once all are on the disk.

    Args:
        writers: for each file the function that writes it.
        temporaries: an empty mapping that receives the temporary file of each file. After an error
            its last entry is the file of the error.
    """
    try:
        for path, write in writers.items():
            temporaries[path] = temporary = _temporary_name(path)
            temporary.open("xb").close()  # it is new, so it is ours and not a link
            write(temporary)
            _to_disk(temporary)
        for path in writers:
            temporaries[path] = temporary = temporaries.pop(path)
            os.replace(temporary, path)
    except OSError as error:
        # A failed write, as on a full disk, names no file; errors without a number keep their
        # words.
        if error.errno is not None and error.filename is None:
            error.filename = str(list(temporaries)[-1])
        raise
    finally:
        for temporary in temporaries.values():
            # The error that led here says more than one from the clean-up.
            with contextlib.suppress(OSError, ValueError):
                temporary.unlink()


def _temporary_name(path: Path) -> Path:
    """Returns a random name beside the file, with its suffix, which sets the format of a figure."""
    if not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return path.with_name(f".{secrets.token_hex(_RANDOM_BYTES)}.tmp.{path.name}")


def _to_disk(path: Path) -> None:
    with open_regular(path) as written:
        os.fsync(written.fileno())
