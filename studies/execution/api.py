"""Runs studies and loads their results as pandas tables."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pandas as pd

from rpu_ssnn.common.errors import InputError as InputError
from rpu_ssnn.common.errors import RpuSsnnError, require, require_kind
from rpu_ssnn.common.files import user_path
from rpu_ssnn.common.wording import counted
from studies.declaration.shipped import find_study
from studies.declaration.study import Study
from studies.execution.phase import Options, Outcome, training_job
from studies.execution.progress import ClosedPipeConsole, Reporter
from studies.execution.study_runs import files_of_rows, run_in_folder, runner_of, shown_contents
from studies.results.comparison import REFERENCE
from studies.results.tables import FAILURES_CSV, results_frame
from studies.workers.executor import Executor
from studies.workers.local_executor import LocalExecutor


class TrialsFailedError(RpuSsnnError):
    """Raised when trials failed; the rows of the others are in the output folder.

    >>> from studies import TrialsFailedError, load_results, run_study
    >>> try:  # doctest: +SKIP
    ...     results = run_study("my_study.yaml", "out/mine")
    ... except TrialsFailedError:
    ...     results = load_results("out/mine")
    """


def run_study(
    study: Study | Path | str,
    out: Path | str | None = None,
    *,
    workers: int | None = None,
    data: Path | str | None = None,
    retry_failed: bool = False,
    executor: Executor | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Runs the missing trials of a study, and returns its results, one row per trial.

    The worker processes do not import the calling script, which therefore needs no
    ``if __name__ == "__main__":``.

    >>> from studies import run_study, summary
    >>> results = run_study("digits_devices", workers=2)  # doctest: +SKIP
    >>> summary(results)[["case", "accuracy", "gap"]]  # doctest: +SKIP

    Args:
        study: a study, its file, or the name of a shipped one.
        out: output folder; None means ``out/NAME``.
        workers: number of worker processes; None means one per CPU.
        data: folder with the images; None means the environment variable RPU_SSNN_DATA.
        retry_failed: whether to repeat trials that failed in an earlier call.
        executor: starts workers elsewhere, such as one that
            `studies.workers.clusters.executor_of` makes; the caller closes it. None means
            processes on this machine.
        progress: whether to show a progress bar and notes on standard error.

    Raises:
        InputError: the input is bad; this is checked before anything runs.
        BrokenEnvironmentError: aihwkit and torch do not fit, or numba cannot store compiled code.
        TrialsFailedError: trials failed; the rows of the others are kept. Another call repeats the
            failed ones only with `retry_failed`.
    """
    can_start = executor is None or hasattr(executor, "start_pool")
    require(can_start, "run_study", "executor", executor, "must be None, or made by executor_of")
    require_kind("run_study", "retry_failed", retry_failed, bool)
    require_kind("run_study", "progress", progress, bool)
    declared = study if isinstance(study, Study) else find_study(str(study))
    root = declared.default_folder if out is None else user_path("run_study", "out", out)
    with ExitStack() as stack:
        executor = executor or stack.enter_context(closing(LocalExecutor(workers)))
        outcome = run_in_folder(declared, root, _options(executor, data, progress, retry_failed))
    if outcome.failures:
        first = outcome.failures[0]
        raise TrialsFailedError(
            f"{counted(len(outcome.failures), 'trial')} failed ({root / FAILURES_CSV} lists what "
            f"failed); the first is {first.title}: {first.message}"
        )
    return _with_reference(results_frame(outcome.runs), declared)


@contextmanager
def runner(
    out: Path | str,
    *,
    workers: int | None = None,
    data: Path | str | None = None,
    progress: bool = True,
) -> Iterator[Callable[[Study], Outcome]]:
    """Yields the function with which `attribute`, `decompose` and `require` run their studies.

    The workers end with the context.

    >>> from studies import attribute, load_study, runner
    >>> with runner("out/question") as run:  # doctest: +SKIP
    ...     found = attribute(load_study("my_study.yaml"), "charge_trap", run)

    Args:
        out: output folder of the question.
        workers, data, progress: as for `run_study`.
    """
    root = user_path("runner", "out", out)
    with closing(LocalExecutor(workers)) as executor:
        options = _options(executor, data, progress)
        yield runner_of(root, options)


def _options(
    executor: Executor, data: Path | str | None, progress: bool, retry_failed: bool = False
) -> Options:
    root = None if data is None else user_path("run_study", "data", data)
    there = root is None or root.is_dir()
    require(there, "run_study", "data", str(data), "must be an existing folder")
    return Options(
        job=training_job(root),
        reporter=Reporter(ClosedPipeConsole(stderr=True) if progress else None),
        executor=executor,
        retry_failed=retry_failed,
    )


def load_results(folder: Path | str, rows: Path | str | Sequence[Path | str] = ()) -> pd.DataFrame:
    """Returns the results of an output folder so far, even while its study runs.

    >>> from studies import load_results
    >>> results = load_results("out/digits_devices")  # doctest: +SKIP
    >>> results.groupby("label")["test_accuracy"].mean()  # doctest: +SKIP

    Args:
        folder: an output folder, or the name of a shipped study, whose rows kept in this
            repository are read. If `rows` are given, it may also be a study file.
        rows: one or several results files whose rows count too; a trial that is in several files
            counts once.

    Warns:
        UserWarning: a damaged trial file or an invalid row is left out, or rows do not belong to
            any trial of the study.

    Raises:
        InputError: `folder` is not an output folder or study, the files have no row of the study,
            or two rows of one trial differ.
    """

    contents = shown_contents(
        user_path("load_results", "folder", folder), files_of_rows("load_results", rows)
    )
    ours = str(Path(__file__).parents[1])
    for line in (*(f"left out: {error}" for error in contents.faults), *contents.not_shown):
        warnings.warn(line, skip_file_prefixes=(ours,))
    return _with_reference(results_frame(contents.runs), contents.study)


def _with_reference(results: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Stores the reference of the study as an attribute of the results, for `summary`."""
    results.attrs[REFERENCE] = study.reference_label
    return results
