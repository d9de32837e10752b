"""Declares comparisons of devices as studies, runs them trial by trial, and makes tidy tables.

`__init__.pyi` lists the public names; each is imported at its first use.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
