"""Declares a study as validated, frozen data: what is compared, on which images and seeds.

The device names, overrides, sweeps and references of every instance have been checked.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, model_validator

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError, one_of, require
from rpu_ssnn.common.files import is_regular, user_path
from rpu_ssnn.common.validation import validated
from rpu_ssnn.data import MissingDataError, SetFacts, set_facts
from rpu_ssnn.spec import Grid, OneLine, Spec, TrainingSpec, connect
from studies.chip.description import Chip, as_chip
from studies.common.settings import value_at
from studies.declaration.cases import beside_a_study
from studies.declaration.points import Point, StudyGrid, placed_beside, refuse_files_of_one_name
from studies.declaration.search import SearchSettings
from studies.declaration.trial import Measure
from studies.declaration.update_rules.rate import RateRule

STUDY_FILE = "study.yaml"
"""Records and output folders have a study file of this name."""

MARKER_FILE = ".rpu-ssnn"
"""Only output folders have a file of this name."""

HYPERPARAMETERS_FILE = "hyperparameters.yaml"
"""The file of this name beside it gives hyperparameters by title of the point."""

_FORMULA = ("=", "+", "-", "@")
"""A spreadsheet takes a cell that begins with one of these for a formula."""

_NO_FORMULA = "must not begin with =, +, - or @, as formulas do in a spreadsheet"


def _in_percent(accuracy: float) -> float:
    if not 1.0 <= accuracy <= 100.0:
        raise ValueError("must be an accuracy in %, 1 to 100, such as 97.5 rather than 0.975")
    return accuracy


class Published(Spec):
    """Gives an accuracy that a paper reports, in %."""

    accuracy: Annotated[float, AfterValidator(_in_percent)] = Field(
        description="accuracy, 1 to 100 %"
    )
    plus_minus: Annotated[float, Field(ge=0.0, le=100.0)] | None = Field(
        None, description="uncertainty (points) as the source gives it"
    )
    source: Annotated[str, Field(min_length=1), OneLine] = Field(
        description="paper and table or figure"
    )


class Study(StudyGrid):
    """A study declares one comparison: images, network, training, cases and seeds.

    >>> from studies import Study
    >>> cases = [{"update": "rate"}, {"device": "ecram"}]
    >>> study = Study(study="mine", dataset={"name": "digits"}, cases=cases, seeds=3)
    >>> [point.title for point in study.points()]
    ['rate', 'ecram']
    """

    reference: str | None = Field(
        None,
        description="label of the case that gaps are measured against; None: the rate case, or the "
        "only case",
    )
    measure: Measure = Field(
        "test",
        description="images on which accuracies are measured after training; `validation` reads no "
        "test image and serves to choose settings",
    )
    search: SearchSettings = SearchSettings()
    chip: Annotated[Chip | None, BeforeValidator(as_chip)] = Field(
        None,
        description="chip around the devices, for the ledger: its keys, or a shipped chip's name",
    )
    published: dict[str, Published] = Field(
        {}, description="accuracies that papers report, shown beside the case of this label"
    )
    quoted: dict[Annotated[str, Field(min_length=1), OneLine], Published] = Field(
        {}, description="accuracies that papers report of networks that no case here runs"
    )

    _where: str = PrivateAttr("")

    @property
    def where(self) -> str:
        """Returns the file of the study, or its name if there is no file, for later errors."""
        return self._where or self.study

    @property
    def hyperparameters_file(self) -> Path | None:
        """Returns the path for hyperparameters of earlier searches; the file need not exist.

        Beside a `study.yaml` it is `hyperparameters.yaml`, beside any other `NAME.yaml` it is
        `hyperparameters/NAME.yaml`, and for a study made in Python it is None.
        """
        if not self._where:
            return None
        path = Path(self._where)
        if path.name == STUDY_FILE:
            return path.with_name(HYPERPARAMETERS_FILE)
        return path.parent / "hyperparameters" / path.name

    @model_validator(mode="after")
    def _is_runnable(self) -> Self:
        labels = [case.name for case in self.cases]
        for index, label in enumerate(labels):
            allowed = "must differ from the names of other cases; give one of them a `label`"
            require(label not in labels[:index], "study", f"case {index + 1}.label", label, allowed)
        named = [(f"case {number}.label", label) for number, label in enumerate(labels, 1)]
        for field, name in (*named, *(("quoted", name) for name in self.quoted)):
            require(not name.startswith(_FORMULA), "study", field, name, _NO_FORMULA)
        allowed = f"{one_of(labels)}; it may be left out only if exactly one case is a rate case"
        has_reference = self.reference is not None or len(self._references) == 1
        require(has_reference, "study", "reference", None, allowed)
        if self.reference is not None and self.reference not in labels:
            raise InputError("study", "reference", self.reference, one_of(labels, self.reference))
        for label in self.published:
            require(label in labels, "study", "published", label, one_of(labels, label))
        for label in self.quoted:
            allowed = "must not be the label of a case, which belongs under `published`"
            require(label not in labels, "study", "quoted", label, allowed)
        points = self.points()
        refuse_files_of_one_name(points)
        held_out = self.search.validation_share or self.dataset.validation_share
        allowed = (
            "must be above 0, unless search.validation_share is given, since hyperparameters "
            "that a case does not give are searched on held-out samples"
        )
        searchable = held_out > 0 or all(point.hyperparameters is not None for point in points)
        require(searchable, "study", "dataset.validation_share", 0.0, allowed)
        allowed = "must be above 0 with `measure: validation`"
        measurable = self.measure == "test" or all(p.dataset.validation_share for p in points)
        require(measurable, "study", "dataset.validation_share", 0.0, allowed)
        return self

    @property
    def reference_label(self) -> str:
        """Returns the label of the case that gaps are measured against."""
        return self._references[0] if self.reference is None else self.reference

    @property
    def _references(self) -> list[str]:
        """Returns the labels of the rate cases or, if there are none, of all cases."""
        of_rate = [case.name for case in self.cases if isinstance(case.rule, RateRule)]
        return of_rate or [case.name for case in self.cases]

    @property
    def default_folder(self) -> Path:
        """Returns the output folder of the study when the user names none: the one that its file
        lies in, or else one named after it."""
        own = Path(self._where).parent
        return own if self._where and is_regular(own / MARKER_FILE) else Path("out") / self.study

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Returns the study with new settings, which are checked; points are built anew.

        Raises:
            InputError: the study with these settings is not valid.
        """
        copied = validated(type(self), {**dict(self), **(update or {})}, "", self.where)
        copied._where = self._where
        return copied.__deepcopy__() if deep else copied


def parse_study(content: object, where: object, folder: Path) -> Study:
    """Returns a study from the content of a YAML file.

    Args:
        where: the name of the file, for errors.
        folder: the folder where relative paths of the study start.

    Raises:
        InputError: the content is not a valid study.
    """
    if not isinstance(content, dict):
        raise InputError(where, "content", content, "must be a mapping with the keys of a study")
    start = (folder / user_path(str(where), "folder", content.get("folder", "."))).absolute()
    user_path(str(where), "folder", start)  # the path may now include the working directory
    content = {**content, "folder": start}
    if isinstance(content.get("dataset"), dict):
        content = {**content, "dataset": placed_beside(content["dataset"], start)}
    if isinstance(content.get("cases"), list):
        numbered = enumerate(content["cases"], 1)
        placed = [beside_a_study(case, folder, str(where), n) for n, case in numbered]
        content = {**content, "cases": placed}
    study = validated(Study, content, "", where)
    study._where = str(where)
    return study


def load_study(path: Path | str) -> Study:
    """Returns a study from its YAML file.

    >>> from studies import load_study
    >>> load_study("my_study.yaml").question  # doctest: +SKIP
    'Which device loses least?'

    Raises:
        InputError: the file is unreadable, not YAML, or not a valid study.
    """
    path = user_path("load_study", "path", path)
    return parse_study(strict_yaml.read(path), path, path.parent)


DEFAULT_BATCH = TrainingSpec().batch
"""The default batch is never refused, because the user did not choose it."""


def refuse_missing_images(study: Study, data_root: Path | None, *, needed: bool) -> None:
    """Compares the study's numbers of images with the headers of the data set's files.

    Args:
        data_root: folder with the images; None means the environment variable RPU_SSNN_DATA.
        needed: whether the images must be there, as rows without any missing trial do not need
            them.

    Raises:
        MissingDataError: the images are missing, but needed.
        InputError: the study asks for more images than there are, none would be held out, a batch
            has more images than are trained on, convolutions do not fit the images, the time is
            to be shuffled in data that are not recorded spikes, or recorded spikes are to have a
            contrast. The error names the study's file and key.
    """
    known: dict[str, SetFacts] = {}
    try:
        for point in study.points():
            own = point.dataset.own
            name = point.dataset.name if own is None else own.model_dump_json()
            if name not in known:
                known[name] = set_facts(point.dataset.name, data_root, own)
            _refuse_unfit(study, point, known[name])
    except MissingDataError:
        if needed:
            raise


def _refuse_unfit(study: Study, point: Point, facts: SetFacts) -> None:
    """Raises an InputError for a setting of a point that the data set cannot fulfil."""
    dataset, contrast = point.dataset, point.network.encoding.contrast

    def check(holds: bool, section: str, key: str, value: object, allowed: str) -> None:
        require(holds, study.where, _place(study, point, section, key), value, allowed)

    for name, there in zip(("n_train", "n_test"), facts.counts, strict=True):
        asked = getattr(dataset, name)
        allowed = f"must be at most {there}, the number of samples that there are"
        check(asked is None or asked <= there, "dataset", name, asked, allowed)
    drawn = facts.counts[0] if dataset.n_train is None else dataset.n_train
    share = dataset.validation_share
    least = f"above {0.5 / drawn:.3g}"
    right = f"0 or {least}" if drawn > 1 else "0"
    none = f"as it holds out none of {drawn} samples"
    allowed = f"must be {right}, or dataset.n_train must be larger, {none}"
    check(_holds_out(share, drawn), "dataset", "validation_share", share, allowed)
    trained, batch = drawn - round(share * drawn), point.training.batch
    allowed = f"must be at most {trained}, the number of samples that are trained on"
    check(batch <= max(trained, DEFAULT_BATCH), "training", "batch", batch, allowed)
    plain, allowed = contrast == "none", "must be none, as the data are spikes"
    check(plain or not facts.recorded, "network", "encoding.contrast", contrast, allowed)
    slots, first = point.network.T, facts.first_slot
    allowed = f"must be above {first}, or spikes.bin longer, as no training spike is before that"
    check(slots > first, "network", "T", slots, allowed)
    allowed = "must be left out, because these data are not recorded spikes"
    check(dataset.time == "kept" or facts.recorded, "dataset", "time", dataset.time, allowed)
    searched = study.search.validation_share or share
    held = point.hyperparameters is not None or _holds_out(searched, drawn)
    allowed = f"must be {least}, or dataset.n_train larger, to hold samples out"
    require(held, study.where, "search.validation_share", searched, allowed)
    if point.network.layers is not None:
        _refuse_layers(study, point, facts.image_shape)


def _refuse_layers(study: Study, point: Point, shape: Grid | None) -> None:
    """Raises an InputError if a convolution does not fit images of this shape."""
    image = None
    if shape is not None:
        rows, columns, channels = shape
        image = rows, columns, channels * (1 if point.network.encoding.contrast == "none" else 2)
    try:
        connect(point.network.hidden_layers, math.prod(image or (1,)), 1, image)
    except InputError as error:
        field = _place(study, point, "network", "layers") + error.field.removeprefix("layers")
        raise InputError(study.where, field, error.value, error.allowed) from None


def _place(study: Study, point: Point, section: str, key: str) -> str:
    """Returns the key that gives a setting, in the sweep, in a case, or in the study's section."""
    for path, _ in point.sweep:
        if path in (section, f"{section}.{key}"):
            return f"sweep.{path}"
    number, case = next((n, c) for n, c in enumerate(study.cases, 1) if c.name == point.label)
    in_case = section != "dataset" and value_at(getattr(case, section), key) is not None
    return f"case {number}.{section}.{key}" if in_case else f"{section}.{key}"


def _holds_out(share: float, n_images: int) -> bool:
    return share == 0 or round(share * n_images) > 0
