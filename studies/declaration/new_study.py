"""Writes a study for given data, whose settings follow from the classes, samples and values.

The settings were chosen on held-out samples (docs/findings/algorithm.md, Many classes).
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError, one_of, require, require_kind, several
from rpu_ssnn.common.files import user_path
from rpu_ssnn.data import DATASET_NAMES
from rpu_ssnn.data.named import NAMED_SETS
from rpu_ssnn.data.rows import Source
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.data.user_data import read_own
from rpu_ssnn.data_spec import OwnData
from studies.common.templates import rendered
from studies.declaration.devices import beside_study, compound_of, device_of, with_files
from studies.declaration.study import parse_study

TEST_SHARE = 0.2
"""This share of the rows become test rows if a file has none."""

FEW = 5_000
"""With fewer training samples the network is small and a fifth is held out."""

QUICK = {"n_train": 4_000, "n_test": 2_000}
"""A quick look has at most these numbers of training and test samples."""

LEAST_PRESENTATIONS = 20_000
"""A training has at least this many presentations, unless 100 epochs have fewer."""

FEW_CLASSES = 10
"""With more classes, the output layer has a larger step, weights start small, and answers take
longer."""

LEAST_SIDE = 5
"""From this number of rows and columns on, two convolutions of kernel 3 fit."""

UNLIKE = 3.0
"""If the ranges of columns differ by more than this factor, each column is scaled by itself."""


@dataclass(frozen=True)
class DataFacts:
    """Holds the facts about data from which the settings of a study follow.

    Attributes:
        n_train: number of samples for training and validation.
        n_test: number of samples for the test.
        values: number of values in a sample.
        shape: of a sample, with one number for a vector, like a row of a table.
        background: share of the training values that are the lowest one; if the columns are
            `unlike`, that of the median column, each with its own lowest value.
        unlike: whether the columns of such a table span very different ranges.
        split: whether the data have separate test rows.
        rarest: the class with the fewest training samples, and their number.
    """

    n_train: int
    n_test: int
    values: int
    shape: tuple[int, ...]
    classes: int
    background: float
    unlike: bool
    split: bool
    rarest: tuple[str, int]

    @property
    def few(self) -> bool:
        """Says whether there are few training samples."""
        return self.n_train < FEW

    @property
    def many_classes(self) -> bool:
        """Says whether there are many classes."""
        return self.classes > FEW_CLASSES


def new_study(
    data: str | Path,
    devices: str | Sequence[str] = ("charge_trap",),
    *,
    name: str | None = None,
    folder: Path | str = ".",
    label: str = "label",
    test_file: Path | str | None = None,
    root: Path | None = None,
    quick: bool = False,
    conv: bool = False,
) -> str:
    """Returns the YAML text of a study of your own data or of a standard set.

    The study compares the float network, float weights trained by rates and by coincidences, and
    each device trained by spikes and by numbers. The settings that depend on the data are written
    out, and every hyperparameter is searched on held-out samples.

    >>> from studies import new_study
    >>> print(new_study("digits", "ecram", name="mine").splitlines()[2])
    study: mine

    Args:
        data: a file (`rpu_ssnn.data_spec.OwnData.file`), or the name of a standard set.
        devices: one or several devices, each named as in a case.
        name: name of the study; None takes that of the data.
        folder: folder of the study file, to which paths in the text are relative.
        label: column of the class in CSV and Parquet files.
        test_file: the file of the test rows, if they are in a separate file.
        root: folder of the standard sets; None means the environment variable RPU_SSNN_DATA.
        quick: whether to take a first look at few of the samples, with three seeds.
        conv: whether two convolutions take the place of the dense hidden layer.

    Raises:
        InputError: the data cannot be read, are recorded spikes, or have no rows and columns for
            convolutions; or a device does not exist or cannot be trained by pulses both ways.
    """
    allowed = "must be a file, as numpy.savez writes one, or the name of a standard set"
    require(isinstance(data, str | Path), "new", "data", data, allowed)
    for option, value in (("quick", quick), ("conv", conv)):
        require_kind("new", option, value, bool)
    place = user_path("new", "folder", folder).absolute()
    devices = list(dict.fromkeys(several("new", "devices", devices)))
    name = study_name(data) if name is None else name
    require_kind("new", "name", name, str)
    if str(data) in DATASET_NAMES:
        dataset, facts = _standard_set(str(data), test_file, label, root)
    else:
        dataset, facts = _own_data(data, test_file, label, place)
    allowed = f"must have {LEAST_SIDE} rows and columns or more for --conv, in an array [n, rows, "
    allowed += "columns] or [n, rows, columns, channels]"
    image = len(facts.shape) in (2, 3) and min(facts.shape[:2]) >= LEAST_SIDE
    require(image or not conv, data, "shape of a sample", facts.shape, allowed)
    few: dict[str, Any] = {n: most for n, most in QUICK.items() if most < getattr(facts, n)}
    fewer = few if quick else {}
    used = replace(facts, **fewer)
    dataset |= {**fewer, "validation_share": 0.2 if used.few else 0.1}
    text = rendered(
        Path(__file__).with_name("new_study.yaml.j2"),
        name=name,
        question=_question(study_name(data), used.n_train, facts.n_train if quick else None),
        dataset=dataset,
        facts=used,
        epochs=min(max(round(LEAST_PRESENTATIONS / used.n_train), 10), 100),
        devices=[_device(device, place) for device in devices],
        conv=conv,
        quick=quick,
    )
    parse_study(strict_yaml.load(text), f"{name}.yaml", place)
    return text


def _standard_set(
    name: str, test_file: Path | str | None, label: str, root: Path | None
) -> tuple[dict[str, Any], DataFacts]:
    """Returns the section `dataset` of a study of a standard set, and the facts of its data."""
    allowed = "must be left out with a standard set"
    require(test_file is None, "new", "--test-file", str(test_file), allowed)
    require(label == "label", "new", "--label", label, allowed)
    return {"name": name}, _facts(NAMED_SETS[name](root), name, split=True)


def _own_data(
    data: str | Path, test_file: Path | str | None, label: str, folder: Path
) -> tuple[dict[str, Any], DataFacts]:
    """Returns the section `dataset` of a study file in this folder, and the facts of the data."""
    file = user_path("new", "data", data)
    allowed = f"{one_of(DATASET_NAMES, data)}, or a file"
    require(file.suffix or file.exists(), "new", "data", str(data), allowed)
    for field, path in (("data", data), ("--test-file", test_file)):
        there = path is None or user_path("new", field, path).exists()
        require(there, "new", field, str(path), "must exist, as a file or a folder")
    dataset: dict[str, Any] = {"file": _relative(file, folder)}
    if file.stem in DATASET_NAMES:
        dataset["name"] = f"my_{file.stem}"
    if test_file is not None:
        dataset["test_file"] = _relative(Path(test_file).expanduser(), folder)
    if label != "label":
        dataset["label"] = label
    facts = _facts_of_file(file, test_file, label)
    if not facts.split:
        dataset["test_share"] = TEST_SHARE
    if facts.unlike:
        dataset["range"] = "each"
    return dataset, facts


def study_name(data: str | Path) -> str:
    """Returns a name for a study of these data, of letters, digits, _ and -."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(data).stem).strip("_-")[:40] or "my_data"


def _facts_of_file(file: Path, test_file: Path | str | None, label: str) -> DataFacts:
    own = OwnData(file=file, label=label, test_file=None if test_file is None else Path(test_file))
    try:
        return _facts(read_own(own), file, split=True)
    except InputError as error:
        if error.field != "test_share":
            raise
    split = own.model_copy(update={"test_share": TEST_SHARE})
    return _facts(read_own(split), file, split=False)


def _facts(source: Source, where: object, *, split: bool) -> DataFacts:
    rows = source.train_images
    if isinstance(rows, SpikeTrains):
        allowed = "must be values; write a study of recorded spikes by hand (own_data.md)"
        raise InputError(where, "data", "recorded spikes", allowed)
    widths = np.ptp(rows.astype(np.float64), axis=0)
    widths, vector = widths[widths > 0], len(source.shape) == 1
    unlike = vector and len(widths) > 0 and float(widths.max() / widths.min()) > UNLIKE
    counts = np.bincount(source.train_labels)
    at_lowest = np.mean(rows == (rows.min(axis=0) if unlike else rows.min()), axis=0)
    return DataFacts(
        n_train=len(rows),
        n_test=len(source.test_labels),
        values=rows.shape[1],
        shape=source.shape,
        classes=source.n_classes,
        background=float(np.median(at_lowest) if unlike else at_lowest.mean()),
        unlike=unlike,
        split=split,
        rarest=(source.class_names[counts.argmin()], int(counts.min())),
    )


def _device(device: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Returns the keys of a device's case, and what its fit has left out.

    Args:
        folder: folder of the study, to which paths are relative.
    """
    placed = beside_study(device, Path().absolute(), "new", "--device")
    try:
        simulated = device_of(placed)
    except InputError as error:
        raise InputError("new", "--device", device, error.allowed) from error

    def seen_from_folder(path: str) -> str:
        is_own = os.path.isabs(path)  # a shipped table has only a name
        return Path(os.path.relpath(path, folder)).as_posix() if is_own else path

    case: dict[str, Any] = {"device": with_files(placed, seen_from_folder)}
    if compound_of(device) is None:
        case["tile"] = {"simulator": "native"}
        ratio = simulated.parameters.get("on_off_ratio")
        if ratio is not None and ratio.value is not None:
            case["tile"]["reference"] = {"on_off_ratio": ratio.value}
    assumptions = (parameter.assumption or "" for parameter in simulated.parameters.values())
    return case, [text for text in assumptions if text.startswith("left out")]


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _question(name: str, samples: int, of: int | None) -> str:
    """Returns the question of a study, which says how many samples a quick look takes of all."""
    question = f"What do devices lose on {name}, and is it due to the device or the spikes?"
    if of is None:
        return question
    some = "all" if samples == of else f"{samples:,} of"
    return (
        f"{question} A quick look: {some} {of:,} training samples, a fifth of them held out, and "
        "three seeds, which detect only large losses."
    )
