"""Studies: declared comparisons of devices, run unit by unit, ending in tidy tables."""

from rpu_ssnn.errors import InputError
from studies.api import UnitsFailedError, load_results, run_study
from studies.study import Study, load_study
from studies.table import summary

__all__ = [
    "InputError",
    "Study",
    "UnitsFailedError",
    "load_results",
    "load_study",
    "run_study",
    "summary",
]
