"""What makes results say little: runs that fell, a reference that learned badly, few images."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rpu_ssnn.common.wording import listed
from studies.common.statistics import describe
from studies.declaration.result import Row, Runs, Scalar
from studies.declaration.trial import point_title
from studies.results.summary import NOT_SWEPT, swept_columns, titled_row

if TYPE_CHECKING:
    import pandas as pd

    from studies.declaration.study import Study

DIVERGED_FROM = 2.0
"""Points of accuracy below the best epoch from which an end is worth a word."""

ERRORS = 3.0
"""And standard errors of the difference of two accuracies on so many images."""

FLOAT_NETWORKS = ("ann", "ann_adam")
"""Update rules of exact gradients on float weights, without spikes."""

SHORT_FROM = 20.0
"""Points of accuracy below a float network from which a reference has learned badly."""


FEW_IMAGES = 200
"""Below so many, one image is more than half a point of accuracy."""


def of_summary(study: Study, table: pd.DataFrame, runs: Runs) -> Iterator[str]:
    """All about a summary that says little, without the full stop."""
    yield from of_reference(study, table, runs)
    yield from of_chance(study, runs)
    yield from of_few_images(runs)


def of_chance(study: Study, runs: Runs) -> Iterator[str]:
    """One that names the cases beside the reference that end near chance."""
    labels = dict.fromkeys(trial.label for trial, _ in runs)
    near = [name for name in labels if name != study.reference_label and near_chance(runs, name)]
    if near:
        yield f"near chance, so that nothing was learned: {listed(near)}"


def of_few_images(runs: Runs) -> Iterator[str]:
    """One where accuracies are of few images, without the full stop."""
    n, kind = min((_images(result.row) for _, result in runs), default=(math.inf, ""))
    if n < FEW_IMAGES:
        yield (
            f"accuracies are of {n:.0f} {kind} images, so one image is {100 / n:.2g} % of them; "
            "the intervals are of seeds, and say nothing about other images"
        )


def of_reference(study: Study, table: pd.DataFrame, runs: Runs) -> Iterator[str]:
    """One where a float network of the study is far above the reference, or the reference is near
    chance, without the full stop.

    Args:
        table: `summary` of the results of the runs.
    """
    swept, reference = swept_columns(table), study.reference_label
    names = {case.name for case in study.cases if case.rule in FLOAT_NETWORKS} - {reference}
    floats, own = table[table["case"].isin(names)], table[table["case"] == reference]
    points = {
        (titled_row(row), titled_row(other)): other["accuracy"] - row["accuracy"]
        for _, row in own.iterrows()
        for _, other in floats.iterrows()
        if all(other[at] == row[at] or NOT_SWEPT in (other[at], row[at]) for at in swept)
    }
    (short, above), by = max(points.items(), key=lambda item: item[1], default=(("", ""), 0.0))
    if by >= SHORT_FROM:
        why = f"{short} ends {by:.1f} points below the float network {above}"
    elif not (why := near_chance(runs, reference)):
        return
    given = any(p.label == reference and p.hyperparameters is not None for p in study.points())
    instead = "leave its learning_rate out, which searches one, or " if given else ""
    yield (
        f"the reference itself learned badly: {why}, so that gaps to it say little; {instead}"
        "give it more epochs, images or slots"
    )


def of_device(runs: Runs, device: str, reference: str, *, given: bool) -> Iterator[str]:
    """One where a device is near chance or far below the reference, without the full stop.

    Args:
        device, reference: labels of the two cases.
        given: whether the study gives the hyperparameters of the device.
    """
    reached, best = _mean(runs, device), _mean(runs, reference)
    if best - reached >= SHORT_FROM:
        why = f"it ends {best - reached:.1f} points below the reference"
    elif not (why := near_chance(runs, device)):
        return
    instead = "leave its hyperparameters out, which searches one, or " if given else ""
    yield (
        f"the device itself learned badly: {why}, so that its thresholds say little; {instead}"
        "give it more epochs, images or slots"
    )


def _images(row: Row) -> tuple[float, str]:
    """Number and kind of the images that the accuracy is of; infinite where it is not known."""
    kind = "validation" if row.get("test_accuracy") is None else "test"
    n = row.get(f"n_{kind}")
    return (float(n) if isinstance(n, int | float) and n > 0 else math.inf), kind


def _mean(runs: Runs, label: str) -> float:
    return describe([result.accuracy for trial, result in runs if trial.label == label]).mean


def near_chance(runs: Runs, label: str) -> str:
    """Why a case learned nothing to speak of; empty where it did."""
    row: Row = next((result.row for trial, result in runs if trial.label == label), {})
    classes = str(row.get("network", "")).rpartition("-")[2]
    if not classes.isdecimal():
        return ""
    reached, chance = _mean(runs, label), 100.0 / int(classes)
    if reached - chance > _by_chance(chance, _images(row)[0]):
        return ""
    return f"it ends at {reached:.1f} %, where chance alone gives {chance:.1f} %"


def sentences(runs: Runs) -> Iterator[str]:
    """One for each case whose worst run fell, without the full stop.

    Judged on validation images, or on training images where no image is held out.
    """
    worst: dict[str, tuple[float, str]] = {}
    for trial, result in runs:
        if result.pruned:
            continue
        kind, images = "validation", result.row.get("n_validation")
        curve = _curve(result.epochs, "validation_accuracy")
        if not curve:
            kind, images = "training", result.row.get("n_train")
            curve = _curve(result.epochs, "train_accuracy")
        if not curve:
            continue
        fall = max(curve) - curve[-1]
        title = point_title(trial.label, trial.sweep)
        if (
            fall >= max(DIVERGED_FROM, _by_chance(max(curve), images))
            and fall > worst.get(title, (0.0, ""))[0]
        ):
            worst[title] = (
                fall,
                (
                    f"{title}: {kind} accuracy fell from {max(curve):.1f} % after epoch "
                    f"{curve.index(max(curve)) + 1} to {curve[-1]:.1f} % at the end"
                    f"{_hidden_rates(result.epochs[-1])}: the step is too large, devices undo what "
                    "was learned, or rates run away (docs/findings/algorithm.md, Depth)"
                ),
            )
    yield from (sentence for _, sentence in worst.values())


def _by_chance(best: float, images: Scalar) -> float:
    """Fall (points) that so few images may show by chance; 0 where their number is not known."""
    if not isinstance(images, int | float) or images <= 0:
        return 0.0
    share = min(best / 100.0, 1.0 - 1.0 / images)  # at 100 % one image may still differ
    return ERRORS * 100.0 * math.sqrt(max(0.0, 2.0 * share * (1.0 - share) / images))


def _curve(epochs: list[Row], column: str) -> list[float]:
    """Accuracy by epoch, %; empty where it was not measured."""
    values = [row.get(column) for row in epochs]
    known = [float(value) for value in values if value is not None]
    return [] if len(known) < len(values) or any(map(math.isnan, known)) else known


def _hidden_rates(epoch: Row) -> str:
    rates = [
        float(value)
        for name, value in epoch.items()
        if name.startswith("rates_") and value is not None
    ][1:-1]
    if not rates:
        return ""
    return (
        f", where hidden neurons spike {' and '.join(f'{rate:.2g}' for rate in rates)} times a slot"
    )
