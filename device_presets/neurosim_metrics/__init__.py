"""NeuroSim's published metrics of a device: from metrics to a preset, and back."""

from device_presets.neurosim_metrics.from_metrics import PublishedMetrics, text_from_metrics
from device_presets.neurosim_metrics.measure import measure, metrics_table

__all__ = ["PublishedMetrics", "measure", "metrics_table", "text_from_metrics"]
