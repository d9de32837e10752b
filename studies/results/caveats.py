"""Warns of weak results: accuracies that fell, a reference that learned badly, few images.

The command line prints them, and the report shows them.
"""

import math
from collections.abc import Iterator

import pandas as pd

from rpu_ssnn.common.wording import listed
from studies.common.statistics import describe
from studies.declaration.hyperparameters import HyperparameterTable
from studies.declaration.search import candidates, in_words
from studies.declaration.study import Study
from studies.declaration.trial import Row, Runs, Scalar, point_title
from studies.declaration.update_rules.base import Hyperparameters
from studies.declaration.update_rules.on_device import DeviceRule
from studies.results.device_caveats import Told, lost_in_an_epoch, of_devices, on_devices
from studies.results.grouping import NOT_SWEPT, swept_columns, titled_row, titles_of
from studies.results.store import Versions
from studies.results.tables import results_frame

DIVERGED_FROM = 2.0
"""A trial that ends this many points below its best epoch gets a warning, unless the fall may be
chance (`ERRORS`)."""

ERRORS = 3.0
"""A difference of two accuracies by fewer standard errors than this may be chance."""

SHORT_FROM = 20.0
"""A reference that ends this many points below a float network has learned badly."""

FEW_IMAGES = 200
"""With fewer images, one image is more than half a point of accuracy."""

MUCH_CUT = 0.05
"""Recordings that lose more than this share of their spikes get a warning."""

MOST_WRONG = 1.5
"""Where every run has fewer images wrong than this, none can be told from another."""

MUCH_LOST = 0.2
"""Devices that lose more than this share of their state in an epoch may forget what they learn."""

_FORGOT = "lost in storage what it had learned"

_REMEDY = "give it more epochs, samples or slots, or have its hyperparameters searched"


def sentences(*warnings: Told) -> Iterator[str]:
    """Yields each sentence of each warning once, with the names of all its cases."""
    for told in warnings:
        for sentence in dict.fromkeys(told.values()):
            names = [name for name, own in told.items() if own == sentence]
            yield sentence.replace("{}", listed(names))


def of_summary(study: Study, table: pd.DataFrame, runs: Runs) -> Iterator[str]:
    """Yields all warnings about a summary."""
    yield from sentences(of_reference(study, table, runs))
    yield from of_runs(study, runs)


def of_runs(study: Study, runs: Runs) -> Iterator[str]:
    """Yields the warnings that need no run of the reference."""
    return sentences(
        of_chance(study, runs),
        of_cut_recordings(runs),
        of_ceiling(runs),
        of_few_images(runs),
        *of_devices(runs),
        of_ends_of_ranges(study, runs),
        of_accuracy_that_fell(runs),
    )


def of_origin(study: Study, runs: Runs, found: HyperparameterTable) -> Told:
    """Warns if rows were made under different versions, or hyperparameters were chosen on the
    images that accuracies are measured on."""
    told, versions = {}, sorted({str(Versions.of(result)) for _, result in runs})
    if len(versions) > 1:
        told[""] = f"The rows were made under different versions: {'; '.join(versions)}."
    chosen = "Accuracies are of samples on which hyperparameters were chosen: {}."
    return told | dict.fromkeys(found if study.measure == "validation" else (), chosen)


def of_chance(study: Study, runs: Runs) -> Told:
    """Names the points of cases other than the reference that end near chance, and says whether
    they learned nothing, or lost it in training or in storage."""
    others = [run for run in runs if run[0].label != study.reference_label]
    told = {}
    for title, own in by_title(others).items():
        if why := near_chance(own):
            before = _before_storage(own)
            how, lost = "so that nothing was learned", lost_in_an_epoch(own)
            if lost > MUCH_LOST:
                how = f"as devices lose {100 * lost:.0f} % of what pulses change in one epoch"
            never = f"These cases end near chance, {how}: {{}}."
            told[title] = f"{{}} {_FORGOT}: it {why}; {before}." if before else never
    return told


def of_cut_recordings(runs: Runs) -> Told:
    """Warns if many spikes of recordings come after the slots that are shown."""
    cut = max((float(result.row.get("spikes_after_T") or 0.0) for _, result in runs), default=0.0)
    told = (
        f"Of the recorded spikes, {100 * cut:.0f} % come after slot T and are not shown; a larger "
        "T or spikes.bin shows more."
    )
    return {"": told} if cut > MUCH_CUT else {}


def of_few_images(runs: Runs) -> Told:
    """Warns if accuracies were measured on few images."""
    n, kind = min((_images(result.row) for _, result in runs), default=(math.inf, ""))
    told = (
        f"Accuracies were measured on only {n:.0f} {kind} samples, of which one is {100 / n:.2g} "
        "%; the intervals are over seeds, and say nothing about other samples."
    )
    return {"": told} if n < FEW_IMAGES else {}


def of_ceiling(runs: Runs) -> Told:
    """Warns if every run ends at 100 %, up to one image."""
    wrong = [(100.0 - result.accuracy) * _images(result.row)[0] / 100.0 for _, result in runs]
    told = (
        "Every run has at most one sample wrong, so that these data are too easy to tell what "
        "anything costs; take harder data, or fewer training samples or slots."
    )
    right = all(result.accuracy > 50.0 for _, result in runs)  # of one image, all may be wrong
    return {"": told} if wrong and right and max(wrong) < MOST_WRONG else {}


def of_ends_of_ranges(study: Study, runs: Runs) -> Told:
    """Names the points whose searched hyperparameters are the smallest or the largest tried."""
    rules = {point_title(trial.label, trial.sweep): trial.settings.method for trial, _ in runs}
    ends = []
    for point in study.points():
        rule = rules.get(point.title)
        if point.hyperparameters is not None or rule is None or rule.learning_rate is None:
            continue
        span = rule.tile.weight_range if isinstance(rule, DeviceRule) else None
        chosen = Hyperparameters(learning_rate=rule.learning_rate, weight_range=span)
        tried = candidates(point, study.search)
        if chosen in tried and "tried" in (words := in_words(chosen, tried)):
            ends.append(f"{point.title} with {words}")
    return dict.fromkeys(
        ends, "A search over a wider range may find better hyperparameters for {}."
    )


def of_reference(study: Study, table: pd.DataFrame, runs: Runs) -> Told:
    """Warns if the reference is near chance or far below a float network of the study.

    Args:
        table: the `summary` of the runs.
    """
    swept, reference = swept_columns(table), study.reference_label
    names = {case.name for case in study.cases if case.rule.exact_gradients} - {reference}
    floats, own = table[table["case"].isin(names)], table[table["case"] == reference]
    short = [
        (other["accuracy"] - row["accuracy"], titled_row(row), titled_row(other))
        for _, row in own.iterrows()
        for _, other in floats.iterrows()
        if all(other[at] == row[at] or NOT_SWEPT in (other[at], row[at]) for at in swept)
    ]
    by, title, above = max(short, key=lambda one: one[0], default=(0.0, "", ""))
    points = by_title([run for run in runs if run[0].label == reference])
    at = next((at for at, own in points.items() if near_chance(own)), "")
    why = near_chance(points.get(at, ()))
    if by >= SHORT_FROM:
        at, why = title, f"ends {by:.1f} points below the float network {above}"
    return _weak("The reference", f"{at} {why}", "gaps to it", points[at]) if why else {}


def of_question(runs: Runs, device: str, reference: str) -> Iterator[str]:
    """Yields the warnings about a question on a device, given by its label."""
    return sentences(of_device(runs, device, reference), of_ceiling(runs), of_few_images(runs))


def of_device(runs: Runs, device: str, reference: str) -> Told:
    """Warns if a device, given by its label, is near chance or far below the reference."""
    own, other = ([run for run in runs if run[0].label == one] for one in (device, reference))
    by, why = _mean(other) - _mean(own), near_chance(own)
    if by >= SHORT_FROM:
        why = f"ends {by:.1f} points below {reference}"
    return _weak("The device", f"it {why}", "its costs and thresholds", own) if why else {}


def _weak(who: str, why: str, little: str, runs: Runs) -> Told:
    before = _before_storage(runs)
    how = _FORGOT if before else "learned badly"
    return {who: f"{{}} {how}: {why}, so that {little} say little; {before or _REMEDY}."}


def _before_storage(runs: Runs) -> str:
    """Returns how good the runs of a point were on validation images before the storage of their
    devices, or an empty text if storage cost no more than chance may."""
    stored = [
        (curve[-1], result.row)
        for rule, _, result in on_devices(runs)
        if rule.tile.storage_seconds > 0 and (curve := _curve(result.epochs, "validation_accuracy"))
    ]
    before = describe([accuracy for accuracy, _ in stored]).mean
    after = describe([float(row["validation_accuracy"] or math.nan) for _, row in stored]).mean
    images = next((row.get("n_validation") for _, row in stored), None)
    if not before - after > _by_chance(before, images):  # both are NaN if nothing was stored
        return ""
    return f"before storage it had {before:.1f} % on validation samples"


def by_title(runs: Runs) -> dict[str, Runs]:
    """Returns the runs of each case at each point of the sweep, by their title in tables."""
    titles = titles_of(results_frame(runs)) if runs else []
    titled = list(zip(titles, runs, strict=True))
    return {at: [run for title, run in titled if title == at] for at in dict.fromkeys(titles)}


def near_chance(runs: Runs) -> str:
    """Returns why the runs of a point learned next to nothing, or an empty text if they did."""
    row: Row = next((result.row for _, result in runs), {})
    classes = str(row.get("network", "")).rpartition("-")[2]
    if not classes.isdecimal():
        return ""
    largest = row.get("largest_class") or 100.0 / int(classes)
    reached, chance = _mean(runs), float(largest)
    if reached - chance > _by_chance(chance, _images(row)[0]):
        return ""
    return f"ends at {reached:.1f} %, where naming the largest class alone gives {chance:.1f} %"


def of_accuracy_that_fell(runs: Runs) -> Told:
    """Names each case whose accuracy fell in training, with its worst run.

    The accuracy is that on validation images, or on training images if no image is held out.
    """
    worst: dict[str, tuple[float, str]] = {}
    for trial, result in runs:
        kind, images = "validation", result.row.get("n_validation")
        curve = _curve(result.epochs, "validation_accuracy")
        if not curve:
            kind, images = "training", result.row.get("n_train")
            curve = _curve(result.epochs, "train_accuracy")
        best, last = max(curve, default=0.0), curve[-1] if curve else 0.0
        title = point_title(trial.label, trial.sweep)
        enough = max(DIVERGED_FROM, _by_chance(best, images))
        if best - last >= enough and best - last > worst.get(title, (0.0, ""))[0]:
            told = (
                f"{{}}: in seed {trial.settings.seed}, {kind} accuracy fell from {best:.1f} % "
                f"after epoch {curve.index(best) + 1} to {last:.1f} % at the end; another learning "
                "rate may prevent this."
            )
            worst[title] = best - last, told
    return {title: told for title, (_, told) in worst.items()}


def _images(row: Row) -> tuple[float, str]:
    """Returns the number, infinite if not known, and the kind of the images of an accuracy."""
    kind = "validation" if row.get("test_accuracy") is None else "test"
    n = row.get(f"n_{kind}")
    return (float(n) if isinstance(n, int | float) and n > 0 else math.inf), kind


def _mean(runs: Runs) -> float:
    return describe([result.accuracy for _, result in runs]).mean


def _by_chance(best: float, images: Scalar) -> float:
    """Returns the largest difference (points) that may be chance with this number of images.

    It is 0 if the number is not known.
    """
    if not isinstance(images, int | float) or images <= 0:
        return 0.0
    share = min(best / 100.0, 1.0 - 1.0 / images)  # at 100 % one image may still differ
    return ERRORS * 100.0 * math.sqrt(max(0.0, 2.0 * share * (1.0 - share) / images))


def _curve(epochs: list[Row], column: str) -> list[float]:
    """Returns the accuracies (%) by epoch, or an empty list if some were not measured."""
    values = [row.get(column) for row in epochs]
    known = [float(value) for value in values if value is not None]
    return [] if len(known) < len(values) or any(map(math.isnan, known)) else known
