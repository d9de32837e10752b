"""The file of hyperparameters that searches found, each with the hash of its search."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import refusing, write_whole
from studies.common.canonical import short_hash
from studies.common.explain import validated
from studies.declaration.points import Point
from studies.declaration.study import SAMPLED_TRIALS, SearchSettings, Study
from studies.declaration.trial import decisive
from studies.declaration.update_rules import METHODS
from studies.declaration.update_rules.base import Hyperparameters

COMMENT = """\
How hard each case is driven: the best validation accuracy (%) of the study's search, no test
image read. `searched_for` ties an entry to the settings it was searched for; where they change,
the next run searches again. Written by `rpu-ssnn search STUDY --write`."""


class FoundHyperparameters(Hyperparameters):
    """Hyperparameters of a case and their search.

    Attributes:
        validation_accuracy: of the best run of the search, %; the mean over its seeds.
        searched_for: `search_key` of the case.
        seeds: that the search judged on; None, of an older file: one, the case's first.
        bound: why the search ended at an edge of the grid; None: it did not, or the grid was
            not widened (`widening.at_edge` then says whether the value is at an edge).
    """

    validation_accuracy: Annotated[float, Field(ge=0.0, le=100.0)]
    searched_for: str
    seeds: tuple[int, ...] | None = None
    bound: str | None = None

    @property
    def drive(self) -> Hyperparameters:
        """The hyperparameters without the data of the search."""
        return Hyperparameters(learning_rate=self.learning_rate, weight_range=self.weight_range)


type HyperparameterTable = dict[str, FoundHyperparameters]
"""By title of the point (`trial.point_title`), for readers; `searched_for` identifies."""


def grid(point: Point, search: SearchSettings) -> list[Hyperparameters]:
    """The candidates of a search, smallest step first."""
    rule = METHODS[point.method["update"]]
    return rule.grid(getattr(search, rule.rates_of), search.weight_range)


def search_key(point: Point, search: SearchSettings) -> str:
    """Hash of everything that the search of a point depends on, except the seed."""
    reduced = point.with_budget(search.images, search.epochs)
    # At their defaults they are left out: what was searched before they existed stays known.
    new = {"seeds", "sampler", "trials", "prune"}
    beyond = search.model_dump(mode="json", include=new, exclude_defaults=True)
    if search.rounds:
        beyond["widen"] = search.rounds
    if search.budget == SAMPLED_TRIALS:  # written out or not, the search is the same
        beyond.pop("trials", None)
    return short_hash(
        {
            **beyond,
            "dataset": reduced.dataset.model_dump(mode="json", exclude_defaults=True),
            "network": reduced.network.model_dump(mode="json", exclude_defaults=True),
            "training": reduced.training.model_dump(mode="json", exclude_defaults=True),
            "method": decisive(reduced.method),
            "grid": [drive.model_dump(mode="json") for drive in grid(point, search)],
        }
    )


def read_hyperparameters(path: Path) -> HyperparameterTable:
    """The hyperparameters of a file; empty if the file does not exist.

    Raises:
        InputError: the file is there and not valid.
    """
    if not path.exists():
        return {}
    content = strict_yaml.read(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(path, "content", content, "must map case labels to drives")
    return {
        str(key): validated(FoundHyperparameters, entry, str(key), path)
        for key, entry in content.items()
    }


def write_hyperparameters(path: Path, drives: Mapping[str, FoundHyperparameters]) -> None:
    """Writes the file whole or not at all.

    Raises:
        InputError: the folder cannot be written to.
    """
    entries = {
        title: found.model_dump(mode="json", exclude_none=True) for title, found in drives.items()
    }
    text = strict_yaml.dump(entries, COMMENT)
    with refusing(path, "must be a writable file", OSError, field="drives"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def known_hyperparameters(study: Study, *files: Path | None) -> dict[str, FoundHyperparameters]:
    """Results of earlier searches for the study's points, by search key; the first file counts.

    Raises:
        InputError: a file is there and not valid.
    """
    by_key: dict[str, FoundHyperparameters] = {}
    for path in files:
        for found in read_hyperparameters(path).values() if path is not None else ():
            by_key.setdefault(found.searched_for, found)
    return {found.searched_for: found for _, found in searched(study, by_key) if found is not None}


def searched(
    study: Study, found: Mapping[str, FoundHyperparameters]
) -> Iterator[tuple[Point, FoundHyperparameters | None]]:
    """The points that give no hyperparameters, each with those found; None: none yet.

    Args:
        found: by search key.
    """
    for point in study.points():
        if point.drive is None:
            yield point, found.get(search_key(point, study.search))


def drive_of(
    point: Point, search: SearchSettings, found: Mapping[str, FoundHyperparameters]
) -> Hyperparameters | None:
    """Hyperparameters that the study gives or a search found (by search key); None: neither."""
    if point.drive is not None:
        return point.drive
    known = found.get(search_key(point, search))
    return None if known is None else known.drive
