"""Manages the output folder of a study, which only one process at a time writes.

Each finished run has a file. The folder contains:

OUT/.rpu-ssnn          marks the folder as one of this package
OUT/study.yaml         the study as it was understood, with every default written out
OUT/devices/           copies of its preset files, so that the folder can be read anywhere
OUT/hyperparameters.yaml    the hyperparameters that a search found, by title of the point
OUT/trials/ID.json     row and learning curve of one run, written whole or not at all
OUT/search/ID.json     the same for the runs of the search
OUT/running/ID.npz     checkpoint of a run that has no row yet (`studies.workers.checkpoint`)
OUT/running/ID.json    progress of a run that a worker is training (`studies.workers.workspace`)
OUT/results.csv, results.parquet, curves.csv, failures.csv    rebuilt from the above
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from device_presets.library.entry_writing import draws_file
from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import Fault, InputError, meant, require
from rpu_ssnn.common.files import (
    is_regular,
    make_folder,
    read_bytes,
    refusing,
    remove_temporaries,
    write_whole,
)
from studies.declaration.devices import with_files
from studies.declaration.study import (
    HYPERPARAMETERS_FILE,
    MARKER_FILE,
    STUDY_FILE,
    Study,
    parse_study,
)
from studies.results.store import TrialStore

LOCK_FILE = ".lock"
DEVICES = "devices"
RUNNING = "running"
FOLDERS = ("trials", "search", RUNNING)

_MARKER_TEXT = "An output folder of rpu-ssnn.\n"
_STUDY_COMMENT = "The study as it was run, with every default written out."


@dataclass(frozen=True)
class ResultFolder:
    """Gives the parts of an output folder, and makes them.

    Attributes:
        files: contents of the study file and its preset files, by name; empty if the folder is
            only read.
    """

    root: Path
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def trials(self) -> TrialStore:
        """Returns the store of the study's trials."""
        return TrialStore(self.root / "trials")

    @property
    def search(self) -> TrialStore:
        """Returns the store of the runs of the search."""
        return TrialStore(self.root / "search")

    @property
    def running(self) -> Path:
        """Returns the folder with checkpoints and progress of runs that have no row yet."""
        return self.root / RUNNING

    @property
    def hyperparameters(self) -> Path:
        """Returns the file of the hyperparameters that a search found."""
        return self.root / HYPERPARAMETERS_FILE

    def has_row(self, identity: str) -> bool:
        """Says whether there is a file of this trial or run of the search."""
        stores = (self.trials, self.search)
        return any(is_regular(store.folder / f"{identity}.json") for store in stores)

    def make(self) -> None:
        """Makes the missing parts of the folder, removes temporary files and writes `files`.

        Raises:
            OSError: the folder cannot be written to, or a link has the name of one of its parts.
        """
        for name in FOLDERS:
            make_folder(self.root / name)
        for part in (self.root, *(self.root / name for name in FOLDERS)):
            remove_temporaries(part)
        for name, content in self.files.items():
            for folder in reversed(Path(name).parents[:-1]):
                make_folder(self.root / folder)
            write_whole(self.root / name, partial(Path.write_bytes, data=content))


def _files_of(study: Study) -> dict[str, bytes]:
    """Returns the preset files of a study, then the study file that names them relative to it.

    A file of devices that were drawn from a fit stays beside that of the fit.
    """
    presets: dict[str, bytes] = {}

    def copied(path: str) -> str:
        file, draws = Path(path), draws_file(Path(path))
        beside = (draws,) if draws.is_file() else ()
        try:
            contents = {one.name: read_bytes(one) for one in (file, *beside)}
        except OSError:  # the error appears when the device is made
            return path
        for folder in chain([DEVICES], (f"{DEVICES}/{number}" for number in count(2))):
            here = {f"{folder}/{name}": content for name, content in contents.items()}
            if all(presets.get(name, content) == content for name, content in here.items()):
                break
        presets.update(here)
        return f"{folder}/{file.name}"

    declared = study.model_dump(mode="json")
    declared["cases"] = [
        {**case, "device": with_files(case["device"], copied, Path())} if "device" in case else case
        for case in declared["cases"]
    ]
    return {**presets, STUDY_FILE: strict_yaml.dump(declared, _STUDY_COMMENT).encode()}


@contextmanager
def open_folder(root: Path, study: Study) -> Iterator[ResultFolder]:
    """Makes or opens the study's output folder and locks it for this process.

    Raises:
        InputError: the folder holds another study or other files, cannot be written to, or is in
            use by another process.
    """
    refuse_foreign(root, study)
    folder, is_new = ResultFolder(root, _files_of(study)), not root.exists()
    with ExitStack() as ending:
        with refusing(root, "must be writable", OSError, field="output folder"):
            try:
                root.mkdir(parents=True, exist_ok=True)
                _mark(root)
                ending.callback(_release, _taken_lock(root))
                folder.make()
            except OSError:  # the disk may be full
                if is_new:
                    shutil.rmtree(root, ignore_errors=True)
                raise
        yield folder


def _release(lock: BaseFileLock) -> None:
    with suppress(OSError):  # the folder was deleted meanwhile
        lock.release()


def _taken_lock(root: Path) -> BaseFileLock:
    """Takes the folder's lock for this process.

    Raises:
        InputError: another process has it, or a link or a file with content has its name.
        OSError: the lock cannot be made.
    """
    path = root / LOCK_FILE
    ours = not os.path.lexists(path) or (is_regular(path) and path.stat().st_size == 0)
    allowed = f"must be the empty file that a run makes; remove {path}, or give another --out"
    require(ours, root, LOCK_FILE, Fault("another file"), allowed)
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        allowed = "must not be in use, but another process writes to it"
        raise InputError(root, "output folder", Fault("locked"), allowed) from None
    return lock


def stored_study(root: Path, or_else: str = "", near: Sequence[str] = ()) -> Study:
    """Returns the study of an output folder.

    Args:
        or_else: what else than an output folder the user could have named, for the error.
        near: names that the user may have meant.

    Raises:
        InputError: there is no folder, or it has no valid study.
    """
    path = root / STUDY_FILE
    ours = f"must be the output folder of `rpu-ssnn run`, with a {STUDY_FILE} in it"
    allowed = f"{meant(near)}{ours}{or_else}"
    require(path.is_file(), root, "result folder", _what_is(root), allowed)
    return parse_study(strict_yaml.read(path), path, root)


def _what_is(root: Path) -> Fault:
    if root.is_dir():
        return Fault(f"a folder without {STUDY_FILE}")
    return Fault("a file" if root.exists() else "not there")


def refuse_foreign(root: Path, study: Study) -> None:
    """Refuses a folder that cannot be the output folder of this study.

    Raises:
        InputError: it holds another study or other files, has links in place of its parts, or is
            not a folder.
    """
    with refusing(root, "must be a folder", OSError, field="output folder"):
        holds = sorted(entry.name for entry in root.iterdir()) if os.path.lexists(root) else []
    if not holds:
        return
    ours = is_ours(root)
    if STUDY_FILE in holds:
        _refuse_another_study(root, study, ours)
    allowed = "must not be in the folder, which must be new, empty, or the study's own"
    require(ours, root, "output folder", holds[0], allowed)
    for name in (*FOLDERS, DEVICES):
        path = root / name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            fault = Fault("a link" if path.is_symlink() else "a file")
            raise InputError(root, name, fault, f"must be a folder and no link; remove {path}")


def _refuse_another_study(root: Path, study: Study, is_ours: bool) -> None:
    try:
        content = strict_yaml.read(root / STUDY_FILE)
    except InputError:
        if is_ours:
            raise
        return  # the file was not written by this package
    found = content.get("study") if isinstance(content, dict) else None
    fault = Fault(f"holds {f'the study {found}' if found else 'no study'}")
    allowed = f"must be new, empty, or the folder of the study {study.study}"
    require(found == study.study, root, "output folder", fault, allowed)


def is_ours(root: Path) -> bool:
    """Says whether the folder has the marker that a run puts into it."""
    return is_regular(root / MARKER_FILE)


def _mark(root: Path) -> None:
    """Puts the marker into the folder before anything else."""
    with suppress(FileExistsError), (root / MARKER_FILE).open("x") as file:
        file.write(_MARKER_TEXT)
