"""The summary of a study: accuracy by case, and how far each falls short of the reference."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rpu_ssnn.common.errors import InputError, one_of
from studies.common.quantities import distinct, name_of, quantity
from studies.common.statistics import describe, holm, is_significant, paired_p, seeds_to_tell
from studies.declaration.devices import AS_MEASURED
from studies.declaration.result import PRUNED, SWEEP_PREFIX

if TYPE_CHECKING:
    import pandas as pd

    from studies.declaration.trial import Measure

NOT_SWEPT = ""
"""In a swept column: the setting does not apply to the case."""

REFERENCE = "reference"
"""Attribute of a results table (`DataFrame.attrs`): the study's reference case."""

GAP = "gap"
"""Column that `with_gaps` adds."""

_OVERRIDES = f"{SWEEP_PREFIX}overrides."
EXACT = 2.0**53
"""Whole numbers below it are exact in floating point."""

_RELATIVE = re.compile(rf"x[0-9.].*|{AS_MEASURED}")
"""Swept values of an override that mean what the preset makes of them."""

INPUT = "input"
"""Column that says what a case saw of recorded spikes (`studies.workers.run_trial`)."""

PUBLISHED = "published"
"""Column that `published.beside` adds, with ``_pm`` (as the source gives it) and ``_source``."""


def summary(results: pd.DataFrame, reference: str | None = None) -> pd.DataFrame:
    """One row a case and point of the sweep, in the order of the results.

    Columns: ``case``, one ``sweep.*`` column each (`with_values`), ``n`` (seeds), ``accuracy``
    (mean, %, of `accuracies`), ``accuracy_sd`` (standard deviation), ``accuracy_ci`` (half width of
    its 95 % interval, Student t), ``gap`` (mean of case minus reference over the seeds that both
    have, percentage points: negative is worse), ``gap_ci`` (half width of the interval of those
    differences), ``gap_n`` (seeds that both have), ``gap_p`` (paired t-test, Holm-corrected for all
    gaps of the table; NaN below three seeds), ``gap_significant`` (that p is below 0.05; None: not
    tested), ``min``, ``max``, ``pulses_per_device``, ``saturated_fraction`` (means), ``epochs`` and
    ``images`` (what each run was trained on), ``accuracy_on`` (images that were read), ``input``
    where input spikes were given, ``device`` (of a cell, its first; empty where none holds
    weights), ``gap_p_alone`` (not corrected: it agrees with ``gap_ci``) and ``gap_seeds``
    (`seeds_to_tell`).
    What cannot be computed (an interval from one seed, the reference's own gap) is NaN.

    The reference of a swept row is the reference case at the same values of all that it was
    swept over.

    Args:
        results: as `load_results` returns it.
        reference: label of the case that gaps are measured against; None: the study's, which the
            results of `run_study` and `load_results` know, or the one rate case there is.

    Raises:
        InputError: the results hold no row of the reference, or do not tell which case it is.
    """
    import pandas as pd

    paired = with_values(with_gaps(results, reference or reference_of(results)))
    rows = [{"case": case} | point | _statistics(runs) for case, point, runs in by_point(paired)]
    table = correct(pd.DataFrame(rows))
    seeds = seeds_to_tell(*(table[column].tolist() for column in ("gap", "gap_ci", "gap_n")))
    return table.assign(gap_seeds=seeds)


def reference_of(results: pd.DataFrame) -> str:
    """The case that gaps are measured against, by the results alone.

    Raises:
        InputError: they do not tell.
    """
    known = results.attrs.get(REFERENCE)
    if known is not None:
        return str(known)
    labels = list(dict.fromkeys(results["label"])) if len(results) else []
    of_rate = set(results["label"][results["update"] == "rate"]) if len(results) else set[str]()
    if len(of_rate) != 1:
        allowed = one_of(labels) + ", as there is not one rate case"
        raise InputError("summary", "reference", None, allowed)
    return str(of_rate.pop())


def with_gaps(results: pd.DataFrame, reference: str) -> pd.DataFrame:
    """The results with each run's difference to the reference's run of the same seed and point.

    Swept settings become text-safe keys (`NOT_SWEPT` where they do not apply); ``gap`` is NaN for
    the reference itself and where the reference has no run. Runs that were pruned are left out.

    Raises:
        InputError: the results hold no row of the reference, or rows on test images and rows on
            validation images.
    """
    results = without_pruned(results)
    tested = results["test_accuracy"].notna()
    if tested.any() and not tested.all():
        allowed = "must have test accuracies in all rows or in none: other images, other table"
        raise InputError("summary", "test_accuracy", f"{(~tested).sum()} without", allowed)
    labels = list(dict.fromkeys(results["label"])) if len(results) else []
    if reference not in labels:
        raise InputError("summary", "reference", reference, one_of(labels, reference))
    swept = swept_columns(results)
    # A case that a setting does not apply to has NaN there, which equals nothing: use text.
    paired = results.assign(**{GAP: math.nan}, **{c: as_keys(results[c]) for c in swept})
    of_reference = paired[paired["label"] == reference]
    for case, point, runs in by_point(paired):
        if case == reference:
            continue
        other = of_reference
        for column, value in point.items():
            if (other[column] != NOT_SWEPT).any():
                other = other[other[column] == value]
        of_seed = dict(zip(other["seed"], accuracies(other), strict=True))
        paired.loc[runs.index, GAP] = accuracies(runs) - runs["seed"].map(of_seed)
    return paired


def of_cases(results: pd.DataFrame, cases: Sequence[str], *also: str) -> pd.DataFrame:
    """The rows of some cases; all if none is named.

    Args:
        also: cases that stay in any case.

    Raises:
        InputError: no such case.
    """
    known = list(dict.fromkeys(results["label"]))
    for case in cases:
        if case not in known:
            raise InputError("results", "case", case, one_of(known, case))
    return results[results["label"].isin({*cases, *also})] if cases else results


def without_pruned(results: pd.DataFrame) -> pd.DataFrame:
    """The runs that came to their end; the others have no accuracy to average."""
    return results[results[PRUNED].isna()] if PRUNED in results.columns else results


def accuracies(results: pd.DataFrame) -> pd.Series:
    """The accuracy of each run, %: on test images, or on validation images where the study says
    `measure: validation`; NaN where the run was pruned."""
    tested = results["test_accuracy"]
    if images_read(results) == "test":
        return tested
    return without_pruned(results)["validation_accuracy"].reindex(results.index)


def images_read(results: pd.DataFrame) -> Measure:
    """The images that `accuracies` are of; a study reads the same for all its runs."""
    finished = without_pruned(results)["test_accuracy"]
    return "validation" if len(finished) and finished.isna().all() else "test"


def correct(table: pd.DataFrame) -> pd.DataFrame:
    """Corrects the column ``gap_p`` for its number of tests, keeps the uncorrected p as
    ``gap_p_alone``, and judges ``gap_significant``."""
    import pandas as pd

    corrected = holm(table["gap_p"].tolist())
    significant = pd.Series(map(is_significant, corrected), index=table.index, dtype=object)
    return table.assign(gap_p=corrected, gap_significant=significant, gap_p_alone=table["gap_p"])


def swept_columns(results: pd.DataFrame) -> list[str]:
    """The columns of swept settings."""
    return [str(column) for column in results.columns if str(column).startswith(SWEEP_PREFIX)]


def by_point(results: pd.DataFrame) -> Iterator[tuple[object, dict[str, object], pd.DataFrame]]:
    """The runs of each case at each point of the sweep, whose values become text-safe keys."""
    swept = swept_columns(results)
    keyed = results.assign(**{column: as_keys(results[column]) for column in swept})
    for (case, *point), runs in keyed.groupby(["label", *swept], sort=False):
        yield case, dict(zip(swept, point, strict=True)), runs


def titled(case: object, point: Mapping[str, object]) -> str:
    """A case at a point of the sweep, by the names of its settings: ``charge_trap [levels = 30]``.

    Args:
        point: `swept_columns` to values; what does not apply is left out.
    """
    swept = {str(name).removeprefix(SWEEP_PREFIX): value for name, value in point.items()}
    names = distinct(swept, name_of)
    at = ", ".join(
        f"{names[path]} = {value}" for path, value in swept.items() if value != NOT_SWEPT
    )
    return f"{case} [{at}]" if at else str(case)


def titled_row(row: pd.Series) -> str:
    """A row of the summary in words: case and point of the sweep."""
    point = {str(name): at for name, at in row.items() if str(name).startswith(SWEEP_PREFIX)}
    return titled(row["case"], point)


def titles_of(results: pd.DataFrame) -> list[str]:
    """`titled` of each run, as tables have it."""
    keyed = with_values(results)
    keyed = keyed.assign(**{column: as_keys(keyed[column]) for column in swept_columns(keyed)})
    return [titled_row(row) for _, row in keyed.assign(case=keyed["label"]).iterrows()]


def with_values(results: pd.DataFrame, shared: bool = False) -> pd.DataFrame:
    """The results with the value of a device beside each swept factor: ``x0.5 (600)``.

    Args:
        results: with the column ``settings``, which holds the values; else as they are.
        shared: only where all runs of a factor have one value, so that devices share an axis.
    """
    overrides = [name for name in swept_columns(results) if name.startswith(_OVERRIDES)]
    if "settings" not in results or not overrides:
        return results
    found = {}
    for column in overrides:
        name = column.removeprefix(_OVERRIDES)
        told = [
            _value_text(name, settings) if isinstance(key, str) and _RELATIVE.fullmatch(key) else ""
            for key, settings in zip(results[column], results["settings"], strict=True)
        ]
        pairs = list(zip(results[column], told, strict=True))
        last = dict(pairs)
        several = {key for key, text in pairs if text != last[key]} if shared else set()
        found[column] = [
            f"{key} ({text})" if text and key not in several else key for key, text in pairs
        ]
    return results.assign(**found)


def _value_text(parameter: str, settings: str) -> str:
    value = json.loads(settings)["method"].get("parameters", {}).get(parameter)
    return f"{value:.4g}" if isinstance(value, int | float) else str(value or "")


def as_keys(column: pd.Series) -> pd.Series:
    """Swept values with `NOT_SWEPT` where there is none; whole numbers that a column with gaps
    made floating point are whole again."""
    import pandas as pd

    known = column.dropna()
    is_whole = pd.api.types.is_float_dtype(column) and (known % 1 == 0).all()
    if is_whole and (known.abs() < EXACT).all():
        column = column.astype("Int64")
    return column.astype(object).where(column.notna(), NOT_SWEPT)


def _statistics(runs: pd.DataFrame) -> dict[str, Any]:
    accuracy = describe(accuracies(runs).tolist())
    differences = runs[GAP].dropna().tolist()
    gap = describe(differences)
    return {
        "n": accuracy.n,
        "accuracy": accuracy.mean,
        "accuracy_sd": accuracy.sd,
        "accuracy_ci": accuracy.half_width,
        "gap": gap.mean,
        "gap_ci": gap.half_width,
        "gap_n": gap.n,
        "gap_p": paired_p(differences),
        "gap_significant": None,  # known once all are
        "min": accuracy.minimum,
        "max": accuracy.maximum,
        "pulses_per_device": runs["pulses_per_device_mean"].astype(float).mean(),
        "saturated_fraction": runs["saturated_fraction"].astype(float).mean(),
        "accuracy_on": _images(runs),
        "epochs": _one_of(runs, "epochs"),
        "images": _one_of(runs, "n_train"),
        # What the case saw of recorded spikes.
        **({INPUT: runs[INPUT].iloc[0]} if INPUT in runs and runs[INPUT].notna().any() else {}),
        "device": _preset(runs),
    }


def _preset(runs: pd.DataFrame) -> str:
    """The device of a case, of a cell that of its first devices; empty where none holds weights."""
    from device_presets.from_aihwkit import is_aihwkit_name

    device = runs["device"].iloc[0] if "device" in runs else None
    if not isinstance(device, str) or is_aihwkit_name(device):
        return device if isinstance(device, str) else ""
    return device.rpartition("(")[2].rstrip(")").split(",")[0]


def _images(runs: pd.DataFrame) -> str:
    """How many images the accuracies are of, and which; without a number if the rows have none."""
    read = images_read(runs)
    number = _one_of(runs, f"n_{read}")
    return f"{number:.0f} {read} images" if number == number else f"{read} images"


def _one_of(runs: pd.DataFrame, column: str) -> float:
    """What all runs of a case share; NaN where the rows do not say."""
    return float(runs[column].iloc[0]) if column in runs else math.nan


def swept_cells(table: pd.DataFrame) -> dict[str, list[str]]:
    """The swept settings as columns of text, by quantity and unit."""
    paths = [column.removeprefix(SWEEP_PREFIX) for column in swept_columns(table)]
    names = distinct(paths, quantity)
    return {
        name: [or_dash(value) for value in as_keys(table[f"{SWEEP_PREFIX}{path}"])]
        for path, name in names.items()
    }


def or_dash(value: object) -> str:
    """A swept value as a cell."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value == NOT_SWEPT else str(value)
