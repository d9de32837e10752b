"""Validation errors of a study in one line."""

from rpu_ssnn.common.validation import explained as explained
from rpu_ssnn.common.validation import validated as validated
