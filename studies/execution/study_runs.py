"""Runs a study in its output folder: first the search, then every trial without a row."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rpu_ssnn.common.errors import Fault, InputError, nearest, require, require_kind, several
from rpu_ssnn.common.files import is_regular, user_path
from rpu_ssnn.common.wording import counted, listed
from rpu_ssnn.data.user_data import file_digest
from rpu_ssnn.doctor import require_compilation
from studies.declaration.hyperparameters import (
    HyperparameterTable,
    known_hyperparameters,
    trials_of,
    with_hyperparameters,
)
from studies.declaration.shipped import find_study, kept_rows, records
from studies.declaration.study import Study, refuse_missing_images
from studies.declaration.trial import Runs, Trial, TrialResult
from studies.execution.hyperparameter_search import find_hyperparameters
from studies.execution.imported_results import read_imported_rows, refuse_conflict, resume
from studies.execution.phase import FolderRun, Options, Outcome, Tables, in_balanced_order
from studies.results.result_folder import (
    ResultFolder,
    is_ours,
    open_folder,
    refuse_foreign,
    stored_study,
)
from studies.results.store import StoredRuns, Versions
from studies.results.tables import RESULTS_CSV

A_TRIAL = "at least one finished trial"
"""A folder is shown only if it has at least one finished trial; errors use these words."""

NO_ROWS = StoredRuns({}, [])
"""Stands in when no rows are imported."""


def run_in_folder(study: Study, root: Path, options: Options) -> Outcome:
    """Searches for unknown hyperparameters, then runs the missing trials.

    Raises:
        InputError: the input is bad; this is checked before anything runs.
        BrokenEnvironmentError: aihwkit and torch do not fit, or numba cannot store compiled code.
        KeyboardInterrupt: the user interrupts; finished rows are kept and the tables rebuilt.
        OSError: a row or a table could not be written; earlier rows are kept.
    """
    kept = read_imported_rows(options.kept_rows)
    if kept.faults and not (kept.by_identity or options.is_part):
        raise kept.faults[0]
    for error in kept.faults:
        options.reporter.note(f"left out: {error}")
    _refuse_early(study, root, options, kept.by_identity)
    with open_folder(root, study) as folder:
        run = FolderRun(folder, options)
        if options.told:
            run.note(options.told)
        known: HyperparameterTable = {}
        if any(point.hyperparameters is None for point in study.points()):
            known = find_hyperparameters(study, run)
        trials = trials_of(study, known)
        stored = run.stored(folder.trials)
        for line in () if options.is_part else _hidden_rows(stored.n_beside(trials), study):
            run.note(line)
        if options.kept_rows:
            taken = resume(kept.by_identity, trials, folder.trials, stored)
            files = ", ".join(map(str, options.kept_rows))
            if taken or not options.is_part:  # later studies of a question mostly need none
                run.note(f"{counted(taken, 'finished row')} taken from {files}")
        finished = _usable(trials, stored, root, options)
        tables = Tables(root, trials, finished)
        missing = [trial for trial in in_balanced_order(trials) if trial.identity not in finished]
        try:
            run.phase("trials", missing, len(trials), finished, then=tables.refresh)
        finally:
            tables.rebuild()
        run.write_failures()
        return Outcome(tables.runs(), run.failures)


def runner_of(root: Path, options: Options) -> Callable[[Study], Outcome]:
    """Returns a function that runs one study after another in the same folder.

    `attribute`, `require` and `decompose` use it. Only the first study repeats trials that failed
    earlier; if later ones did so too, they would repeat trials that failed just now.
    """
    first, later = iter([options]), replace(options, retry_failed=False, told="")

    def run(study: Study) -> Outcome:
        require_kind("runner", "study", study, Study, ", which load_study returns")
        return run_in_folder(study, root, replace(next(first, later), is_part=True))

    return run


def finished_in(root: Path, rows: Sequence[Path]) -> Callable[[Study], Outcome]:
    """Returns what gives the finished runs of a study in a folder, and runs nothing.

    Args:
        rows: results files whose rows count as finished.
    """
    kept = read_imported_rows(rows)
    return lambda study: Outcome(contents_of(study, root, kept).runs, [])


def of_whole_seeds(finished: Callable[[Study], Outcome]) -> Callable[[Study], Outcome]:
    """Returns a function that gives only the runs of seeds that are finished in every case.

    Args:
        finished: such a function for the runs of all seeds (`finished_in`).
    """

    def complete(study: Study) -> Outcome:
        runs = finished(study).runs
        done = {(trial.label, trial.sweep, trial.settings.seed) for trial, _ in runs}
        left = {
            seed
            for point in study.points()
            for seed in point.seeds
            if (point.label, point.sweep, seed) not in done
        }
        return Outcome([run for run in runs if run[0].settings.seed not in left], [])

    return complete


def with_own_folder(study: Study, root: Path) -> tuple[Study, list[Path]]:
    """Returns the study with the hyperparameters that earlier searches found, in its file or its
    folder, and the folder's file of finished rows, if there is one.

    The folder is ignored if it belongs to another study or its rows were made from other data.
    """
    folder = ResultFolder(root)
    try:
        refuse_foreign(root, study)
        _refuse_changed_data(study, _made_in(folder), root)
    except InputError:
        return with_hyperparameters(study, known_hyperparameters(study)), []
    files = folder.hyperparameters, root / RESULTS_CSV
    searched, rows = ([file] if is_regular(file) else [] for file in files)
    return with_hyperparameters(study, known_hyperparameters(study, *searched)), rows


@dataclass(frozen=True)
class FolderContents:
    """Holds the study of an output folder, its finished runs, and what was left out.

    Attributes:
        hyperparameters: found by a search, by title of the point.
        runs: finished trials, in the order of the study.
        faults: errors of the trial files and imported rows that were left out.
        not_shown: lines about rows of files, and finished trials of the folder, that do not belong
            to any trial of the study.
    """

    study: Study
    hyperparameters: HyperparameterTable
    runs: Runs
    faults: list[InputError]
    not_shown: Sequence[str] = ()


_OR_ROWS = ", or the name of a study whose rows are in docs/results, or a study with --rows"


def look_into(root: Path) -> FolderContents:
    """Reads the study of an output folder and its finished runs, without writing to the folder.

    Raises:
        InputError: it is not an output folder.
    """
    return contents_of(stored_study(root), root)


def contents_of(study: Study, root: Path, imported: StoredRuns = NO_ROWS) -> FolderContents:
    """Reads the finished runs of a study from an output folder, which may be missing.

    Args:
        imported: rows that count as finished where the folder has none.

    Raises:
        InputError: a file with hyperparameters is not valid.
    """
    found = Fault("Not a directory")
    require(root.is_dir() or not root.exists(), root, "output folder", found, "must be a folder")
    folder = ResultFolder(root)
    known = known_hyperparameters(study, folder.hyperparameters)
    stored = folder.trials.read_all()
    hidden = _hidden_rows(stored.n_beside(trials_of(study, known)), study)
    for identity, run in imported.by_identity.items():
        stored.add(identity, run)
    stored = StoredRuns(stored.by_identity, stored.faults + imported.faults)
    return replace(_contents(study, known, stored), not_shown=hidden)


def files_of_rows(command: str, rows: Path | str | Sequence[Path | str]) -> list[Path]:
    """Returns the paths of the one or several results files that a user named.

    Raises:
        InputError: a value cannot be a path.
    """
    return [user_path(command, "rows", file) for file in several(command, "rows", rows)]


def shown_contents(where: Path, rows: Sequence[Path] = ()) -> FolderContents:
    """Reads the contents that tables, figures and reports show, without writing anything.

    Args:
        where: an output folder, or a record or its name, whose kept rows are read. If `rows` are
            given, it may also be a study file.
        rows: results files whose rows count too.

    Raises:
        InputError: `where` is none of these, the files have no row of the study, or two rows of
            one trial differ.
    """
    is_output = is_ours(where)
    files = list(rows) or ([] if is_output else kept_rows(str(where)))
    if not files:
        near = [] if where.exists() else nearest(records(), where)
        return contents_of(stored_study(where, _OR_ROWS, near), where)
    imported, named = read_imported_rows(files), _named(files)
    others = imported.by_identity
    if is_output:
        contents = contents_of(stored_study(where), where, imported)
        for trial, result in contents.runs:
            if trial.identity in others:
                known, here = others[trial.identity], f"{trial.title} of {where}"
                refuse_conflict(where, result, here, known, named)
    else:
        study = find_study(str(where))
        contents = _contents(study, known_hyperparameters(study), imported)
        _refuse_changed_data(study, (result for _, result in contents.runs), named)
    used = {trial.identity for trial, _ in contents.runs} & others.keys()
    if not used:
        if imported.faults and not others:
            raise imported.faults[0]
        allowed = f"must have rows of trials of {contents.study.study}"
        fault = Fault("only those of other trials" if others else "none")
        raise InputError(named, "rows", fault, allowed)
    if left := len(others) - len(used):
        beside = counted(left, "row of the files belongs", "rows of the files belong")
        told = f"{beside} to no trial of {contents.study.study} (other settings or seeds)"
        return replace(contents, not_shown=[told, *contents.not_shown])
    return contents


def refuse_empty(root: Path, contents: FolderContents) -> None:
    """Refuses a folder without a finished trial.

    Raises:
        InputError: there is none; if trial files are damaged, the error of the first one.
    """
    if not contents.runs:
        hidden = "".join(f" ({line})" for line in contents.not_shown)
        nothing = InputError(root, "trials", 0, f"there must be {A_TRIAL}{hidden}")
        raise contents.faults[0] if contents.faults else nothing


def _hidden_rows(n: int, study: Study) -> list[str]:
    """Returns a line about the finished trials of a folder that do not belong to its study, if
    there are any."""
    trials = counted(n, "finished trial has", "finished trials have")
    line = f"{trials} other settings, devices or seeds than {study.study} has now: not shown, but "
    return [f"{line}kept in the folder trials"] if n else []


def _contents(study: Study, known: HyperparameterTable, stored: StoredRuns) -> FolderContents:
    done, trials = stored.by_identity, trials_of(study, known)
    runs = [(trial, done[trial.identity]) for trial in trials if trial.identity in done]
    return FolderContents(study, known, runs, stored.faults)


def _refuse_early(study: Study, root: Path, options: Options, kept: dict[str, TrialResult]) -> None:
    """Refuses bad input as far as possible before a folder is made or a process started.

    Args:
        kept: imported rows by identity; those of the study must have been made from its data.

    Raises:
        InputError: see `run_in_folder`.
    """
    require_compilation()
    refuse_rows_of_other_data(study, root, kept, options.kept_rows)
    # Finished trials need no images; for the others, the check of the workers reports it.
    finished = options.kept_rows or any(ResultFolder(root).trials.folder.glob("*.json"))
    refuse_missing_images(study, options.job.data_root, needed=not finished)


def refuse_rows_of_other_data(
    study: Study, root: Path, kept: Mapping[str, TrialResult], files: Sequence[Path]
) -> None:
    """Refuses a folder of another study, and rows made from data that have changed since.

    Args:
        kept: imported rows by identity; those of other trials are ignored.
        files: the files of these rows, for the error.

    Raises:
        InputError: the folder is foreign, or a data file has changed.
    """
    refuse_foreign(root, study)
    folder = ResultFolder(root)
    _refuse_changed_data(study, _made_in(folder), root)
    known = known_hyperparameters(study, folder.hyperparameters)
    own = [kept[trial.identity] for trial in trials_of(study, known) if trial.identity in kept]
    _refuse_changed_data(study, own, _named(files))


def _named(files: Sequence[Path]) -> str:
    return listed(list(map(str, files)))


def _made_in(folder: ResultFolder) -> Iterator[TrialResult]:
    """Yields all finished runs of the folder, including those of the search."""
    stores = (store.read_all() for store in (folder.trials, folder.search))
    return (result for stored in stores for result in stored.by_identity.values())


def _refuse_changed_data(study: Study, made: Iterable[TrialResult], place: object) -> None:
    """Refuses a data file of a study that has changed since finished runs were made from it.

    Args:
        made: the finished runs, including those of a search.
        place: their folder or files, for the error.

    Raises:
        InputError: the data file has changed. A missing file is accepted, since finished rows do
            not need it.
    """
    data = (point.dataset.own for point in study.points())
    files = {str(own): own for own in data if own is not None and own.file.exists()}
    if not files:
        return
    digests: dict[str, set[str]] = {}
    places = {own.file.name: own.file for own in files.values()}
    for own in files.values():
        digests.setdefault(own.file.name, set()).add(file_digest(own))
    for result in made:
        name, made_of = str(result.row.get("data_file")), result.row.get("file_digest")
        if name in digests and made_of not in digests[name]:
            allowed = (
                f"must be {made_of}, that of the rows in {place}; restore those data, or give "
                "another --out"
            )
            found = ", ".join(sorted(digests[name]))
            raise InputError(places[name], "digest", found, allowed)


def _usable(
    trials: Sequence[Trial], stored: StoredRuns, root: Path, options: Options
) -> dict[str, TrialResult]:
    """Returns the finished trials by identity, and treats those of other versions as
    `options.other_versions` demands."""
    here = Versions.here()
    done = stored.by_identity
    finished = {trial.identity: done[trial.identity] for trial in trials if trial.identity in done}
    others = {
        identity: difference
        for identity, result in finished.items()
        if (difference := Versions.of(result).difference(here))
    }
    if not others or options.other_versions == "accept":
        return finished
    if options.other_versions == "rerun":
        return {identity: result for identity, result in finished.items() if identity not in others}
    kinds = "; ".join(sorted(set(others.values())))
    fault = Fault(f"{len(others)} of {len(trials)}, made with {kinds}")
    allowed = "--other-versions accept keeps them, and --other-versions rerun runs them again"
    raise InputError(root, "rows of other versions", fault, allowed)
