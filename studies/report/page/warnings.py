"""What a reader of the results must know before believing them, grouped by kind."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.wording import counted, listed
from studies.common.statistics import FEWEST_SEEDS
from studies.declaration import pruning, sequential_stopping
from studies.declaration.result import Runs
from studies.declaration.search.candidates import shared_seeds
from studies.declaration.update_rules.devices import DeviceMethod
from studies.execution.study_runs import FolderContents
from studies.results import caveats
from studies.results.summary import by_point
from studies.results.tables import Versions, read_failures

SATURATED_FROM = 0.05
"""Share of devices at a bound from which it is worth a word."""

_RUN = "rpu-ssnn run FOLDER/study.yaml --out FOLDER"


@dataclass(frozen=True)
class Cautions:
    """Warnings of one kind.

    Attributes:
        kind: in words.
        remedy: what to type, in this project's commands or in the study.
    """

    kind: str
    remedy: str
    sentences: list[str]


def cautions(
    found: FolderContents,
    root: Path,
    results: pd.DataFrame,
    damaged: Sequence[InputError],
    bad: Sequence[InputError] = (),
) -> list[Cautions]:
    """All that apply, grouped by kind, what is missing first.

    Args:
        damaged, bad: errors of trial files, and of rows of files.
    """
    until = sequential_stopping.sentences(found.study.until, found.points)
    failures = (f"The last run failed at {one.title}: {one.message}" for one in read_failures(root))
    groups = (
        ("trials without a row", _RUN, _missing(found)),
        ("failed trials", f"{_RUN} --retry-failed", failures),
        ("seeds added until gaps are narrow", "until: {max_seeds: ...}", _sentences(until)),
        ("pruned runs", "prune: null", _sentences(pruning.sentences(found.pruned))),
        (
            "damaged files",
            _RUN,
            (f"{_by_name(error)}: the damaged file is left out." for error in damaged),
        ),
        ("rows that are left out", "--rows FILE", _left_out(found, bad)),
        ("rows of different versions", f"{_RUN} --rerun", _versions(found.runs)),
        ("few seeds", f"seeds: {FEWEST_SEEDS}", _few_seeds(results)),
        (
            "few images",
            "dataset: {test_file: ...}",
            (f"{line[0].upper()}{line[1:]}." for line in caveats.of_few_images(found.runs)),
        ),
        ("cases near chance", "training: {epochs: ...}", _chance(found)),
        ("devices without spread", "overrides: {step_spread: ...}", _alike(found.runs)),
        ("devices at their bounds", "hyperparameters: {weight_range: ...}", _saturated(results)),
        (
            "accuracy that fell in training",
            "rpu-ssnn plot FOLDER --kind curves",
            _sentences(caveats.sentences(found.runs)),
        ),
        ("seeds of the search among the rows", "search: {seeds: [100, 101]}", _shared(found)),
        ("rows that do not repeat", "tile: {simulator: native}", _not_replayable(results)),
    )
    told = [Cautions(kind, remedy, list(sentences)) for kind, remedy, sentences in groups]
    return [group for group in told if group.sentences]


def _sentences(lines: Iterable[str]) -> Iterator[str]:
    return (f"{line}." for line in lines)


def _missing(found: FolderContents) -> Iterator[str]:
    there = {trial.title for trial, _ in found.runs}
    needed = (f"{one.title} seed {seed}" for one in found.points for seed in one.seeds)
    missing = [title for title in needed if title not in there]
    if missing:
        have = counted(len(missing), "trial has", "trials have")
        yield f"{have} no row (yet): {listed(missing)}."


def _chance(found: FolderContents) -> Iterator[str]:
    yield from _sentences(caveats.of_chance(found.study, found.complete))


def _left_out(found: FolderContents, bad: Sequence[InputError]) -> Iterator[str]:
    yield from (f"{_by_name(error)}." for error in bad)
    if found.n_other:
        yield f"{found.other_rows}."
    if found.n_hidden:
        yield f"{found.hidden_rows}."


def _versions(runs: Runs) -> Iterator[str]:
    versions = Versions.of_all(runs)
    if len(versions) > 1:
        yield f"The rows were made under different versions: {'; '.join(versions)}."


def _few_seeds(results: pd.DataFrame) -> Iterator[str]:
    short = (case for case, _, runs in by_point(results) if len(runs) < FEWEST_SEEDS)
    few = list(dict.fromkeys(map(str, short)))
    if few:
        yield (
            f"Fewer than {FEWEST_SEEDS} seeds, so that intervals and tests mean little: "
            f"{listed(few)}."
        )


def _alike(runs: Runs) -> Iterator[str]:
    parameters = {
        trial.label: trial.settings.method.parameters
        for trial, _ in runs
        if isinstance(trial.settings.method, DeviceMethod)
    }
    alike = [
        label
        for label, own in parameters.items()
        if own and not any(value for name, value in own.items() if name.endswith("_spread"))
    ]
    if alike:
        yield f"All devices of an array are alike, since no spread is given: {listed(alike)}."


def _saturated(results: pd.DataFrame) -> Iterator[str]:
    shares = results.assign(share=results["saturated_fraction"].astype(float))
    largest = shares.groupby("label", sort=False)["share"].max()
    for label, share in largest[largest > SATURATED_FROM].items():
        yield (
            f"{label}: up to {100 * share:.0f} % of its devices end at one of their bounds; a "
            "wider weight range or a smaller step may do better."
        )


def _shared(found: FolderContents) -> Iterator[str]:
    shared = shared_seeds(found.study, found.hyperparameters)
    if shared:
        yield f"{shared[0].upper()}{shared[1:]}."


def _not_replayable(results: pd.DataFrame) -> Iterator[str]:
    if "replayable" not in results.columns:
        return
    labels = list(dict.fromkeys(results.loc[results["replayable"] == False, "label"]))  # noqa: E712
    if labels:
        yield (
            f"Not replayable bit for bit, since aihwkit's own noise cannot be seeded: "
            f"{listed(labels)}. A second run gives other numbers of the same kind."
        )


def _by_name(error: InputError) -> str:
    """The fault with the file's name alone: the report leaves the machine it was made on."""
    return str(InputError(Path(error.where).name, error.field, error.value, error.allowed))
