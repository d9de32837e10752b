"""Builds the devices of one crossbar from its seed, with their cells and the keys of their
noise."""

from typing import NamedTuple

import numpy as np

from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import Crossbar
from rpu_ssnn.synapses.native.cells import Cells
from rpu_ssnn.synapses.native.clock import Clock
from rpu_ssnn.synapses.native.device_array import DeviceArray, Slices
from rpu_ssnn.synapses.native.population import Population, draw_population
from rpu_ssnn.synapses.native.symmetry import symmetry_states
from rpu_ssnn.synapses.weights_of_states import cell_mean, line_means, reference_error, state_weight


class Built(NamedTuple):
    """Holds a crossbar's devices at state zero, and the seeds of everything else that is drawn."""

    array: DeviceArray
    drawn: Population
    start_key: np.uint64
    """The key of the noise of a pulsed start."""
    line_key: np.uint64
    """The key of the noise of reads."""
    thinning_seed: np.random.SeedSequence
    effects_seed: np.random.SeedSequence


def build_array(crossbar: Crossbar, device: DeviceSource, spec: TileSpec) -> Built:
    """Builds the devices that `TileSynapses` has in its tiles for the same seed.

    Raises:
        InputError: the native simulator cannot change the weights of such a device by pulses.
    """
    seeds = np.random.SeedSequence(crossbar.seed).spawn(7)
    device_seed, stuck_seed, reference_seed, thinning_seed, noise_seed, spread_seed = seeds[:6]
    shape = crossbar.initial.shape
    pair = device.pair or spec.reference.scheme == "differential_pair"
    tile_signs = np.array([1.0, -1.0][: 2 if pair else 1], dtype=np.float32)
    drawn = draw_population(
        shape, device, spec, device_seed, stuck_seed, spread_seed, len(tile_signs)
    )
    error = reference_error(shape, spec, crossbar.he_std, reference_seed)
    errors = np.zeros(0, dtype=np.float32) if error is None else error.T.ravel()
    pulse_key, read_key, start_key, line_key = noise_seed.generate_state(4, np.uint64)
    clock = Clock(crossbar, device, spec)
    cells = Cells(
        law=drawn.law.code,
        shared=drawn.shared._replace(rest=np.float32(clock.rest_state)),
        records=drawn.records,
        signs=np.repeat(tile_signs, device.in_parallel),
        weights=np.zeros(crossbar.initial.size, dtype=np.float32),
        per_state=state_weight(spec, crossbar.he_std),
        offset=errors,
        pulse_key=pulse_key,
        read_key=read_key,
    )
    if spec.reference.scheme == "symmetry_point":
        at = np.empty(drawn.records.shape, dtype=np.float32)
        symmetry_states(cells, at)
        lines = line_means(list(at), device.in_parallel)
        cells = cells._replace(offset=errors + cells.per_state * cell_mean(lines))
    slices = Slices(shape, crossbar.pool, crossbar.threads)
    read_keys = np.random.SeedSequence(int(read_key))
    array = DeviceArray(shape, cells, device.in_parallel, clock, slices, read_keys)
    return Built(array, drawn, start_key, line_key, thinning_seed, seeds[6])
