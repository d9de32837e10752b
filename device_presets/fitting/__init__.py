"""From a measured pulse train to a preset, in one call: ``fit_file``."""

from device_presets.fitting.fit_file import FittedDevice, fit_file
from device_presets.fitting.results.intervals import Quantity

__all__ = ["FittedDevice", "Quantity", "fit_file"]
