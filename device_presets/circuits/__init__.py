"""Provides published neuron circuits, one YAML file each, with the source of every number."""

from device_presets.circuits.library import circuit_names, get_circuit

__all__ = ["circuit_names", "get_circuit"]
