"""The events of presentations at each crossbar, from which the ledger of a chip is computed."""

import numpy as np
from jaxtyping import Int64

from rpu_ssnn.engine.state import Presentations
from rpu_ssnn.spec import Connection

LINES = ("input_lines", "output_lines", "positions", "replicas")
"""Columns for the lines of a crossbar, all replicas included."""

type EventCounts = Int64[np.ndarray, "crossbars 5"]

TRAINING = (
    "forward_reads_total",
    "forward_lines_total",
    "transposed_reads_total",
    "forward_spikes_total",
    "gradient_spikes_total",
)
"""The columns of events. Reads and their lines are as in `Presentations.reads`, and spikes are
those of the neurons above the crossbar. A transposed read drives one line for each gradient
spike."""

INFERENCE = ("inference_reads_total", "inference_lines_total", "inference_spikes_total")
"""Columns in the row of a trial for the forward events of the images that were shown last."""


def events_of(shown: Presentations) -> EventCounts:
    """Returns the sums over presentations."""
    above = slice(1, 1 + shown.reads.shape[1])
    spikes = (shown.spikes, shown.gradient_spikes)
    neuron_spikes = [each[:, above].sum(axis=0) for each in spikes]
    return np.column_stack([shown.reads.sum(axis=0), *neuron_spikes])


def event_statistics(
    connection: Connection, training: Int64[np.ndarray, "5"], last: Int64[np.ndarray, "5"]
) -> dict[str, float]:
    """Returns the lines and the events of one crossbar by name, for the result row.

    Args:
        training: the events of all presentations in training.
        last: the events of the last inference.
    """
    lines = zip(LINES, (*connection.shape, connection.positions, connection.replicas), strict=True)
    forward = (last[0], last[1], last[3])
    events = zip((*TRAINING, *INFERENCE), (*training, *forward), strict=True)
    return {name: float(value) for name, value in (*lines, *events)}
