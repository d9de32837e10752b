"""Merges and validates the settings of each case at every point of the study's sweep."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from rpu_ssnn.common.errors import Fault, InputError, meant, nearest, one_of, require
from rpu_ssnn.common.files import user_path
from rpu_ssnn.common.validation import paths_of, validated
from rpu_ssnn.data import DATASET_NAMES
from rpu_ssnn.spec import NetworkSpec, Spec, TrainingSpec
from studies.common.settings import canonical, leaves, merged, value_at, with_value
from studies.declaration.cases import Case, Seeds, paths_in_case
from studies.declaration.devices import device_of, one_spelling, with_named_circuit
from studies.declaration.trial import DatasetSettings, Measure, Trial, TrialSettings, point_title
from studies.declaration.update_rules.base import Hyperparameters, Rule
from studies.declaration.update_rules.on_device import DeviceRule


@dataclass(frozen=True)
class SweepAxis:
    """Describes one axis of the grid, whose settings vary together.

    Attributes:
        where: key of the study that declares the axis, for errors.
        paths: dotted paths of the settings.
        rows: the points of the axis, each with a value for every path.
    """

    where: str
    paths: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


SWEPT_IN_ALL = ("dataset",)
"""Paths that begin with one of these apply to all cases."""

MOST_POINTS = 10_000
"""A study has at most this many points, summed over cases; each is merged and validated."""

MOST_RUNS = 100_000
"""A study has at most this many runs: points times their seeds."""


def _listed(values: object) -> object:
    """Refuses a mapping of values, as where paths are written as sections."""
    if isinstance(values, Mapping):
        raise ValueError("must be a list of values, with dots in its path, as in network.T")
    return values


Values = Annotated[list[Any], BeforeValidator(_listed), Field(min_length=1, max_length=MOST_POINTS)]


@dataclass(frozen=True)
class Point:
    """Holds a case at one point of the grid, before seeds and searched hyperparameters are known.

    Attributes:
        rule: the update rule, complete except for hyperparameters that are searched.
        hyperparameters: hyperparameters that the study gives; None if they are to be searched.
        seeds: the seeds of the case, or else those of the study.
    """

    label: str
    sweep: tuple[tuple[str, Any], ...]
    dataset: DatasetSettings
    network: NetworkSpec
    training: TrainingSpec
    rule: Rule
    hyperparameters: Hyperparameters | None
    seeds: tuple[int, ...]

    @property
    def title(self) -> str:
        """Returns the case and its swept settings in words, the key of found hyperparameters."""
        return point_title(self.label, self.sweep)

    def trial(
        self, study: str, tried: Hyperparameters, seed: int, measure: Measure = "test"
    ) -> Trial:
        """Returns the run of this point with one seed."""
        settings = TrialSettings.model_validate(
            {
                "dataset": self.dataset,
                "network": self.network,
                "training": self.training,
                "method": self.rule.tuned(tried).of_seed(seed),
                "seed": seed,
                "measure": measure,
            }
        )
        return Trial(study=study, label=self.label, sweep=self.sweep, settings=settings)


class StudyGrid(Spec):
    """Holds the part of a study from which its points follow: settings, cases, sweep and seeds."""

    model_config = ConfigDict(ser_json_inf_nan="constants")  # writes infinity as `.inf` again

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=60)] = Field(
        description="name of the study and of its default output folder"
    )
    question: str = Field("", description="the question that the study asks")
    folder: Path = Field(
        Path(), description="where relative paths of data files start; default: beside this file"
    )
    dataset: DatasetSettings
    network: Annotated[NetworkSpec, BeforeValidator(with_named_circuit)] = NetworkSpec()
    training: TrainingSpec = TrainingSpec()
    cases: Annotated[tuple[Case, ...], Field(min_length=1, max_length=MOST_POINTS)]
    sweep: dict[str, Values] = Field(
        {},
        description="values by dotted path; each case that has the path and does not set it itself "
        "runs at every point of their grid",
    )
    together: tuple[Annotated[dict[str, Values], Field(min_length=1)], ...] = Field(
        (), description="groups of settings that vary together: equally many values by dotted path"
    )
    seeds: Seeds = Field(description="a list, or a number n (also {count: n}): seeds 0 to n - 1")

    @classmethod
    def also_at(cls, key: object) -> list[str]:
        """Returns where a case in a device has a setting, for `paths_of`."""
        return [f"cases.{path}" for path in paths_of(DeviceRule, key)]

    def points(self) -> list[Point]:
        """Returns every case at every point of the grid of the axes that apply to it.

        A path applies to a case that has this setting and does not set it itself. If settings vary
        together, a case takes only those that apply to it.

        Raises:
            InputError: a merged setting is invalid, a swept path does not apply to any case, or
                there are too many points or runs.
        """
        return list(self._built_points)

    @property
    def varied(self) -> list[str]:
        """Returns the paths of all settings that the study varies."""
        return [path for axis in self._axes for path in axis.paths]

    @cached_property
    def _axes(self) -> list[SweepAxis]:
        """Returns the axes whose product is the grid, outermost first."""
        groups = [("sweep", {path: values}) for path, values in self.sweep.items()]
        groups += [(f"together {index}", group) for index, group in enumerate(self.together, 1)]
        axes, seen = [], dict[str, str]()
        for where, columns in groups:
            first = len(next(iter(columns.values())))
            for path, values in columns.items():
                allowed = f"must have {first} values, as many as the first setting of this group"
                require(len(values) == first, "study", f"{where}.{path}", list(values), allowed)
                allowed = "must be keys with dots between, as in network.T; lists vary as a whole"
                keys = path.split(".")
                require(all(map(str.isidentifier, keys)), "study", where, path, allowed)
                allowed = f"must be varied only once, and {seen.get(path)} varies it already"
                require(path not in seen, "study", f"{where}.{path}", path, allowed)
                seen[path] = where
            rows = tuple(zip(*columns.values(), strict=True))
            axes.append(SweepAxis(where, tuple(columns), rows))
        return axes

    @cached_property
    def _built_points(self) -> list[Point]:
        for number, case in enumerate(self.cases, start=1):
            if isinstance(case.rule, DeviceRule):
                device_of(case.rule.device, f"case {number}.device")
        for axis in self._axes:
            for place, path in enumerate(axis.paths):
                values = [row[place] for row in axis.rows]
                field = f"{axis.where}.{path}"
                if not any(_applies(path, case) for case in self.cases):
                    raise InputError("study", field, values, _sweepable(path, self.cases))
                # Settings that vary together may repeat a value. 1, 1.0 and "1" make one trial.
                once = axis.where != "sweep" or len(set(map(_one_spelling, values))) == len(values)
                require(once, "study", field, values, "must name each value only once")
        self._refuse_too_many()
        cases = [(f"case {number}", case) for number, case in enumerate(self.cases, start=1)]
        return [point for where, case in cases for point in self._of_case(case, where)]

    def _refuse_too_many(self) -> None:
        """Refuses more points or runs than fit into memory and tables, before any is built."""
        points = [
            math.prod(len(a.rows) for a in self._axes if any(_applies(p, case) for p in a.paths))
            for case in self.cases
        ]
        seeds = [len(case.seeds or self.seeds) for case in self.cases]
        runs = math.sumprod(points, seeds)
        for number, what, most in ((sum(points), "points", MOST_POINTS), (runs, "runs", MOST_RUNS)):
            allowed = f"must be at most {most} {what} in all cases together"
            where = self._axes[0].where if self._axes else "cases"
            require(number <= most, "study", where, Fault(f"{number} {what}"), allowed)

    def _of_case(self, case: Case, where: str) -> Iterator[Point]:
        for path, value in leaves({"network": case.network, "training": case.training}):
            allowed = f"must be left out, as it has no effect on the rule {case.rule.short_name}"
            require(case.rule.has_effect(path), "study", f"{where}.{path}", value, allowed)
        shared = self.model_dump(include={"dataset", "network", "training"})
        varied = [part for axis in self._axes if (part := _for_case(axis, case)) is not None]
        declared = {path: axis.where for axis in varied for path in axis.paths}
        for rows in itertools.product(*(axis.rows for axis in varied)):
            swept = tuple(zip(declared, itertools.chain.from_iterable(rows), strict=True))
            given = [path for path, _ in (*leaves(case.sections), *swept)]
            sections = merged(_without_replaced_layers(shared, given), case.sections)
            for path, value in swept:
                sections = with_value(sections, path, value)
            try:
                if isinstance(sections["dataset"], dict):
                    sections["dataset"] = placed_beside(sections["dataset"], self.folder)
                yield _build(case, swept, sections, case.seeds or self.seeds)
            except InputError as error:
                # The error should name the place of the bad value, in the sweep or in the case.
                shared_by_all = error.field.split(".")[0] in SWEPT_IN_ALL
                field = error.field if shared_by_all else f"{where}.{error.field}"
                bad = f"{error.field}."
                for path, _ in swept:
                    if bad.startswith(f"{path}.") or path.startswith(bad):
                        field = f"{declared[path]}.{path}"
                raise InputError("study", field, error.value, error.allowed) from error


def placed_beside(dataset: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Returns the settings of a data set with paths made absolute from the folder."""
    here = {
        key: (folder / user_path("study", f"dataset.{key}", dataset[key])).absolute()
        for key in ("file", "test_file")
        if isinstance(dataset.get(key), str) and dataset[key]
    }
    return dataset | here


def refuse_files_of_one_name(points: Sequence[Point]) -> None:
    """Refuses files of the same name in different folders, since a trial keeps only the name.

    Raises:
        InputError: two files have the same name.
    """
    for field in ("file", "test_file"):
        known: dict[str, Path] = {}
        for point in points:
            file = getattr(point.dataset, field)
            if file is not None:
                other = known.setdefault(file.name, file)
                allowed = f"must have another name than {other}, as rows keep no folder"
                require(other == file, "study", f"dataset.{field}", str(file), allowed)


def _without_replaced_layers(shared: dict[str, Any], given: Sequence[str]) -> dict[str, Any]:
    """Returns the settings that all cases share, without hidden layers if a case gives others."""
    kinds = ("hidden", "layers")
    if not any(f"network.{kind}" in given for kind in kinds):
        return shared
    network = {name: value for name, value in shared["network"].items() if name not in kinds}
    return {**shared, "network": network}


def _for_case(axis: SweepAxis, case: Case) -> SweepAxis | None:
    """Returns the part of an axis that applies to the case, without repeated rows, or None."""
    places = [place for place, path in enumerate(axis.paths) if _applies(path, case)]
    if not places:
        return None
    parts = ([row[k] for k in places] for row in axis.rows)
    rows = {tuple(map(_one_spelling, part)): part for part in parts}
    return SweepAxis(
        axis.where, tuple(axis.paths[k] for k in places), tuple(map(tuple, rows.values()))
    )


def _build(
    case: Case, swept: tuple[tuple[str, Any], ...], sections: dict[str, Any], seeds: tuple[int, ...]
) -> Point:
    try:
        given = with_named_circuit(sections["network"])  # a sweep may name circuits
    except InputError as error:
        raise InputError("study", f"network.{error.field}", error.value, error.allowed) from error
    network = validated(NetworkSpec, given, "network")
    training = validated(TrainingSpec, sections["training"], "training")
    rule = case.rule_at(sections).prepared(network, training)
    network, training = rule.reduced(network, training)
    return Point(
        label=case.name,
        sweep=swept,
        dataset=_dataset(sections),
        network=network,
        training=training,
        rule=rule,
        hyperparameters=rule.given(),
        seeds=seeds,
    )


def _dataset(sections: dict[str, Any]) -> DatasetSettings:
    dataset = validated(DatasetSettings, sections["dataset"], "dataset")
    if dataset.file is not None:
        allowed = "must be a name that no standard set has, as the data are your own"
        require(dataset.name not in DATASET_NAMES, "study", "dataset.name", dataset.name, allowed)
    elif dataset.name not in DATASET_NAMES:
        allowed = one_of(DATASET_NAMES, dataset.name) + "; give your own data as {file: FILE}"
        raise InputError("study", "dataset.name", dataset.name, allowed)
    return dataset


def _applies(path: str, case: Case) -> bool:
    """Says whether the case has the setting and does not set it itself."""
    prefixes = (*SWEPT_IN_ALL, *case.swept())
    if not any(path == prefix or path.startswith(f"{prefix}.") for prefix in prefixes):
        return False
    return case.rule.has(path) and value_at(case.sections, path) is None


def _one_spelling(value: Any) -> str:
    """Returns the same text for 1, 1.0 and "1", which make the same trial."""
    return canonical(one_spelling(value))


def _sweepable(path: str, cases: Sequence[Case]) -> str:
    """Returns the paths that can be swept, for the error message."""
    if any(value_at(case.sections, path) not in (None, {}) for case in cases):
        return "must be removed here or from the cases, as every case that has it sets it itself"
    on_devices = [case.rule for case in cases if isinstance(case.rule, DeviceRule)]
    parameters = dict.fromkeys(name for rule in on_devices for name in rule.as_shipped.parameters)
    if path.startswith("overrides.") and on_devices:
        return one_of([f"overrides.{n}" for n in parameters], path)
    named = dict.fromkeys(one for case in cases for one in paths_in_case(type(case.rule), path))
    if named:
        return f"must start with its section: {' or '.join(named)}"
    starts = dict.fromkeys((*SWEPT_IN_ALL, *(prefix for case in cases for prefix in case.swept())))
    unset = f"must be a setting that a case has and does not set itself, in {', '.join(starts)}"
    return meant(nearest(starts, path)) + unset
