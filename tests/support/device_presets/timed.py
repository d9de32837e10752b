"""Simulates measured files with times, widths and amplitudes, row by row from a seed."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from device_presets import get_preset
from support.device_presets.fits import ONE, ZERO

STEP = 0.02
"""The step at weight zero of an isolated pulse of width `WIDTH`."""

WIDTH, VOLTS = 3e-6, 3.0

PHYSICS = get_preset("charge_trap_pulsed").pulse_physics


@dataclass(frozen=True, kw_only=True)
class Train:
    """Describes the pulses and readings of a device, and its properties.

    Attributes:
        way: [rows] +1 or -1 for a pulse up or down, 0 for a reading without a pulse.
        elapsed: [rows] seconds since the previous row.
        width, volts: [rows] width (s) and amplitude of the pulse.
        slope: share by which the step is smaller at the bound.
        bound: magnitude of both bounds.
        cycle, read: noise of a pulse and of a reading, in steps.
        rest: the weight that the device decays to.
        kept: (elapsed, age at the previous row) -> share of the distance from `rest` that is left.
        factor: (width, gap) -> factor on the step.
    """

    way: np.ndarray
    elapsed: np.ndarray
    width: np.ndarray
    volts: np.ndarray
    slope: float = 0.0
    bound: float = 1.0
    cycle: float = 0.3
    read: float = 0.3
    rest: float = 0.0
    kept: Callable[[float, float], float] = field(default=lambda elapsed, age: 1.0)
    factor: Callable[[float, float], float] = field(default=lambda width, gap: 1.0)


def train(
    pulses: int,
    sweeps: int,
    rng: np.random.Generator,
    *,
    shortest_s: float = 0.01,
    longest_s: float = 0.01,
    reads: int = 0,
) -> dict[str, np.ndarray]:
    """Returns sweeps of pulses, up and down in turn, at log-uniform intervals; after each sweep
    come some readings without pulses, at ten times the longest interval."""
    way, elapsed = [0.0], [0.0]
    for sweep in range(sweeps):
        way += [1.0 if sweep % 2 == 0 else -1.0] * pulses + [0.0] * reads
        drawn = np.exp(rng.uniform(math.log(shortest_s), math.log(longest_s), pulses))
        elapsed += [*drawn, *[10 * longest_s] * reads]
    n = len(way)
    return {
        "way": np.array(way),
        "elapsed": np.array(elapsed),
        "width": np.full(n, WIDTH),
        "volts": np.full(n, VOLTS),
    }


def write_train(
    path: Path,
    done: Train,
    seed: int,
    devices: int = 1,
    columns: tuple[str, ...] = ("time_s", "pulse_width_s", "amplitude_v"),
) -> Path:
    """Writes a CSV with these condition columns; row 0 is the state before the first pulse."""
    rng, tables = np.random.default_rng(seed), []
    number = np.cumsum(done.way != 0)
    for device in range(devices):
        weight, age, read = -0.8 * done.bound, math.inf, []
        own = STEP * (1 + 0.05 * rng.normal())
        for way, elapsed, width in zip(done.way, done.elapsed, done.width, strict=True):
            left = done.kept(elapsed, age)
            weight = done.rest + left * (weight - done.rest)
            age += elapsed
            if way:
                size = own * done.factor(width, max(age - width, 0.0))
                move = size * (
                    1 - way * done.slope * weight / done.bound + done.cycle * rng.normal()
                )
                weight = float(np.clip(weight + way * move, -done.bound, done.bound))
                age = 0.0
            read.append(weight + STEP * done.read * rng.normal())
        table = {
            "device": device,
            "pulse": number,
            "polarity": [
                "up",
                *np.select([done.way > 0, done.way < 0], ["up", "down"], "read")[1:],
            ],
            "conductance_uS": 1e6 * (ZERO + (ONE - ZERO) * np.array(read)),
            "time_s": np.cumsum(done.elapsed),
            "pulse_width_s": done.width,
            "amplitude_v": np.where(done.way < 0, -done.volts, done.volts),
        }
        tables.append(pd.DataFrame(table))
    kept = ["device", "pulse", "polarity", "conductance_uS", *columns]
    pd.concat(tables)[kept].to_csv(path, index=False)
    return path


def leak(tau_s: float) -> Callable[[float, float], float]:
    """Returns `Train.kept` for an exponential leak."""
    return lambda elapsed, age: math.exp(-elapsed / tau_s)


def log_loss(share: float, onset_s: float) -> Callable[[float, float], float]:
    """Returns `Train.kept` for a loss in log-time since the last pulse."""

    def left(seconds: float) -> float:
        return 1 - share * math.log10(1 + seconds / onset_s)

    return lambda elapsed, age: 1.0 if math.isinf(age) else left(age + elapsed) / left(age)


def pulsed_factor(width: float, gap: float) -> float:
    """Returns the factor on the step of `charge_trap_pulsed` (s, s)."""
    share = PHYSICS.used_share(width)
    isolated = width * share / (WIDTH * PHYSICS.used_share(WIDTH))
    return isolated * (1 + (1 / share - 1) * math.exp(-gap / PHYSICS.gap_time_constant_s))


def widths_and_gaps(rng: np.random.Generator, pulses: int, sweeps: int) -> dict[str, np.ndarray]:
    """Returns pulses of several widths after gaps of several lengths, as fields of `Train`."""
    done = train(pulses, sweeps, rng, shortest_s=6e-6, longest_s=3e-4)
    usual = rng.random(len(done["way"])) < 0.4
    done["width"] = np.where(usual, WIDTH, rng.choice([1.2e-6, 1.6e-6, 2e-6, 5e-6], len(usual)))
    return done
