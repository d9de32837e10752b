"""Studies: declared comparisons of devices, run trial by trial, ending in tidy tables."""

from rpu_ssnn.common.errors import InputError
from studies.declaration.study import Study, load_study
from studies.execution.api import TrialsFailedError, load_results, run_study
from studies.results.summary import summary

__all__ = [
    "InputError",
    "Study",
    "TrialsFailedError",
    "load_results",
    "load_study",
    "run_study",
    "summary",
]
