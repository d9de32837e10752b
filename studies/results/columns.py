"""Finds a setting among the results by the path that a user names it by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rpu_ssnn.common.errors import InputError, meant, nearest, one_of
from studies.common.canonical import canonical
from studies.declaration.result import SWEEP_PREFIX
from studies.declaration.sections import leaves, value_at
from studies.declaration.update_rules import CASES
from studies.results.summary import NOT_SWEPT, as_keys, swept_columns

if TYPE_CHECKING:
    import pandas as pd

CASE = "case"
"""Names the label of the case."""

_GROUPING = (
    "device",
    "update",
    "seed",
    "dataset",
    "T",
    "schedule",
    "learning_rate",
    "weight_range",
)
"""Columns of the results worth naming in an error."""

_SECTIONS_OF_THE_METHOD = (("overrides.", "parameters."), ("hyperparameters.", ""), ("", ""))
"""Where a case's paths lie in a trial's method: start of the path, what stands there instead."""


def setting(results: pd.DataFrame, path: str) -> pd.Series:
    """The value of a setting in each run, `NOT_SWEPT` where the run has none.

    Args:
        path: ``case``; a swept path; a column of the results; or any setting of the trial by its
            dotted path (``network.T``, ``overrides.levels``, ``tile.initial``).

    Raises:
        InputError: no run has it.
    """
    if path == CASE:
        return results["label"]
    for column in (f"{SWEEP_PREFIX}{path}", path):
        if column in results.columns and column != "settings":
            return as_keys(results[column])
    if "settings" in results.columns:
        values = results["settings"].map(lambda text: _setting_of(json.loads(text), path))
        if (values != NOT_SWEPT).any():
            return values
    swept = [column.removeprefix(SWEEP_PREFIX) for column in swept_columns(results)]
    known = [CASE, *swept, *(name for name in _GROUPING if name in results.columns)]
    last = json.loads(results["settings"].iloc[-1]) if "settings" in results else {}
    paths = [path for path, _ in leaves(last)]
    near = meant(nearest([*known, *paths], path))
    allowed = f"{near}{one_of(dict.fromkeys(known))}, or a trial's setting such as network.T"
    raise InputError("results", "column", path, allowed)


def _setting_of(settings: Mapping[str, Any], path: str) -> Any:
    method = settings["method"]
    reads = CASES[method["update"]].reads
    if reads is not None and path.startswith(("network.", "training.")) and path not in reads:
        return NOT_SWEPT
    found = value_at(settings, path)
    for start, instead in _SECTIONS_OF_THE_METHOD:
        for section in (method, method.get("tile", {})):
            if found is None and path.startswith(start):
                found = value_at(section, instead + path.removeprefix(start))
    whole_section = isinstance(found, Mapping) and "." not in path
    if found is None or whole_section:
        return NOT_SWEPT
    return found if isinstance(found, bool | int | float | str) else canonical(found)
