"""Hyperparameters of a study in its folder: known ones, or searched."""

import itertools
from collections import Counter
from collections.abc import Sequence

from rpu_ssnn.common.wording import listed
from studies.declaration.points import Point
from studies.declaration.search.candidates import best, candidates, next_round
from studies.declaration.search.hyperparameters import (
    FoundHyperparameters,
    known_hyperparameters,
    search_key,
    searched,
    write_hyperparameters,
)
from studies.declaration.study import Study
from studies.declaration.update_rules.base import Hyperparameters
from studies.execution.options import Options
from studies.execution.phase import Phase, read_store
from studies.execution.writer import FailureList
from studies.results.result_folder import ResultFolder
from studies.results.tables import made_here


def find_hyperparameters(
    study: Study, folder: ResultFolder, options: Options, failures: FailureList
) -> dict[str, FoundHyperparameters]:
    """Hyperparameters by title of the point: from the study's file, the folder's, or a search."""
    known = known_hyperparameters(study, study.hyperparameters_file, folder.hyperparameters)
    unknown = [point for point, found in searched(study, known) if found is None]
    if unknown:
        by_case = Counter(point.label for point in unknown)
        names = [f"{case} ({n} points)" if n > 1 else case for case, n in by_case.items()]
        options.reporter.note(f"hyperparameters are searched first of {listed(names)}")
        known |= search(study, unknown, folder, options, failures)
    write_hyperparameters(folder.hyperparameters, known)
    return known


def search(
    study: Study,
    points: Sequence[Point],
    folder: ResultFolder,
    options: Options,
    failures: FailureList,
) -> dict[str, FoundHyperparameters]:
    """Hyperparameters by title of the point; none if a run of the search failed."""
    searched_points = points
    finished = made_here(read_store(folder.search, options.reporter).by_identity)
    asked: dict[str, list[Hyperparameters]] = {}
    at_least = len(candidates(study, points, at_once=study.search.budget))
    for number in itertools.count(1):
        tried = candidates(study, points, asked)
        missing = [run.trial for run in tried if run.trial.identity not in finished]
        phase = Phase("search", folder, folder.search, finished, options, failures)
        later = max(0, at_least - len(tried))
        phase.run(missing, len(tried) + later, later=later)
        incomplete = {run.key for run in tried if run.trial.identity not in finished}
        complete = [
            (run, finished[run.trial.identity]) for run in tried if run.key not in incomplete
        ]
        further = next_round(number, complete, study.search)
        if not further:
            break
        asked |= further
        # A failed run is not tried again in each round.
        points = [p for p in points if search_key(p, study.search) not in incomplete]
    found = best(complete, study.search)
    for outcome in found.values():
        options.reporter.note(outcome.sentence)
    return {
        point.title: found[key].found
        for point in searched_points
        if (key := search_key(point, study.search)) in found
    }
