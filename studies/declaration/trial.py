"""Defines trials: training runs with their settings, identities and results."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, model_validator

from rpu_ssnn.common.errors import require
from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.data_spec import OwnData, OwnDataReading, Time
from rpu_ssnn.spec import OneLine, Share
from rpu_ssnn.version import NUMERICS_VERSION
from studies.common.settings import canonical, short_hash
from studies.declaration.update_rules.base import Rule, RunSettings
from studies.declaration.update_rules.loading import rule_of


class DatasetSettings(OwnDataReading):
    """Chooses the images of a trial; without a number it takes all, and `file` names your own."""

    name: Annotated[str, Field(max_length=255), OneLine] = Field(
        "", description="name of a standard set, or any other name for data of your own"
    )
    file: Path | None = Field(None, description="your own data (`rpu_ssnn.data_spec.OwnData`)")
    time: Time = Field("kept", description="order of recorded slots; `shuffled` is a control")
    n_train: Annotated[int, Field(ge=1)] | None = Field(
        None, description="number of images that training and validation share"
    )
    n_test: Annotated[int, Field(ge=1)] | None = Field(None, description="number of test images")
    validation_share: Annotated[Share, Field(le=0.5)] = Field(
        0.1, description="share of the training images held out as validation images, for choices"
    )

    @model_validator(mode="before")
    @classmethod
    def _has_keys_and_is_named_after_its_file(cls, content: Any) -> Any:
        if isinstance(content, str):
            raise ValueError("must be a mapping, `{name: mnist}`, or `{file: mine.npz}` for a file")
        if isinstance(content, dict) and content.get("file") and not content.get("name"):
            return {**content, "name": Path(str(content["file"])).stem or "data"}
        return content

    @model_validator(mode="after")
    def _reading_needs_a_file(self) -> Self:
        if not self.name:
            raise ValueError("must have the name of a standard set, or the file of your own data")
        for field in OwnDataReading.model_fields:
            given = getattr(self, field)
            own = self.file is not None or given == type(self).model_fields[field].default
            require(own, "dataset", field, given, "must be left out without `file`, your own data")
        return self

    @property
    def own(self) -> OwnData | None:
        """Returns the user's own data, or None for a standard set."""
        if self.file is None:
            return None
        reading = {name: getattr(self, name) for name in OwnDataReading.model_fields}
        return OwnData(file=self.file, **reading)


Measure = Literal["test", "validation"]
"""The accuracy of a trial is measured on these images."""


class TrialSettings(RunSettings):
    """Holds all settings that determine the result of a trial, including defaults.

    Attributes:
        measure: `test` reads the test set once, after training; `validation` never reads it.
    """

    dataset: DatasetSettings
    method: Annotated[SerializeAsAny[Rule], BeforeValidator(rule_of)]
    measure: Measure


def identity_of(settings: TrialSettings, numerics_version: int) -> str:
    """Returns a hash of everything that determines a result.

    Settings at their defaults are left out, so that a new setting whose default is the old
    behaviour does not change the identity of earlier trials. Finished trials keep their complete
    settings, and their identity is computed with today's defaults.
    """
    network, training = settings.method.reduced(settings.network, settings.training)
    reduced = settings.model_copy(update={"network": network, "training": training})
    shared = reduced.model_dump(mode="json", exclude={"method"}, exclude_defaults=True)
    method = settings.method.decisive()
    for path in ("file", "test_file"):  # moving a folder does not change the identity
        if path in shared["dataset"]:
            shared["dataset"][path] = Path(shared["dataset"][path]).name
    return short_hash({**shared, "method": method, "numerics_version": numerics_version})


def stored_identity(settings: object, numerics_version: object) -> str | None:
    """Returns the identity of stored settings, or None if they are not valid in this version."""
    try:
        known = TrialSettings.model_validate(settings)
    except ValidationError:
        return None
    return identity_of(known, int(str(numerics_version)))


@dataclass(frozen=True)
class Trial:
    """A trial is one training run, with its place in a study.

    Attributes:
        study: name of the study.
        label: label of the case.
        sweep: swept settings as (dotted path, value), in the study's order.
        stop_after: epochs after which a run of a search, which tries hyperparameters, pauses; None
            for a trial, which trains to the end.
    """

    study: str
    label: str
    sweep: tuple[tuple[str, Any], ...]
    settings: TrialSettings
    stop_after: int | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles the plain settings, because the class of a rule may come from a user's file."""
        settings = self.settings.model_dump()
        return _restored, (self.study, self.label, self.sweep, settings, self.stop_after)

    @property
    def settings_json(self) -> str:
        """Returns the complete settings as canonical JSON."""
        return canonical(self.settings.model_dump(mode="json"))

    @cached_property
    def identity(self) -> str:
        """Returns a hash of everything that determines the result, so not of label and study."""
        return identity_of(self.settings, NUMERICS_VERSION)

    def images(self, data_root: Path | None) -> Dataset:
        """Loads the images on which the trial is trained and tested.

        Raises:
            InputError: images are missing, damaged, or fewer than the trial needs.
        """
        dataset = self.settings.dataset
        return load_dataset(
            dataset.name,
            data_root,
            n_train=dataset.n_train,
            n_test=dataset.n_test,
            validation_share=dataset.validation_share,
            seed=self.settings.seed,
            own=dataset.own,
            time=dataset.time,
            slots=self.settings.network.T,
        )

    @property
    def title(self) -> str:
        """Returns the name of the trial in progress lines and failure lists.

        For a run of a search it includes the hyperparameters that are tried.
        """
        title = f"{point_title(self.label, self.sweep)} seed {self.settings.seed}"
        if self.stop_after is None:
            return title
        method = self.settings.method
        tile = getattr(method, "tile", None)
        wide = "" if tile is None else f", weight_range {tile.weight_range:g}"
        return f"{title} (learning_rate {method.learning_rate:g}{wide})"


def _restored(
    study: str, label: str, sweep: tuple[tuple[str, Any], ...], settings: object, stop: int | None
) -> Trial:
    return Trial(study, label, sweep, TrialSettings.model_validate(settings), stop)


def point_title(label: str, sweep: tuple[tuple[str, Any], ...]) -> str:
    """Describes a case at one point of the sweep in words."""
    if not sweep:
        return label
    return f"{label} [{', '.join(f'{path}={value}' for path, value in sweep)}]"


type Scalar = str | int | float | bool | None
type Row = dict[str, Scalar]


SWEEP_PREFIX = "sweep."
"""The columns of swept settings have this prefix before the dotted path."""


@dataclass(frozen=True)
class TrialResult:
    """Holds the result of a finished run.

    Attributes:
        row: flat row with the columns of `studies.results.result_columns`.
        epochs: learning curve, with one flat row per epoch.
    """

    row: Row
    epochs: list[Row]

    @property
    def accuracy(self) -> float:
        """Returns the test accuracy of the run (%), or the validation accuracy if no test image
        was read."""
        test = self.row["test_accuracy"]
        shown = self.row["validation_accuracy"] if test is None else test
        assert isinstance(shown, int | float)  # run_trial always measures one of them
        return float(shown)

    @property
    def words(self) -> str:
        """Returns the accuracy and its images in words."""
        images = "validation" if self.row["test_accuracy"] is None else "test"
        return f"{self.accuracy:.2f} % ({images})"


def by_crossbar(row: Row, name: str) -> list[Scalar]:
    """Returns the values of a column that exists once per crossbar, with its number at the end."""
    return [value for key, value in row.items() if key.removeprefix(f"{name}_").isdigit()]


def as_scalar(value: Any) -> Scalar:
    """Returns a value for JSON and a table cell; a value that is not finite becomes None."""
    if hasattr(value, "item"):  # this is a scalar of numpy
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float | None):
        return value
    return json.dumps(value)


type Runs = Sequence[tuple[Trial, TrialResult]]


@dataclass(frozen=True)
class Failure:
    """Describes a trial that raised an error, or whose process died.

    Attributes:
        trial: identity of the trial.
        title: title of the trial.
        message: the error in one line.
        details: traceback, or an empty text.
    """

    trial: str
    title: str
    message: str
    details: str
