"""Reads and writes hyperparameters that searches found, and makes the trials that use them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import require
from rpu_ssnn.common.files import refusing, write_whole
from rpu_ssnn.common.validation import validated
from studies.declaration.points import Point
from studies.declaration.study import Study
from studies.declaration.trial import Trial, identity_of
from studies.declaration.update_rules.base import Hyperparameters

COMMENT = """\
The learning rate and weight range of each case, found by a search on held-out images, and the
accuracy (%) on these images; no test image was read."""


class FoundHyperparameters(Hyperparameters):
    """Holds hyperparameters that a search found for a case, with the accuracy that they reached.

    Attributes:
        validation_accuracy: accuracy of the chosen run on held-out images, %.
        settings: `settings_hash` the point in the search; None, as in older files, fits any point.
    """

    validation_accuracy: Annotated[float, Field(ge=0.0, le=100.0)]
    settings: str | None = None


type HyperparameterTable = dict[str, FoundHyperparameters]
"""The keys of this table are titles of points (`Point.title`)."""


def read_hyperparameters(path: Path) -> HyperparameterTable:
    """Returns the hyperparameters of a file, or none if the file does not exist.

    Raises:
        InputError: the file exists and is not valid.
    """
    if not path.exists():
        return {}
    content = strict_yaml.read(path)
    if content is None:
        return {}
    allowed = "must map titles of cases to their hyperparameters"
    require(isinstance(content, dict), path, "content", content, allowed)
    return {
        str(key): validated(FoundHyperparameters, entry, str(key), path)
        for key, entry in content.items()
    }


def write_hyperparameters(path: Path, found: Mapping[str, FoundHyperparameters]) -> None:
    """Writes the file whole or not at all.

    Raises:
        InputError: the folder cannot be written to.
    """
    entries = {
        title: entry.model_dump(mode="json", exclude_none=True) for title, entry in found.items()
    }
    text = strict_yaml.dump(entries, COMMENT)
    with refusing(path, "must be a writable file", OSError, field="hyperparameters"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def known_hyperparameters(study: Study, *files: Path) -> HyperparameterTable:
    """Returns the found hyperparameters of the study's points, from the file beside the study or
    else from the first of these files that has them, if they were searched with the same settings.

    Raises:
        InputError: a file exists and is not valid.
    """
    known: HyperparameterTable = {}
    for path in filter(None, (study.hyperparameters_file, *files)):
        found = read_hyperparameters(path)
        for point in study.points():
            own = found.get(point.title) if point.hyperparameters is None else None
            if own and own.settings in (None, settings_hash(point)):
                known.setdefault(point.title, own)
    return known


def settings_hash(point: Point) -> str:
    """Returns a hash of all settings of a point except hyperparameters and seeds."""
    some = Hyperparameters(learning_rate=1.0, weight_range=1.0)
    return identity_of(point.trial("", some, seed=0).settings, numerics_version=0)


def hyperparameters_of(
    point: Point, found: Mapping[str, FoundHyperparameters]
) -> Hyperparameters | None:
    """Returns the hyperparameters that the study gives or a search found, else None."""
    return point.hyperparameters or found.get(point.title)


def trials_of(study: Study, found: Mapping[str, FoundHyperparameters]) -> list[Trial]:
    """Returns the trials whose hyperparameters are known, in the study's order.

    Args:
        found: hyperparameters that searches found, by title of the point.
    """
    return [
        point.trial(study.study, known, seed, study.measure)
        for point in study.points()
        if (known := hyperparameters_of(point, found)) is not None
        for seed in point.seeds
    ]


def with_hyperparameters(study: Study, found: Mapping[str, FoundHyperparameters]) -> Study:
    """Fills the hyperparameters that were found into the cases of the study."""
    cases = tuple(
        case.tuned(found[case.name]) if case.name in found else case for case in study.cases
    )
    return study.model_copy(update={"cases": cases})
