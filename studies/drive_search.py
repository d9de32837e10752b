"""The drives of a study in its folder: known ones, or searched."""

from collections.abc import Sequence

from studies.drives import Drives, FoundDrive, known_drives, read_drives, search_key, write_drives
from studies.keeping import FailureList
from studies.options import Options
from studies.points import Point
from studies.results import Versions
from studies.search import best, candidates
from studies.stage import Stage, read_store
from studies.store import ResultFolder
from studies.study import Study
from studies.unit import point_title


def drive_files(study: Study, folder: ResultFolder) -> list[Drives]:
    """The drives that are known: of the study's file and of the folder's."""
    return [read_drives(path) for path in (study.drives, folder.drives) if path is not None]


def find_drives(
    study: Study, folder: ResultFolder, options: Options, failures: FailureList
) -> dict[str, FoundDrive]:
    """Drives by search key: from the study's file, the folder's, or else a search."""
    files = drive_files(study, folder)
    points = [point for point in study.points() if point.drive is None]
    drives = known_drives(points, study.search, files)
    unknown = [point for point in points if search_key(point, study.search) not in drives]
    if unknown:
        titles = ", ".join(point_title(point.label, point.sweep) for point in unknown)
        options.reporter.note(f"no searched drive for these settings, searching: {titles}")
        drives |= search(study, unknown, folder, options, failures)
    write_drives(folder.drives, by_title(study, drives))
    return drives


def search(
    study: Study,
    points: Sequence[Point],
    folder: ResultFolder,
    options: Options,
    failures: FailureList,
) -> dict[str, FoundDrive]:
    """Drives by search key; none for a search of which a run failed."""
    tried = candidates(study, points)
    stored = read_store(folder.search, options.reporter).by_identity
    finished = {
        identity: result
        for identity, result in stored.items()
        if Versions.of(result) == Versions.here()
    }
    missing = [run.unit for run in tried if run.unit.identity not in finished]
    Stage("search", folder, folder.search, finished, options, failures).run(missing, len(tried))
    incomplete = {run.key for run in tried if run.unit.identity not in finished}
    complete = [(run, finished[run.unit.identity]) for run in tried if run.key not in incomplete]
    found = best(complete)
    for outcome in found.values():
        options.reporter.note(outcome.sentence)
    return {key: outcome.drive for key, outcome in found.items()}


def by_title(study: Study, drives: dict[str, FoundDrive]) -> dict[str, FoundDrive]:
    titled = {}
    for point in study.points():
        found = drives.get(search_key(point, study.search)) if point.drive is None else None
        if found is not None:
            titled[point_title(point.label, point.sweep)] = found
    return titled
