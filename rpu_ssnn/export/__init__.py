"""Trained networks as files of other tools: a map of every device (HDF5), and NIR."""

from rpu_ssnn.export.device_map import read_network, write_network
from rpu_ssnn.export.nir_graph import left_out, read_nir, write_nir

__all__ = ["left_out", "read_network", "read_nir", "write_network", "write_nir"]
