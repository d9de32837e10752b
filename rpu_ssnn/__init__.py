"""The spiking front end of SSNN-BP, and the synapses that its weights live in.

Start reading at `rpu_ssnn.spec` (what a network is), `rpu_ssnn.network` (the pass over time) and
`rpu_ssnn.synapses.base` (the seam between the two kinds of weights). `__init__.pyi` lists the
public names; each is imported at its first use, since torch and numba take seconds.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
