"""Makes measured files for the tests of fits by pulsing simulated devices."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from device_presets import Preset
from device_presets.fitting.reading.measurement import Measurement, read_measurement
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses import Crossbar
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from support.rpu_ssnn.networks import make_block

ZERO, ONE = 50e-6, 60e-6
"""The conductances (S) that represent weights 0 and 1 in the files."""

SWEEP_STEP = 0.004
"""The up step at weight zero of the devices in ``sweeps``."""


COARSE_RERAM = {
    "levels": 40,
    "cycle_to_cycle": 0.4,
    "write_noise": 1.5,
    "w_max_spread": 0.1,
    "w_min_spread": 0.1,
    "step_spread": 0.1,
}
"""Changes to `reram_sb` whose devices wander within soft bounds, hidden by noisy readings."""


def seeded_pulse_train(
    preset: Preset, n_devices: int, up: Sequence[bool], start: float | None, seed: int
) -> np.ndarray:
    """Does what ``device_presets.pulsing.pulse_train`` does on aihwkit's tiles in native devices,
    whose noise is seeded as well."""
    crossbar = Crossbar(
        initial=np.full((1, n_devices), -1e6 if start is None else start, np.float32),
        **{"theta": 1.0, "he_std": 1.0, "gain": 1.0, "T": 1, "slots": 1, "batch": 1, "seed": seed},
    )
    spec = TileSpec(weight_range=1.0, simulator="native")
    synapses = NativeSynapses(crossbar, preset, spec, learning_rate=1e6)
    every, none = np.ones((1, n_devices), bool), np.zeros((1, n_devices), bool)
    blocks = {True: (every, none), False: (none, every)}
    weights = [synapses.weights()[0].copy()]
    for polarity in up:
        synapses.update(make_block(np.ones((1, 1), bool), *blocks[polarity]))
        synapses.commit(range(1))
        weights.append(synapses.weights()[0].copy())
    return np.array(weights)


def write_pulses(
    path: Path,
    preset: Preset,
    devices: int,
    pulses: int,
    cycles: int = 1,
    seed: int = 0,
) -> Path:
    """Writes a CSV of up and down sweeps, read after every pulse; row 0 is the initial state."""
    polarities = ([True] * pulses + [False] * pulses) * cycles
    weights = seeded_pulse_train(preset, devices, polarities, None, seed)
    rows = len(weights)
    polarity = ["read"] + ["up" if up else "down" for up in polarities]
    cycle = [0] + [k // (2 * pulses) for k in range(len(polarities))]
    conductance = (ZERO + (ONE - ZERO) * weights.flatten()) * 1e6
    table = pd.DataFrame(
        {
            "device": np.tile(np.arange(devices), rows),
            "cycle": np.repeat(cycle, devices),
            "pulse": np.repeat(np.arange(rows), devices),
            "polarity": np.repeat(polarity, devices),
            "conductance_uS": conductance,
        }
    )
    table.to_csv(path, index=False)
    return path


def file_of(path: Path, conductance: np.ndarray, up: np.ndarray) -> Path:
    """Writes a CSV of one device from [pulses + 1] conductances in uS and [pulses] polarities."""
    lines = ["pulse,polarity,conductance_uS", f"0,read,{conductance[0]:.6f}"]
    lines += [
        f"{k},{'up' if u else 'down'},{g:.6f}"
        for k, (u, g) in enumerate(zip(up, conductance[1:], strict=True), 1)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def measured(folder: Path, lines: list[str]) -> Measurement:
    """Returns the measurement that is read from the lines of a CSV file."""
    file = folder / "a.csv"
    file.write_text("\n".join(lines) + "\n")
    return read_measurement(file)


def sweeps(
    path: Path,
    seed: int,
    slow: float,
    *,
    pulses_of_memory: float = 10.6,
    cycle: float = 0.0,
    white: float = 0.0,
    devices: int = 1,
    spread: float = 0.0,
    pulses: int = 500,
    uneven: float = 1.0,
) -> Path:
    """Writes two sweeps each way of linear-step devices (slopes 0.3), with noise aihwkit lacks.

    Args:
        seed: the seed of everything.
        slow: AR(1) read noise, in steps.
        pulses_of_memory: correlation length of that noise.
        cycle: noise of a pulse, in steps.
        white: white read noise, in steps.
        devices: the number of devices.
        spread: spread of the devices' steps.
        pulses: the number of pulses in a sweep.
        uneven: down step over up step.
    """
    rng, tables = np.random.default_rng(seed), []
    kept = math.exp(-1 / pulses_of_memory)
    way = np.tile(np.repeat([1.0, -1.0], pulses), 2)
    for device in range(devices):
        weight, noise, read = -0.9, slow * rng.normal(), []
        own = 1 + spread * rng.normal()
        for sign in (0.0, *way):
            if sign:
                size = SWEEP_STEP * own * (1.0 if sign > 0 else uneven)
                move = size * (1 - 0.3 * sign * weight)
                move += size * cycle * rng.normal()
                weight = float(np.clip(weight + sign * move, -1, 1))
                noise = kept * noise + math.sqrt(1 - kept**2) * slow * rng.normal()
            read.append(weight + SWEEP_STEP * (noise + white * rng.normal()))
        columns = {
            "device": device,
            "pulse": np.arange(len(read)),
            "polarity": ["read", *np.where(way > 0, "up", "down")],
            "conductance_uS": 1e6 * (ZERO + (ONE - ZERO) * np.array(read)),
        }
        tables.append(pd.DataFrame(columns))
    pd.concat(tables).to_csv(path, index=False)
    return path
