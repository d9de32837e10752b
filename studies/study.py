"""A study as validated, frozen data: what is compared, on which images, with which seeds.

An instance is always runnable as far as can be known without running it: device names, overrides,
sweeps and references have all been checked.
"""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from rpu_ssnn.errors import InputError, one_of
from rpu_ssnn.spec import NetworkSpec, Spec, TrainingSpec
from studies.cases import Case, LearningRate, RateCase
from studies.explain import as_input_error
from studies.points import Point, points_of
from studies.unit import DatasetSettings
from studies.yaml_file import read_yaml


class SearchSettings(Spec):
    """The search that every case without an inline drive gets: a grid, on validation accuracy.

    The grid of `ann` is its own, since its learning rate has another meaning.
    """

    n_train: Annotated[int, Field(ge=1)] | None = Field(
        None, description="training images of a search run; None: the study's"
    )
    epochs: Annotated[int, Field(ge=1)] = 3
    weight_range: Annotated[tuple[Annotated[float, Field(gt=0.0)], ...], Field(min_length=1)] = (
        1.0,
        2.0,
        4.0,
        8.0,
    )
    learning_rate: Annotated[tuple[LearningRate, ...], Field(min_length=1)] = (0.3, 1.0, 3.0, 10.0)
    ann_learning_rate: Annotated[tuple[LearningRate, ...], Field(min_length=1)] = (
        0.03,
        0.1,
        0.3,
        1.0,
    )


class _SeedCount(Spec):
    count: Annotated[int, Field(ge=1, le=10_000)]


def _counted(raw: object) -> object:
    """`{count: 5}` means the seeds 0 to 4."""
    if not isinstance(raw, dict):
        return raw
    try:
        return tuple(range(_SeedCount.model_validate(raw).count))
    except ValidationError as error:
        raise as_input_error(error, "study", _SeedCount) from error


class Study(Spec):
    """One declared comparison; see `docs` of the fields, and the YAML files beside this module."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=60)] = Field(
        description="name; also the default output folder's"
    )
    question: Annotated[str, Field(min_length=1)] = Field(description="what the study asks")
    dataset: DatasetSettings
    network: NetworkSpec = NetworkSpec()
    training: TrainingSpec = TrainingSpec()
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        {},
        description="dotted path to values; a grid, over each case that has the path and does "
        "not set it itself",
    )
    seeds: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=2**32)], ...],
        BeforeValidator(_counted),
        Field(min_length=1),
    ] = Field(description="a list, or {count: n} for 0 to n - 1")
    reference: str | None = Field(
        None, description="label of the case that gaps are measured against; None: the rate case"
    )
    drives: Path | None = Field(
        None, description="file with searched drives, relative to the study's"
    )
    search: SearchSettings = SearchSettings()

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        if twice:
            raise ValueError(f"must name each seed once, {twice[0]} is there twice")
        return seeds

    @model_validator(mode="after")
    def _is_runnable(self) -> Self:
        labels = [case.name for case in self.cases]
        for index, label in enumerate(labels):
            if label in labels[:index]:
                raise InputError(
                    "study", f"cases.{index}.label", label, "must be unique: give one a `label`"
                )
        rate_labels = [case.name for case in self.cases if isinstance(case, RateCase)]
        if self.reference is None and len(rate_labels) != 1:
            raise InputError(
                "study", "reference", None, one_of(labels) + ", as there is not one rate case"
            )
        if self.reference is not None and self.reference not in labels:
            raise InputError("study", "reference", self.reference, one_of(labels, self.reference))
        budget, available = self.search.n_train, self.dataset.n_train
        if budget is not None and available is not None and budget > available:
            raise InputError(
                "study", "search.n_train", budget, f"must be at most dataset.n_train, {available}"
            )
        points = self.points()
        if self.dataset.validation_share == 0 and any(point.drive is None for point in points):
            raise InputError(
                "study",
                "dataset.validation_share",
                0.0,
                "must be above 0, as a case without a drive is searched on the validation split",
            )
        return self

    @property
    def reference_label(self) -> str:
        """The case that gaps are measured against."""
        if self.reference is not None:
            return self.reference
        return next(case.name for case in self.cases if isinstance(case, RateCase))

    def points(self) -> list[Point]:
        """Every case at every point of the sweep that applies to it."""
        return points_of(self.cases, self.sweep, self.dataset, self.network, self.training)


def parse_study(content: object, where: object, folder: Path) -> Study:
    """A study from what a YAML file held.

    Args:
        where: named in the error.
        folder: what a relative `drives` is relative to.

    Raises:
        InputError: the content is not a valid study.
    """
    if not isinstance(content, dict):
        raise InputError(where, "content", content, "must be a mapping with the keys of a study")
    if isinstance(content.get("drives"), str):
        content = {**content, "drives": folder / content["drives"]}
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise as_input_error(error, where, Study) from error


def load_study(path: Path) -> Study:
    """A study from its YAML file.

    Raises:
        InputError: unreadable, not YAML, or not a valid study.
    """
    return parse_study(read_yaml(path), path, path.parent)
