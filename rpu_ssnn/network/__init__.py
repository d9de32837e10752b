"""The network: its input lines, its crossbars, and the batches that it shows and learns from."""

from rpu_ssnn.network.network import Input, Network

__all__ = ["Input", "Network"]
