"""Where weights live: float weights, aihwkit tiles or native devices, interchangeable behind `Synapses`."""

from rpu_ssnn.synapses.base import Crossbar, PulseBlock, Synapses, SynapsesFactory
from rpu_ssnn.synapses.ideal import (
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
