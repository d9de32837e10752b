"""The error that this package raises for bad input."""

from rpu_ssnn.common.errors import PresetError as PresetError
