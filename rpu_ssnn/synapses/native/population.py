"""The devices of a crossbar, drawn by aihwkit: identical to those of a tile with the same seed.

Devices given by measured tables are drawn here: each device is one of the tables.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.device_record import empty_records
from rpu_ssnn.devices.law import NOT_NATIVE, Law
from rpu_ssnn.devices.laws import jump_table, law_of_aihwkit
from rpu_ssnn.devices.laws.jump_table import JumpTable, shared_of_tables
from rpu_ssnn.devices.shared import Shared
from rpu_ssnn.spec.tile import NEEDS_PULSES
from rpu_ssnn.synapses.native.cells import DeviceValues
from rpu_ssnn.synapses.native.setup import Setup
from rpu_ssnn.synapses.tiles.tile import (
    built_seconds,
    devices_of,
    fix_stuck,
    make_tile,
    stuck_bounds,
)


@dataclass(frozen=True)
class Population:
    """Holds devices at state zero, and what all of them share.

    Attributes:
        law: the law of all devices.
        shared: the numbers that all devices share.
        records: `device_record.RECORD` [devices per cell, cells], with zero pulses and states.
        decay: share of a device's state that the leak leaves after `tile.built_seconds`.
        reset: state that the leak goes to.
        step: mean step of one pulse (states).
        digest: identifies the drawn devices.
    """

    law: Law
    shared: Shared
    records: np.ndarray
    decay: DeviceValues
    reset: DeviceValues
    step: float
    digest: bytes


def draw_population(setup: Setup) -> Population:
    """Returns the devices that `TileSynapses` has in its tiles for the same seed, tile by tile.

    What only native devices have is added: spread that lines share, further noise, wear.

    Raises:
        InputError: the device has no step model here.
    """
    spec, seeds, tiles = setup.spec, setup.seeds, len(setup.tile_signs)
    of_tiles = list(zip(seeds.devices.spawn(tiles), seeds.stuck.spawn(tiles), strict=True))
    tables = setup.device.jump_tables
    if tables is not None:
        drawn = _drawn_from_tables(setup, tables, of_tiles)
    else:
        drawn = _drawn_by_aihwkit(setup, of_tiles)
    _spread_steps(drawn.records, drawn.law, setup)
    electrons = spec.pulse_noise.electrons_per_step
    shared = drawn.shared._replace(
        range_noise=np.float32(spec.pulse_noise.of_range),
        quantum=np.float32(drawn.step / electrons if electrons else 0.0),
        half_window=np.float32(spec.wear.half_window_pulses or 0.0),
        wear_exponent=np.float32(spec.wear.exponent),
    )
    return replace(drawn, shared=shared)


type TileSeeds = list[tuple[np.random.SeedSequence, np.random.SeedSequence]]
"""For each tile, the seed of its devices and the seed of which of them are stuck."""


def _drawn_by_aihwkit(setup: Setup, seeds: TileSeeds) -> Population:
    source, own = setup.device, setup.device.own_law
    single = source.cell.pulsed_device(source.device(built_seconds(source)))
    law = law_of_aihwkit(type(single).__name__) if own is None else own.law
    if law is None or law.code == NOT_NATIVE:
        raise InputError("tile", "simulator", setup.spec.simulator, NEEDS_PULSES)
    devices = len(seeds) * source.cell.in_parallel
    records = empty_records(devices * setup.crossbar.initial.size).reshape(devices, -1)
    decay, reset = np.empty(records.shape, np.float32), np.empty(records.shape, np.float32)
    digest = hashlib.sha256()
    if own is not None:
        digest.update(str(law.digest).encode() + own.numbers.tobytes())
    shared = None
    for d, hidden in enumerate(_hidden_of_devices(setup, seeds)):
        shared, further = law.native(single, hidden)
        if own is not None:
            shared = shared._replace(numbers=own.numbers, own=law.compiled)
            further = law.hidden_fields
        fields = {
            "low": hidden["min_bound"], "high": hidden["max_bound"],
            "up": hidden["dwmin_up"], "down": hidden["dwmin_down"], **further,
        }  # fmt: skip
        for field, values in fields.items():
            records[field][d] = values
        decay[d], reset[d] = hidden["decay_scales"], hidden["reset_bias"]
        for values in (records[d], decay[d], reset[d]):
            digest.update(values.tobytes())
    assert shared is not None
    return Population(law, shared, records, decay, reset, float(single.dw_min), digest.digest())


def _hidden_of_devices(setup: Setup, seeds: TileSeeds) -> Iterator[dict[str, Any]]:
    """Yields aihwkit's parameters of each device of a cell, tile by tile."""
    for seed, stuck in seeds:
        tile = make_tile(setup.shape, setup.device, None, seed)
        fix_stuck(tile, setup.spec, np.random.default_rng(stuck))
        hidden = tile.get_hidden_parameters()
        for ending in devices_of(hidden):
            yield {
                name.removesuffix(ending): values.numpy().ravel()
                for name, values in hidden.items()
                if name.endswith(ending)
            }


def _drawn_from_tables(setup: Setup, tables: Sequence[JumpTable], seeds: TileSeeds) -> Population:
    """Returns devices each of which is one of the tables, all equally likely."""
    lines, shared = setup.shape[::-1], shared_of_tables(tables)
    records = empty_records(len(seeds) * math.prod(lines)).reshape(len(seeds), -1)
    for d, (seed, stuck) in enumerate(seeds):
        which = np.random.default_rng(seed).integers(len(tables), size=lines)
        ends = shared.jumps.states[which, 0], shared.jumps.states[which, -1]
        low, high = stuck_bounds(*ends, setup.spec, np.random.default_rng(stuck))
        for field, values in (("low", low), ("high", high), ("a", which)):
            records[field][d] = values.ravel()
    records["up"] = records["down"] = 1.0
    drawn = hashlib.sha256(records.tobytes() + shared.jumps.changes.tobytes())
    at_zero = [
        float(np.interp(0.0, states, up - down)) / 2.0
        for states, up, down in zip(
            shared.jumps.states, shared.jumps.means[::2], shared.jumps.means[1::2], strict=True
        )
    ]
    decay, reset = np.ones(records.shape, np.float32), np.zeros(records.shape, np.float32)
    step = sum(at_zero) / len(at_zero)
    return Population(jump_table.LAW, shared, records, decay, reset, step, drawn.digest())


def _spread_steps(records: np.ndarray, law: Law, setup: Setup) -> None:
    """Scales the steps of individually drawn devices by the spread that they share.

    Args:
        records: `device_record.RECORD` [devices per cell, cells]; the devices of a cell share their
            input line, and each has its own output line.
    """
    (n_in, n_out), spec = setup.shape, setup.spec.line_spread
    rng = np.random.default_rng(setup.seeds.line_spread)
    place = np.linspace(-0.5, 0.5, n_in) if n_in > 1 else np.zeros(1)
    input_step = spec.step_by_input_line * rng.standard_normal(n_in) + spec.step_gradient * place
    input_shift = spec.asymmetry_by_input_line * rng.standard_normal(n_in)
    common = spec.asymmetry_common * rng.standard_normal()
    for d in range(len(records)):
        output_step = spec.step_by_output_line * rng.standard_normal(n_out)
        output_shift = spec.asymmetry_by_output_line * rng.standard_normal(n_out)
        step = np.abs(1.0 + input_step + output_step[:, None])
        shift = common + input_shift + output_shift[:, None]
        for direction, sign in (("up", 0.5), ("down", -0.5)):
            factor = step * np.abs(1.0 + sign * shift)
            for field in law.step_fields[direction]:
                records[field][d] *= factor.ravel().astype(np.float32)
