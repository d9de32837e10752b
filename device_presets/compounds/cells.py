"""Finds the compounds: cells of several devices that may improve on a single device.

``tiki_taka(reram_sb)`` uses two ``reram_sb`` devices per weight; ``tiki_taka(capacitor, ecram)``
transfers from a fast capacitor to a slow, non-volatile partner.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from device_presets.compounds import kinds
from device_presets.compounds.compound import Compound

_FILES = [import_module(f"{kinds.__name__}.{file.name}") for file in iter_modules(kinds.__path__)]

COMPOUNDS: Mapping[str, Compound] = MappingProxyType(
    {name: cell for file in _FILES for name, cell in file.CELLS.items()}
)
"""The cells by name."""
