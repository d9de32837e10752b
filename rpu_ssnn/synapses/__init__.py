"""Weights of a crossbar behind one interface, `Synapses`: floats, aihwkit tiles, native devices."""

from rpu_ssnn.synapses.base import Crossbar, PulseBlock, Synapses, SynapsesFactory
from rpu_ssnn.synapses.float_weights import (
    CoincidenceSynapses,
    RateSynapses,
    coincidence_synapses,
    rate_synapses,
)

__all__ = [
    "CoincidenceSynapses",
    "Crossbar",
    "PulseBlock",
    "RateSynapses",
    "Synapses",
    "SynapsesFactory",
    "coincidence_synapses",
    "rate_synapses",
]
