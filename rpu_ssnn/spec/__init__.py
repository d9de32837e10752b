"""Settings of networks, training, tiles and effects of an array, as validated, frozen data."""

from rpu_ssnn.spec.base import InSingle, OneLine, Positive, Range, Share, Spec, list_of
from rpu_ssnn.spec.layers import (
    Connection,
    ConvLayer,
    ConvSpec,
    Grid,
    connect,
    layer_names,
    lines_of,
    slot_cycles,
)
from rpu_ssnn.spec.network import (
    LITERAL_GRADIENT,
    MOST_SLOTS,
    Contrast,
    EncodingSpec,
    GradientSpec,
    InhibitionSpec,
    InitialScale,
    NetworkSpec,
    NeuronSpec,
)
from rpu_ssnn.spec.neuron_circuit import CircuitSpec
from rpu_ssnn.spec.training import RATES_NEED_PRESENTATIONS, Schedule, SurrogateSpec, TrainingSpec

__all__ = [
    "LITERAL_GRADIENT", "MOST_SLOTS", "RATES_NEED_PRESENTATIONS",
    "CircuitSpec", "Connection", "Contrast", "ConvLayer", "ConvSpec", "EncodingSpec",
    "GradientSpec", "Grid", "InSingle", "InhibitionSpec", "InitialScale", "NetworkSpec",
    "NeuronSpec", "OneLine", "Positive", "Range", "Schedule", "Share", "Spec", "SurrogateSpec",
    "TrainingSpec", "connect", "layer_names", "lines_of", "list_of",
    "slot_cycles",
]  # fmt: skip
