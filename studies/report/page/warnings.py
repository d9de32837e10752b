"""Warns the reader of results that are incomplete or say less than they seem to."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import counted, listed
from studies.common.statistics import FEWEST_SEEDS
from studies.declaration.hyperparameters import chosen_on_shown_images
from studies.declaration.trial import Runs
from studies.execution.study_runs import FolderContents
from studies.results import caveats
from studies.results.grouping import by_point
from studies.results.store import Versions
from studies.results.tables import read_failures

SATURATED_FROM = 0.05
"""A case with more than this share of devices at a bound gets a warning."""


def warnings_of(found: FolderContents, root: Path, results: pd.DataFrame) -> list[str]:
    """Returns all warnings that apply, starting with missing trials."""
    return [
        *_missing(found),
        *(f"The last run failed at {one.title}: {one.message}" for one in read_failures(root)),
        *(f"Left out: {_by_name(error)}." for error in found.faults),
        *(f"{line}." for line in found.not_shown),
        *_versions(found.runs),
        *_few_seeds(results),
        *caveats.of_images(found.runs),
        *caveats.of_chance(found.study, found.runs),
        *caveats.of_alike_devices(found.runs),
        *_saturated(results),
        *caveats.of_accuracy_that_fell(found.runs),
        *(f"{line}." for line in chosen_on_shown_images(found.study, found.hyperparameters)),
        *_not_replayable(results),
    ]


def _missing(found: FolderContents) -> Iterator[str]:
    there = {trial.title for trial, _ in found.runs}
    needed = (f"{one.title} seed {seed}" for one in found.study.points() for seed in one.seeds)
    missing = [title for title in needed if title not in there]
    if missing:
        have = counted(len(missing), "trial has", "trials have")
        yield f"{have} not finished yet; `rpu-ssnn run` runs what is missing: {listed(missing)}."


def _versions(runs: Runs) -> Iterator[str]:
    versions = Versions.of_all(runs)
    if len(versions) > 1:
        yield f"The rows were made under different versions: {'; '.join(versions)}."


def _few_seeds(results: pd.DataFrame) -> Iterator[str]:
    short = (case for case, _, runs in by_point(results) if len(runs) < FEWEST_SEEDS)
    few = list(dict.fromkeys(map(str, short)))
    if few:
        yield (
            f"These cases have fewer than {FEWEST_SEEDS} seeds, so that intervals and tests mean "
            f"little: {listed(few)}."
        )


def _saturated(results: pd.DataFrame) -> Iterator[str]:
    shares = results.assign(share=results["saturated_fraction"].astype(float))
    largest = shares.groupby("label", sort=False)["share"].max()
    for label, share in largest[largest > SATURATED_FROM].items():
        yield (
            f"{label}: up to {100 * share:.0f} % of its devices end at one of their bounds; a "
            "wider weight range or a smaller step may do better."
        )


def _not_replayable(results: pd.DataFrame) -> Iterator[str]:
    if "replayable" not in results.columns:
        return
    labels = list(dict.fromkeys(results.loc[results["replayable"] == False, "label"]))  # noqa: E712
    if labels:
        yield (
            "Runs of these cases cannot be repeated bit for bit, as aihwkit's own noise cannot be "
            f"seeded: {listed(labels)}. A second run gives other numbers of the same kind."
        )


def _by_name(error: InputError) -> str:
    """Returns the error with only the file's name, since the report may leave this machine."""
    return str(InputError(Path(error.where).name, error.field, error.value, error.allowed))
