"""Runs the hyperparameter search of a study: successive halving, with the same candidates in every
case."""

import itertools
from collections import Counter

from rpu_ssnn.common.wording import counted, listed
from studies.declaration.hyperparameters import (
    FoundHyperparameters,
    HyperparameterTable,
    hyperparameters_of,
    known_hyperparameters,
    settings_hash,
    write_hyperparameters,
)
from studies.declaration.search import Choice, Race, choose, in_words, reached
from studies.declaration.study import Study
from studies.execution.phase import FolderRun
from studies.workers.workspace import Workspace


def find_hyperparameters(study: Study, run: FolderRun) -> HyperparameterTable:
    """Returns hyperparameters by title of point, from the study's file, the folder or a search."""
    file = run.folder.hyperparameters
    known = known_hyperparameters(study, file)
    races = [
        Race.of(point, study.study, study.search, study.measure)
        for point in study.points()
        if hyperparameters_of(point, known) is None
    ]
    if races:
        by_case = Counter(race.point.label for race in races)
        names = [f"{case} ({n} points)" if n > 1 else case for case, n in by_case.items()]
        why = "as none are known for these settings"
        run.note(f"hyperparameters are searched first for {listed(names)}, {why}")
        for choice in _search(races, run):
            point = choice.race.point
            known[point.title] = FoundHyperparameters(
                **choice.chosen.model_dump(),
                validation_accuracy=round(choice.accuracy, 3),
                settings=settings_hash(point),
            )
            run.note(_sentence(choice))
    elif known:
        origin = f"are known from a search before, and kept in {file}"
        run.note(f"learning rates and weight ranges of {counted(len(known), 'case')} {origin}")
    write_hyperparameters(file, known)
    return known


def _search(races: list[Race], run: FolderRun) -> list[Choice]:
    """Returns the choice for each point, except for points with a failed run."""
    workspace = Workspace(run.folder.running)
    done = run.stored(run.folder.search).made_here
    for number in itertools.count():
        pending = [(race, race.runs(number)) for race in races]
        runs = [trial for _, trials in pending for trial in trials]
        if not runs:
            break
        missing = [trial for trial in runs if not reached(trial, done)]
        if number and missing:
            run.note("search: the better part of the candidates trains on")
        run.phase("search", missing, len(runs), done)
        races = [race for race, trials in pending if all(reached(trial, done) for trial in trials)]
        for race in races:
            for lost in race.halve(number, done):
                workspace.remove(lost.identity, "npz")
    choices = choose(races, done)
    tried = {trial.identity for choice in choices for trial in choice.race.trials.values()}
    winners = {choice.race.trials[choice.chosen].identity for choice in choices}
    for identity in tried - winners:  # trials continue from the checkpoints of the winners
        workspace.remove(identity, "npz")
    return choices


def _sentence(choice: Choice) -> str:
    """Describes the choice in one line for the console."""
    settings = in_words(choice.chosen, list(choice.race.trials))
    title, on = choice.race.point.title, f"{choice.accuracy:.2f} % of held-out samples"
    sentence = f"hyperparameters of {title}: {settings}; {on}"
    if choice.level:
        with_others = counted(len(choice.level), "other")
        sentence += f"; shared with {with_others}, since no candidate is clearly better "
        sentence += f"(noise of held-out samples: {choice.noise:.2f} points)"
    return sentence
