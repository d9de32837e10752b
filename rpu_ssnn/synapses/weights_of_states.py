"""Converts device states, and the errors of their references, to weights."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.spec.tile import TileSpec

PART = "hidden_weights"
"""aihwkit's name of the states of a cell's devices, before `_0` and so on."""


def state_weight(spec: TileSpec, he_std: float) -> np.float32:
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
    return (conductance * spec.reference.spread * error).astype(np.float32)


def with_conductances(
    device: dict[str, np.ndarray],
    spec: TileSpec,
    reference: Float32[np.ndarray, "n_in n_out"] | None,
) -> dict[str, np.ndarray]:
    """Adds conductances, in G_max, to the map of a device: its own, those of a cell's devices, and
    that of its reference device.

    Args:
        device: holds the `state` of a device, or `hidden_weights_0` and so on of a cell's devices.
        reference: the state of the reference device of each weight, where it has one.
    """
    states = {
        f"conductance{name.removeprefix(PART)}": name for name in device if name.startswith(PART)
    }
    by_name = {name: device[state] for name, state in (states or {"conductance": "state"}).items()}
    if reference is not None:
        by_name["reference_conductance"] = reference
    off = spec.reference.off
    return device | {name: off + (1.0 - off) * (s + 1.0) / 2.0 for name, s in by_name.items()}


def cell_mean[T: np.ndarray](parts: Sequence[T]) -> T:
    """Returns the value of a cell, from its device or from the two devices of a differential
    pair."""
    return parts[0] if len(parts) == 1 else (parts[0] - parts[1]) / 2


def line_means(
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
