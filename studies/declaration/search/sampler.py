"""Hyperparameters drawn by Optuna's tree-structured Parzen estimator (Bergstra et al., NIPS 2011).

Every case gets the same number of candidates, whatever the number of its settings. Its grid says
between which values they are drawn, on a logarithmic scale. What is drawn follows from the search
and its results so far, so that a search goes on where it was stopped.
"""

import math
from collections.abc import Mapping
from typing import Any

from rpu_ssnn.common.optional import optional_package
from studies.declaration.points import Point
from studies.declaration.search.hyperparameters import grid, search_key
from studies.declaration.study import SearchSettings
from studies.declaration.update_rules.base import Hyperparameters

ROUND = 4
"""Candidates that are drawn at a time. A constant: the number of workers must change no result."""

MOST_DRAWS = 500
"""Where all settings have one value, nothing new can be drawn: then a search ends early."""

DRAWN_DIGITS = 4
"""Of a drawn value."""


def drawn(
    point: Point,
    search: SearchSettings,
    reached: Mapping[Hyperparameters, float],
    at_once: int = ROUND,
) -> list[Hyperparameters]:
    """The candidates of the next round; none if the search has had all of its own.

    Args:
        reached: validation accuracy (%) of each candidate so far.

    Raises:
        InputError: Optuna is not installed.
    """
    left = search.budget - len(reached)
    if left <= 0:
        return []
    optuna = optional_package("optuna", "rpu-ssnn[search]", "study", "search.sampler", "tpe")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ranges = _ranges(grid(point, search))
    distributions = {
        name: optuna.distributions.FloatDistribution(low, high, log=True)
        for name, (low, high) in ranges.items()
    }
    seed = (int(search_key(point, search), 16) + len(reached)) % 2**32
    sampler = optuna.samplers.TPESampler(seed=seed)
    memory = optuna.create_study(direction="maximize", sampler=sampler)
    for drive, accuracy in reached.items():
        params = drive.model_dump(include=set(ranges))
        memory.add_trial(
            optuna.trial.create_trial(params=params, distributions=distributions, value=accuracy)
        )
    asked: list[Hyperparameters] = []
    for _ in range(MOST_DRAWS):
        if len(asked) == min(at_once, left):
            break
        values = memory.ask(distributions).params
        drive = Hyperparameters(**{name: _rounded(v, *ranges[name]) for name, v in values.items()})
        if drive not in reached and drive not in asked:
            asked.append(drive)
    return asked


def _ranges(candidates: list[Hyperparameters]) -> dict[str, tuple[float, float]]:
    """Least and largest value of each setting that the case has."""
    ranges: dict[str, tuple[float, float]] = {}
    for name in Hyperparameters.model_fields:
        values: list[Any] = [getattr(drive, name) for drive in candidates]
        if None not in values:
            ranges[name] = min(values), max(values)
    return ranges


def _rounded(value: float, low: float, high: float) -> float:
    digits = DRAWN_DIGITS - 1 - math.floor(math.log10(value))
    return min(max(round(value, digits), low), high)
