"""Converts device states, and the errors of their references, to weights."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.spec.tile import TileSpec


def weight_per_state(spec: TileSpec, he_std: float) -> np.float32:
    """Returns the weight of state 1, which a finite on/off ratio makes smaller.

    Args:
        he_std: standard deviation of the He initialisation (units of the weights).
    """
    return np.float32(spec.weight_range * he_std * (1.0 - spec.reference.off))


def reference_error(
    shape: tuple[int, int], spec: TileSpec, he_std: float, seed: np.random.SeedSequence
) -> Float32[np.ndarray, "n_in n_out"] | None:
    """Returns the weights that reference devices subtract, or None where references are exact."""
    if not spec.reference.has_devices:
        return None
    error = np.random.default_rng(seed).standard_normal(shape)
    conductance = spec.weight_range * he_std * (1.0 + spec.reference.off)
    shift: Float32[np.ndarray, "n_in n_out"] = (conductance * spec.reference.spread * error).astype(
        np.float32
    )
    return shift


def with_conductance(device: dict[str, np.ndarray], spec: TileSpec) -> dict[str, np.ndarray]:
    """Adds the conductance, in G_max, to the map of a device that holds its `state`."""
    off = spec.reference.off
    return device | {"conductance": off + (1.0 - off) * (device["state"] + 1.0) / 2.0}


def of_cell[T: np.ndarray](parts: Sequence[T]) -> T:
    """Returns the value of a cell, from its device or from the two devices of a differential
    pair."""
    return parts[0] if len(parts) == 1 else (parts[0] - parts[1]) / 2


def of_lines(
    devices: Sequence[Float32[np.ndarray, "n_in n_out"]], in_parallel: int
) -> list[Float32[np.ndarray, "n_in n_out"]]:
    """Returns the values on a cell's output lines, each the mean of the devices in parallel on it.

    Args:
        devices: the values of a cell's devices, grouped by output line.
    """
    if in_parallel == 1:
        return list(devices)
    firsts = range(0, len(devices), in_parallel)
    return [np.mean(devices[n : n + in_parallel], axis=0, dtype=np.float32) for n in firsts]
