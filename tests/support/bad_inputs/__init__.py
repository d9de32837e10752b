"""Bad inputs of every kind and command, and what the one line that refuses each must say."""

from support.bad_inputs.builders import Bad, write
from support.bad_inputs.data import DATA
from support.bad_inputs.devices import DEVICES
from support.bad_inputs.fits import FITS
from support.bad_inputs.numbers import NUMBERS
from support.bad_inputs.options import OPTIONS
from support.bad_inputs.studies import STUDIES
from support.bad_inputs.study_keys import STUDY_KEYS
from support.bad_inputs.sweeps import SWEEPS

__all__ = ["BAD_INPUTS", "SLOW", "Bad", "write"]

BAD_INPUTS = [*STUDIES, *STUDY_KEYS, *SWEEPS, *DEVICES, *DATA, *FITS, *NUMBERS, *OPTIONS]

SLOW = (
    "20,000 sweep values",
    "a gzip of 100 MB",
    "a scheduler of no place",
    "images by a variable",
)
"""Names of those that take a second or more."""
