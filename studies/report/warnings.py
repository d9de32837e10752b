"""What a reader of the results must know before believing them, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import counted
from studies.declaration import pruning, sequential_stopping
from studies.declaration.hyperparameters import (
    grid,
    search_key,
)
from studies.declaration.result import Runs
from studies.declaration.search import at_edge, shared_seeds
from studies.declaration.study import Study
from studies.declaration.trial import point_title
from studies.execution.hyperparameter_search import stored_hyperparameters
from studies.execution.study_runs import FolderContents
from studies.results import divergence
from studies.results.result_folder import ResultFolder
from studies.results.summary import swept_columns
from studies.results.tables import Versions, read_failures

if TYPE_CHECKING:
    import pandas as pd

SATURATED_FROM = 0.05
"""Share of devices at a bound from which it is worth a word."""

FEWEST_SEEDS = 3
"""Below it neither spread nor significance means much."""

_NAMED = 8
"""Names in one sentence; more are counted."""


def cautions(
    found: FolderContents, root: Path, results: pd.DataFrame, damaged: Sequence[InputError]
) -> list[str]:
    """All that apply, what is missing first."""
    return [
        *_missing(found),
        *_failed(root),
        *(f"{line}." for line in sequential_stopping.sentences(found.study.until, found.points)),
        *(f"{line}." for line in pruning.sentences(found.pruned)),
        *(f"{_by_name(error)}: the damaged file is left out." for error in damaged),
        *_versions(found.runs),
        *_few_seeds(results),
        *_saturated(results),
        *(f"{line}." for line in divergence.sentences(found.runs)),
        *_edges(found.study, root),
        *_not_replayable(results),
    ]


def _missing(found: FolderContents) -> Iterator[str]:
    there = {(trial.label, str(trial.sweep), trial.settings.seed) for trial, _ in found.runs}
    missing = [
        f"{one.title} seed {seed}"
        for one in found.points
        for seed in one.seeds
        if (one.point.label, str(one.point.sweep), seed) not in there
    ]
    if missing:
        have = counted(len(missing), "trial has", "trials have")
        yield f"{have} no row (yet): {_named(missing)}."


def _failed(root: Path) -> Iterator[str]:
    for failure in read_failures(root):
        yield f"The last run failed at {failure.title}: {failure.message}"


def _versions(runs: Runs) -> Iterator[str]:
    versions = {Versions.of(result) for _, result in runs}
    if len(versions) > 1:
        listed = "; ".join(
            sorted(", ".join(f"{k} {v}" for k, v in vars(v).items()) for v in versions)
        )
        yield f"The rows were made under different versions: {listed}."


def _few_seeds(results: pd.DataFrame) -> Iterator[str]:
    points = results.groupby(["label", *swept_columns(results)], sort=False, dropna=False)
    few = list(dict.fromkeys(str(key[0]) for key, runs in points if len(runs) < FEWEST_SEEDS))
    if few:
        yield (
            f"Fewer than {FEWEST_SEEDS} seeds, so that intervals and tests mean little: "
            f"{_named(few)}."
        )


def _saturated(results: pd.DataFrame) -> Iterator[str]:
    shares = results.assign(share=results["saturated_fraction"].astype(float))
    largest = shares.groupby("label", sort=False)["share"].max()
    for label, share in largest[largest > SATURATED_FROM].items():
        yield (
            f"{label}: up to {100 * share:.0f} % of its devices end at one of their bounds; a "
            "wider weight range or a smaller step may do better."
        )


def _edges(study: Study, root: Path) -> Iterator[str]:
    drives = stored_hyperparameters(study, ResultFolder(root))
    shared = shared_seeds(study, drives)
    if shared:
        yield f"{shared[0].upper()}{shared[1:]}."
    for point in study.points():
        if point.drive is not None:
            continue
        found = drives.get(search_key(point, study.search))
        edges = () if found is None else at_edge(found.drive, grid(point, study.search))
        if found is not None and found.bound is not None:
            title = point_title(point.label, point.sweep)
            yield f"The search for {title} ended with {found.bound}."
        elif found is not None and edges:
            at = ", ".join(f"{name} {getattr(found, name):g}" for name in edges)
            yield (
                f"{point_title(point.label, point.sweep)} is driven at the edge of the grid that "
                f"was searched ({at}): better may lie beyond."
            )


def _not_replayable(results: pd.DataFrame) -> Iterator[str]:
    if "replayable" not in results.columns:
        return
    labels = list(dict.fromkeys(results.loc[results["replayable"] == False, "label"]))  # noqa: E712
    if labels:
        yield (
            f"Not replayable bit for bit, since aihwkit's own noise cannot be seeded: "
            f"{_named(labels)}. A second run gives other numbers of the same kind."
        )


def _by_name(error: InputError) -> str:
    """The fault with the file's name alone: the report leaves the machine it was made on."""
    return str(InputError(Path(error.where).name, error.field, error.value, error.allowed))


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
