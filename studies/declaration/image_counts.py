"""Checks that a data set has as many images as a study needs, before anything is written."""

from collections.abc import Iterator
from pathlib import Path

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import TrainingSpec
from studies.declaration.points import Point
from studies.declaration.study import Study

DEFAULT_BATCH = TrainingSpec().batch
"""It is never refused: nobody wrote it."""


def refuse_missing_images(study: Study, data_root: Path | None) -> None:
    """Compares the study's counts of images with the headers of the data set's files.

    Args:
        data_root: folder with the images; None: the environment variable RPU_SSNN_DATA.

    Raises:
        MissingDataError: the images are not there.
        InputError: more images asked for than there are, none would be held out, or a batch of
            more images than are trained on; it names the study's file and key.
    """
    from rpu_ssnn.data import image_counts  # brings numpy

    counts: dict[str, tuple[int, int]] = {}
    for point in study.points():
        own = point.dataset.own
        name = point.dataset.name if own is None else own.model_dump_json()
        if name not in counts:
            counts[name] = image_counts(point.dataset.name, data_root, own)
        for field, value, allowed in _faults(study, point, *counts[name]):
            raise InputError(study.where, field, value, allowed)


def _faults(
    study: Study, point: Point, n_train: int, n_test: int
) -> Iterator[tuple[str, object, str]]:
    """Yields field, value and allowed values of each count that the data set cannot meet."""
    dataset, search = point.dataset, study.search
    if dataset.n_train is not None and dataset.n_train > n_train:
        yield _written(point, "n_train"), dataset.n_train, _at_most(n_train)
    if dataset.n_test is not None and dataset.n_test > n_test:
        yield _written(point, "n_test"), dataset.n_test, _at_most(n_test)
    drawn = n_train if dataset.n_train is None else dataset.n_train
    if not _holds_out(dataset.validation_share, drawn):
        allowed = f"holds none of {drawn} images out: {_enough(drawn)}"
        yield _written(point, "validation_share"), dataset.validation_share, allowed
    trained = drawn - round(dataset.validation_share * drawn)
    if point.training.batch > max(trained, DEFAULT_BATCH):
        allowed = f"must be at most {trained}, the images that are trained on"
        yield _place_of_batch(study, point), point.training.batch, allowed
    if point.hyperparameters is not None:
        return
    searched = search.validation_share or dataset.validation_share
    if not _holds_out(searched, drawn):
        enough = f"must be above {0.5 / drawn:.3g}, or dataset.n_train larger"
        yield "search.validation_share", searched, f"holds none of {drawn} images out: {enough}"


def _written(point: Point, name: str) -> str:
    """Returns the key of the study that holds the count: in the sweep, or in the data set."""
    swept = [path for path, _ in point.sweep if path in ("dataset", f"dataset.{name}")]
    return f"sweep.{swept[0]}" if swept else f"dataset.{name}"


def _place_of_batch(study: Study, point: Point) -> str:
    """Returns the key of the study that holds the batch: in the sweep, in a case, or in the
    training."""
    for path, _ in point.sweep:
        if path in ("training", "training.batch"):
            return f"sweep.{path}"
    number, case = next((n, c) for n, c in enumerate(study.cases, 1) if c.name == point.label)
    return f"case {number}.training.batch" if "batch" in case.training else "training.batch"


def _at_most(there: int) -> str:
    return f"must be at most {there}, the images there are"


def _holds_out(share: float, n_images: int) -> bool:
    return share == 0 or round(share * n_images) > 0


def _enough(drawn: int) -> str:
    if drawn < 2:
        return "must be 0, or dataset.n_train larger"
    return f"must be 0, or above {0.5 / drawn:.3g}, or dataset.n_train larger"
