"""Published circuits of neurons, one YAML file a circuit, with where every number comes from."""

from device_presets.circuits.library import circuit_names, get_circuit

__all__ = ["circuit_names", "get_circuit"]
