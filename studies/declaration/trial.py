"""A trial: one training run with everything that determines its result, and its identity."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from rpu_ssnn.data_spec import OwnData, OwnDataReading, Time
from rpu_ssnn.spec import OneLine, Share
from rpu_ssnn.version import NUMERICS_VERSION
from studies.common.canonical import canonical, short_hash
from studies.declaration.devices import path_free
from studies.declaration.update_rules import METHODS
from studies.declaration.update_rules.base import MethodBase, RunSettings

if TYPE_CHECKING:
    from rpu_ssnn.data import Dataset


class DatasetSettings(OwnDataReading):
    """The images; a count of None: all. `file` names data of the user."""

    name: Annotated[str, Field(max_length=255), OneLine] = Field(
        "", description="a standard set's; of your own data any other one"
    )
    file: Path | None = Field(None, description="of your own data (`rpu_ssnn.data_spec.OwnData`)")
    time: Time = Field("kept", description="of recorded spikes; shuffled: a control for timing")
    n_train: Annotated[int, Field(ge=1)] | None = Field(
        None, description="images that training and validation share"
    )
    n_test: Annotated[int, Field(ge=1)] | None = None
    validation_share: Annotated[Share, Field(le=0.5)] = Field(
        0.1, description="share of the training images held out as validation images, for choices"
    )

    @model_validator(mode="before")
    @classmethod
    def _file_gives_the_name(cls, content: Any) -> Any:
        if isinstance(content, dict) and content.get("file") and not content.get("name"):
            return {**content, "name": Path(str(content["file"])).stem}
        return content

    @model_validator(mode="after")
    def _reading_needs_a_file(self) -> Self:
        if not self.name:
            raise ValueError("needs a name, or the file of your own data")
        for field in OwnDataReading.model_fields:
            if self.file is None and getattr(self, field) != type(self).model_fields[field].default:
                raise ValueError(f"{field} is of your own data: give file too")
        return self

    @property
    def own(self) -> OwnData | None:
        """The user's own data; None where the set is a standard one."""
        if self.file is None:
            return None
        reading = {name: getattr(self, name) for name in OwnDataReading.model_fields}
        return OwnData(file=self.file, **reading)


if TYPE_CHECKING:
    type Method = MethodBase
else:
    type Method = Annotated[reduce(or_, METHODS.values()), Field(discriminator="update")]


Measure = Literal["test", "validation"]
"""Images that the accuracy of a trial is measured on."""


class TrialSettings(RunSettings):
    """Everything that determines the result of a trial, including defaults.

    Attributes:
        measure: `test` reads the test set once, after training; `validation` never reads it.
    """

    dataset: DatasetSettings
    method: Method
    measure: Measure


RECORD_ONLY = (
    "endurance_cycles",
    "energy_per_pulse_j",
    "on_off_ratio",
    "pulse_period_s",
    "pulse_width_s",
)
"""Preset parameters that only ledger and metrics read: not part of an identity."""

PULSE_TIMES = ("pulse_period_s", "pulse_width_s")
"""Parameters that matter only if the step depends on the width (`step_width_s`)."""


OF_TABLE = re.compile(r"table\(.*, (sha256=[0-9a-f]+)\)")
"""The name of a device of measured jumps; its digest decides, wherever the table lies."""


def decisive(method: Mapping[str, Any]) -> dict[str, Any]:
    """A method without the fields that do not change its result."""
    kept = dict(method)
    if (table := OF_TABLE.fullmatch(str(kept.get("device")))) is not None:
        kept["device"] = table[1]
    elif "device" in kept:  # moving a preset file does not change the identity
        kept["device"] = path_free(str(kept["device"]))
    decided_by_pulse = "step_width_s" in kept.get("parameters", {})
    records = set(RECORD_ONLY) - set(PULSE_TIMES if decided_by_pulse else ())
    for part in ("parameters", "overrides"):
        if part in kept:
            kept[part] = {k: v for k, v in kept[part].items() if k not in records}
    if "overrides" in kept:
        kept["overrides"] = {k: _one_spelling(v) for k, v in kept["overrides"].items()}
    for part, model in METHODS[str(kept["update"])].left_out_at_default.items():
        whole = model.model_validate(kept[part])
        kept[part] = whole.model_dump(mode="json", exclude_defaults=True)
    return kept


def _one_spelling(value: Any) -> Any:
    """The number of an override in one spelling."""
    if isinstance(value, list | tuple):
        return [_one_spelling(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):
        return str(number)
    return int(number) if number.is_integer() else number


def identity_of(settings: TrialSettings, numerics_version: int) -> str:
    """Hash of everything that determines a result.

    Settings at their default are left out. A later setting whose default is the old behaviour
    therefore does not change the identity of earlier trials. Finished trials keep their complete
    settings, and their identity is computed with the defaults of today.
    """
    shared = settings.model_dump(mode="json", exclude={"method"}, exclude_defaults=True)
    method = decisive(settings.method.model_dump(mode="json"))
    for path in ("file", "test_file"):  # moving a folder does not change the identity
        if path in shared["dataset"]:
            shared["dataset"][path] = Path(shared["dataset"][path]).name
    return short_hash({**shared, "method": method, "numerics_version": numerics_version})


def stored_identity(settings: object, numerics_version: object) -> str | None:
    """The identity of stored settings; None if they are not valid in this version."""
    try:
        known = TrialSettings.model_validate(settings)
    except ValidationError:
        return None
    return identity_of(known, int(str(numerics_version)))


@dataclass(frozen=True)
class Trial:
    """One training run, and its place in a study.

    Attributes:
        study: the study's name.
        label: the case.
        sweep: swept settings as (dotted path, value), in the study's order.
        is_candidate: whether it is a run of a search, which tries hyperparameters.
        stop_after: epochs after which a run of a search pauses; None: it is trained to its end.
    """

    study: str
    label: str
    sweep: tuple[tuple[str, Any], ...]
    settings: TrialSettings
    is_candidate: bool = False
    stop_after: int | None = None

    @property
    def settings_json(self) -> str:
        """The complete settings as canonical JSON."""
        return canonical(self.settings.model_dump(mode="json"))

    @cached_property
    def identity(self) -> str:
        """Hash of what determines the result; labels and study names have no influence."""
        return identity_of(self.settings, NUMERICS_VERSION)

    def images(self, data_root: Path | None) -> "Dataset":
        """The images that it is trained and tested on.

        Raises:
            InputError: images are missing, damaged, or fewer than the trial needs.
        """
        from rpu_ssnn.data import load_dataset

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
        )

    @property
    def title(self) -> str:
        """The name of the trial in progress lines and failure lists; of a search run, with what it
        tries."""
        title = f"{point_title(self.label, self.sweep)} seed {self.settings.seed}"
        return f"{title} ({self._tried})" if self.is_candidate else title

    @property
    def _tried(self) -> str:
        method = self.settings.method
        tile = getattr(method, "tile", None)
        wide = "" if tile is None else f", weight_range {tile.weight_range:g}"
        return f"learning_rate {method.learning_rate:g}{wide}"


def point_title(label: str, sweep: tuple[tuple[str, Any], ...]) -> str:
    """A case at one point of the sweep, in words."""
    if not sweep:
        return label
    return f"{label} [{', '.join(f'{path}={value}' for path, value in sweep)}]"
