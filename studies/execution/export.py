"""Trains a finished trial again, because rows hold no weights, and writes its network."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rpu_ssnn.common.errors import one_of, require
from rpu_ssnn.common.files import refuse_unwritable, user_path
from rpu_ssnn.common.optional import optional_package
from rpu_ssnn.export import left_out, write_network, write_nir
from rpu_ssnn.export.description import INSTALL, weights_of
from rpu_ssnn.export.nir_graph import graph_of
from rpu_ssnn.training import Trained
from studies.declaration.trial import Measure, Trial, point_title
from studies.declaration.update_rules.base import SpikingRule
from studies.execution.study_runs import look_into, refuse_empty
from studies.results.grouping import titles_of
from studies.results.tables import results_frame
from studies.workers.run_trial import set_threads
from studies.workers.workspace import NO_WORKSPACE, TrialSession

PACKAGES = {".h5": "h5py", ".nir": "nir"}
"""Files with these endings are written by these packages."""


@dataclass(frozen=True)
class Exported:
    """Describes the network that was written.

    Attributes:
        images: the set of images on which the study measures accuracy.
        accuracy: accuracy of the trained network on these images, %.
        in_row: accuracy of the finished trial, %.
        replayable: whether the two must be equal (aihwkit's own noise cannot be seeded).
        left_out: what the file lacks of the trained network, in words (`rpu_ssnn.export.left_out`).
    """

    path: Path
    images: Measure
    accuracy: float
    in_row: float
    replayable: bool
    left_out: str


def export_trial(
    folder: Path | str,
    case: str,
    path: Path | str,
    *,
    seed: int = 0,
    data: Path | str | None = None,
    without_inhibition: bool = False,
) -> Exported:
    """Trains a finished trial of an output folder again and writes its network.

    >>> from studies import export_trial
    >>> exported = export_trial("out/digits_devices", "ecram", "ecram.h5")  # doctest: +SKIP

    Args:
        folder: output folder of a study that was run.
        case: label of the case, with swept values written as in the study or in tables:
            ``charge_trap [overrides.step=0.01]`` or ``charge_trap [step = 0.01]``.
        path: a file ending in .h5 (every device, `rpu_ssnn.export.device_map`) or .nir.
        seed: seed of the trial among those of the case.
        data: folder with the images; None means the environment variable RPU_SSNN_DATA.
        without_inhibition: whether to leave out the inhibition, which NIR cannot represent.

    Raises:
        InputError: there is no such trial, its network does not spike (the float baseline), the
            file cannot be written, or the format cannot represent the network.
    """
    path = user_path("export", "path", path)
    check, write = _functions_for(path, without_inhibition)
    folder = user_path("export", "folder", folder)
    trial, in_row = _trial(folder, case, seed)
    method = trial.settings.method
    allowed = f"must be a case with a spiking network, which {method.update} does not train"
    require(isinstance(method, SpikingRule), folder, "case", case, allowed)
    threads = set_threads(trial, 1)
    images = trial.images(None if data is None else user_path("export", "data", data))
    # What cannot be written is refused before the training.
    none = trial.settings.training.model_copy(update={"epochs": 0})
    start = trial.settings.model_copy(update={"training": none})
    with method.training(start, threads)(images, start=None, on_epoch=None) as untrained:
        check(untrained)
    session = TrialSession(NO_WORKSPACE, trial, images.digest)
    with session.trained(method.training(trial.settings, threads), images) as trained:
        assert isinstance(trained, Trained)  # every spiking method trains one
        method.rest(trained)  # as in the trial, time passes before the test
        write(trained)
        lacks = left_out(trained.network.spec) if path.suffix.lower() == ".nir" else ""
        measure = trial.settings.measure
        read = (getattr(images, f"{measure}_{part}") for part in ("images", "labels"))
        accuracy = 100 * trained.accuracy(*read)
    return Exported(path, measure, accuracy, in_row, method.is_replayable(), lacks)


def _functions_for(path: Path, without_inhibition: bool) -> tuple[Callable[[Any], object], ...]:
    """Returns the function that refuses a network which the format of a file cannot represent, and
    the function that writes one.

    Raises:
        InputError: see `export_trial`.
    """
    refuse_unwritable("export", "path", path, tuple(PACKAGES))
    suffix = path.suffix.lower()
    optional_package(PACKAGES[suffix], INSTALL, path, "file", path.name)
    if suffix == ".nir":
        check = partial(graph_of, path, without_inhibition=without_inhibition)
        return check, partial(write_nir, path, without_inhibition=without_inhibition)
    allowed = "must be left out, unless the file ends in .nir; other files hold the inhibition"
    require(not without_inhibition, "export", "without_inhibition", True, allowed)
    return partial(weights_of, where=path), partial(write_network, path)


def _trial(folder: Path, case: str, seed: int) -> tuple[Trial, float]:
    contents = look_into(folder)
    refuse_empty(folder, contents)
    runs = contents.runs
    in_tables = titles_of(results_frame(runs))
    by_seed = {
        str(trial.settings.seed): (trial, result.accuracy)  # In Python, True and 1.0 equal 1.
        for title, (trial, result) in zip(in_tables, runs, strict=True)
        if case in (title, point_title(trial.label, trial.sweep))
    }
    require(by_seed, folder, "case", case, one_of(dict.fromkeys(in_tables), case))
    require(str(seed) in by_seed, folder, "seed", seed, one_of(by_seed))
    return by_seed[str(seed)]
