"""NeuroSim's published metrics of a device: from metrics to a preset, and back."""

from device_presets.neurosim_metrics.from_metrics import (
    PublishedMetrics,
    entry_from_metrics,
    text_from_metrics,
)
from device_presets.neurosim_metrics.measure import Metrics, measure, metrics_table

__all__ = [
    "Metrics",
    "PublishedMetrics",
    "entry_from_metrics",
    "measure",
    "metrics_table",
    "text_from_metrics",
]
