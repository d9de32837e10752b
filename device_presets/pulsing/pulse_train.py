"""Measures what a device does under single pulses on an aihwkit tile, as an experiment would.

If the law is user-defined, the tile draws the devices, and the law computes their steps.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from device_presets.library.preset import Preset
from device_presets.library.preset_lookup import get_preset
from device_presets.library.to_aihwkit import aihwkit_device
from rpu_ssnn.common.errors import require, require_whole
from rpu_ssnn.devices.shared import OwnShared

if TYPE_CHECKING:
    from aihwkit.simulator.configs.devices import PulsedDevice
    from aihwkit.simulator.tiles.analog import AnalogTile

MOST_DEFAULT_PULSES = 2000


def pulse_response(
    preset: Preset | str,
    n_devices: int = 8,
    n_up: int | None = None,
    n_down: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Returns the weights of several devices after each pulse: from the lower bound up, then down.

    The leak is left out, since pulses follow each other far faster than a weight decays.

    Args:
        preset: the device, or its name.
        n_devices: the number of devices, at least 1, drawn with the preset's spread.
        n_up: number of up pulses; by default the preset's levels, at most 2000.
        n_down: number of down pulses after them; by default the same, or 0 for a device that only
            moves up.
        seed: the seed of the spread between devices, at least 0. aihwkit seeds its pulse noise
            from the clock, so only a noise-free preset repeats exactly.

    Returns:
        One row per pulse and device: ``device`` (0...), ``pulse`` (1..., numbered across
        directions), ``polarity`` (``up`` or ``down``), ``weight`` after the pulse.

    Raises:
        InputError: a count or the seed is out of range, there is no such preset (cells and tables
            are none), or an up-only device gets down pulses.
    """
    preset = preset if isinstance(preset, Preset) else get_preset(preset)
    default = min(math.ceil(preset.levels), MOST_DEFAULT_PULSES)
    up = default if n_up is None else n_up
    down = (default if preset.bidirectional else 0) if n_down is None else n_down
    counts = (("n_devices", n_devices, 1), ("n_up", up, 0), ("n_down", down, 0), ("seed", seed, 0))
    for field, count, least in counts:
        require_whole(preset.name, field, count, least)
    allowed = f"must be 0: {preset.one_directional_because}"
    require(not down or preset.bidirectional, preset.name, "n_down", down, allowed)
    polarities = ["up"] * up + ["down"] * down
    weights = pulse_train(preset, n_devices, [p == "up" for p in polarities], None, seed)[1:]
    return pd.DataFrame(
        {
            "device": list(range(n_devices)) * len(polarities),
            "pulse": [p + 1 for p in range(len(polarities)) for _ in range(n_devices)],
            "polarity": [polarity for polarity in polarities for _ in range(n_devices)],
            "weight": weights.flatten(),
        }
    )


def pulse_train(
    preset: Preset, n_devices: int, up: Sequence[bool], start: float | None, seed: int
) -> np.ndarray:
    """Returns the weights of several devices under any train of pulses, without a leak.

    Args:
        preset: the device; if it is one-directional, down pulses follow aihwkit's model of it.
        n_devices: the number of devices, drawn with the preset's spread.
        up: whether each pulse is an up pulse.
        start: weight at the beginning, clipped to the bounds of each device; None for the lower
            bound.
        seed: the seed of the spread between devices, at least 0.

    Returns:
        [pulses + 1, devices]: the weights at the beginning and after each pulse.
    """
    import torch

    device = aihwkit_device(preset.name, preset.law, preset.values, None)
    device.construction_seed = seed + 1  # With 0 aihwkit would seed from the clock.
    tile = _tile(device, n_devices)
    if preset.own_law is not None:
        return _own_train(preset, tile.get_hidden_parameters(), up, start, seed)
    tile.set_weights(torch.full((n_devices, 1), -1e6 if start is None else start))
    weights = [tile.get_weights()[0].flatten().tolist()]
    weights += [_pulse(tile, n_devices, polarity) for polarity in up]
    return np.array(weights)


def _own_train(
    preset: Preset, drawn: Mapping[str, Any], up: Sequence[bool], start: float | None, seed: int
) -> np.ndarray:
    """Does the work of `pulse_train` for a user-defined law, with the steps and bounds of the
    devices that a tile drew."""
    law, rng = preset.law, np.random.default_rng(seed)
    shared = OwnShared(np.float32(preset.cycle_to_cycle), law.numbers(preset.values))
    fields = {"low": "min_bound", "high": "max_bound", "up": "dwmin_up", "down": "dwmin_down"}
    columns = {field: drawn[name].numpy().ravel() for field, name in fields.items()}
    n = len(columns["low"])
    devices = [
        law.device_in_python(
            state=0.0, **{field: float(values[k]) for field, values in columns.items()}
        )
        for k in range(n)
    ]
    first = columns["low"] if start is None else np.clip(start, columns["low"], columns["high"])
    weights = np.empty((len(up) + 1, n))
    weights[0] = first
    for pulse, is_up in enumerate(up):
        for k, device in enumerate(devices):
            w = device.state = float(weights[pulse, k])
            w += float(law.step(shared, device, w, is_up, rng.standard_normal()))
            device.pulses += 1
            weights[pulse + 1, k] = min(max(w, device.low), device.high)
    return weights


def _tile(device: "PulsedDevice", n_devices: int) -> "AnalogTile":
    """Returns a column of devices in which one update sends exactly one pulse to each device."""
    from aihwkit.simulator.configs import SingleRPUConfig
    from aihwkit.simulator.parameters import IOParameters
    from aihwkit.simulator.tiles.analog import AnalogTile

    from rpu_ssnn.devices.certain_pulses import make_pulses_certain, one_pulse_a_coincidence

    perfect = IOParameters(is_perfect=True)
    config = SingleRPUConfig(
        device=device, forward=perfect, backward=perfect, update=one_pulse_a_coincidence()
    )
    tile = AnalogTile(n_devices, 1, config, bias=False)
    make_pulses_certain(tile, device.dw_min)
    return tile


def _pulse(tile: "AnalogTile", n_devices: int, up: bool) -> list[float]:
    """Sends one pulse to every device and returns the weights after it.

    aihwkit uses the sign of SGD, so -1 means up.
    """
    import torch

    direction = -1.0 if up else 1.0
    tile.update(torch.ones(1, 1), torch.full((1, n_devices), direction))
    weights: list[float] = tile.get_weights()[0].flatten().tolist()
    return weights
