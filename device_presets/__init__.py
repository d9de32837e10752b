"""Provides presets of analog memory devices for aihwkit tiles, with the source of every number.

`__init__.pyi` lists the public names; each is imported when it is first used.

>>> get_preset("charge_trap", {"cycle_to_cycle": 0.1}).device()  # an aihwkit device
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
