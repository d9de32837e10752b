"""The spiking network of SSNN-BP, and its weights: floats or simulated devices.

Start reading at `rpu_ssnn.spec` (settings of a network), `rpu_ssnn.network` (simulation over time)
and `rpu_ssnn.synapses.base` (the interface of all kinds of weights). `__init__.pyi` lists the
public names; each is imported at its first use, since torch and numba take seconds.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
