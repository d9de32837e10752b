"""Makes, writes, saves and restores aihwkit tiles, and makes their devices stuck."""

import hashlib
import math
from collections.abc import Mapping

import numpy as np
import torch
from aihwkit.simulator.configs import IOParameters, UpdateParameters
from aihwkit.simulator.parameters.enums import BoundManagementType, NoiseManagementType
from aihwkit.simulator.tiles import AnalogTile
from jaxtyping import Bool, Float32

from rpu_ssnn.common.training_state import State, StateError
from rpu_ssnn.devices.cell import Cell
from rpu_ssnn.devices.certain_pulses import make_pulses_certain
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.spec.tile import ReadSpec, TileSpec
from rpu_ssnn.synapses.base import Weights

BUILT_SHARE = 1e-3
"""The time that devices are built for, in time constants: long enough for a factor precise to 3e-5
of its leak, short enough that a spread of lifetimes is one of time constants within 0.1 %."""

NO_TIME = 1.0
"""The time (s) that a device without a leak is built for; any would do."""

type TileValues = Float32[np.ndarray, "n_out n_in"]

SATURATION_MARGIN = 0.01
"""A device this near to either of its own bounds (share of its own range) counts as saturated."""


def built_seconds(source: DeviceSource) -> float:
    """Returns the time (s) that one decay of freshly built devices represents."""
    tau = source.leak_time_constant_s
    return NO_TIME if math.isinf(tau) else BUILT_SHARE * tau


def make_tile(
    shape: tuple[int, int],
    source: DeviceSource,
    reads: ReadSpec | None,
    seed: np.random.SeedSequence,
    trains: UpdateParameters | None = None,
) -> AnalogTile:
    """Returns a tile in which every batch row is one slot (see docs/explanation/devices.md).

    Args:
        source: makes the device configuration, and describes its cell.
        trains: None, or how a row of numbers becomes pulse trains (`baselines.analog_sgd`). The
            devices that are drawn are the same.
    """
    device = source.device(built_seconds(source))
    device.construction_seed = int(seed.generate_state(1)[0] % (2**31 - 1)) + 1
    # Spikes are 0 or 1; numbers have to be scaled into the range of a converter.
    scaled = NoiseManagementType.NONE if trains is None else NoiseManagementType.ABS_MAX
    config = source.cell.tile_config(
        device,
        trains,
        forward=_io_parameters(reads, scaled, transposed=False),
        backward=_io_parameters(reads, scaled, transposed=True),
    )
    tile = AnalogTile(shape[1], shape[0], config)
    make_pulses_certain(tile, source.cell.step(device))
    return tile


def _io_parameters(
    reads: ReadSpec | None, scaled: NoiseManagementType, transposed: bool
) -> IOParameters:
    if reads is None:
        return IOParameters(is_perfect=True)
    adc_bound = (transposed and reads.adc_bound_transposed) or reads.adc_bound
    return IOParameters(
        inp_bound=1.0,
        inp_res=_resolution(reads.dac_bits),
        out_bound=adc_bound or 0.0,
        out_res=_resolution(reads.adc_bits),
        out_noise=reads.read_noise,
        noise_management=scaled,
        bound_management=BoundManagementType.NONE,
    )


def _resolution(bits: int | None) -> float:
    """Returns aihwkit's resolution, one over the number of steps, and -1 for infinitely many."""
    return -1.0 if bits is None else 1.0 / (2**bits - 2)


def write_state(tile: AnalogTile, state: Weights) -> None:
    """Writes the states of the devices [n_in, n_out]; aihwkit clips them to the bounds."""
    tile.tile.set_weights(torch.from_numpy(np.ascontiguousarray(state.T)))


PERSISTENT = "persistent_weights"
"""aihwkit's name for the states that pulses move, where it reads a noisy copy of them."""

VISIBLE = "hidden_weights"
"""aihwkit's name for the state that is read of one device of a cell; for a single device, the
weight."""

_MOVING = (PERSISTENT, VISIBLE, "buffered_FP_weight", "running_mean_weight", "past_mean_weight")
"""The names of all that pulses and transfers change begin with these; the rest is drawn once."""

_HIDDEN, _EXTRA = "hidden.", "extra."


def devices_of(hidden: Mapping[str, torch.Tensor]) -> list[str]:
    """Returns the endings of the hidden parameters, one for each device of the cell ('' for a
    single device)."""
    return [name.removeprefix("max_bound") for name in hidden if name.startswith("max_bound")]


def tile_state(tile: AnalogTile) -> State:
    """Returns the states of the devices [n_out, n_in], and a digest that identifies the drawn
    devices.

    For a cell, it also returns the states of each of its devices, the memories of its digital side,
    and aihwkit's own counters (`extra`: the next line to transfer, signs that change).
    """
    hidden = tile.get_hidden_parameters()
    drawn = hashlib.sha256()
    for name, values in hidden.items():
        if not name.startswith(_MOVING):
            drawn.update(name.encode())
            drawn.update(values.numpy().tobytes())
    state = {
        "weights": tile.tile.get_weights().numpy().copy(),
        "devices": np.frombuffer(drawn.digest(), dtype=np.uint8),
    }
    if PERSISTENT in hidden:
        state["persistent"] = hidden[PERSISTENT].numpy().copy()
    if len(devices_of(hidden)) > 1:
        for name, values in hidden.items():
            if name.startswith(_MOVING):
                state[_HIDDEN + name] = values.numpy().copy()
        for name, numbers in tile.tile.dump_extra().items():
            state[_EXTRA + name] = np.array(numbers, dtype=np.float64)
    return state


def restore_tile(tile: AnalogTile, state: State) -> None:
    """Puts the devices of an identically built tile into these states.

    A write of aihwkit moves the persistent state and draws write noise on the weights that are
    read; these are put back in memory. Like any write it clips to the bounds. In aihwkit pulses,
    but not writes, can take a device beyond its bounds by up to its reference, so with write noise
    and a reference (hfo2) such a device comes back at its bound.

    Raises:
        StateError: the state belongs to other devices, or the tile has cells of devices with write
            noise, each of which a write of aihwkit would move.
    """
    if not np.array_equal(state["devices"], tile_state(tile)["devices"]):
        raise StateError("its devices are other ones")
    weights = torch.from_numpy(state["weights"])
    if len(devices_of(tile.get_hidden_parameters())) > 1:
        _restore_cell(tile, state)
    else:
        moved = torch.from_numpy(state["persistent"]) if "persistent" in state else weights
        tile.tile.set_weights(moved)
    tile._shared_weight_tensor.copy_(weights)


def set_drawn(tile: AnalogTile, hidden: Mapping[str, torch.Tensor]) -> None:
    """Changes the parameters of the devices, and leaves their states as they are.

    By itself, aihwkit would draw new write noise, both on the states that pulses move and on those
    that are read.
    """
    single = PERSISTENT in hidden
    moved = tile.get_hidden_parameters()[PERSISTENT].clone() if single else None
    weights = tile.tile.get_weights().clone()
    tile.set_hidden_parameters(hidden)
    if moved is not None:
        tile.tile.set_weights(moved)
        tile._shared_weight_tensor.copy_(weights)


def _restore_cell(tile: AnalogTile, state: State) -> None:
    hidden = tile.get_hidden_parameters()
    if any(name.startswith(PERSISTENT) for name in hidden):
        raise StateError("aihwkit cannot restore a cell of devices with write noise")
    for name in hidden:
        if name.startswith(_MOVING):
            hidden[name] = torch.from_numpy(state[_HIDDEN + name].copy())
    tile.set_hidden_parameters(hidden)
    extra = {
        name.removeprefix(_EXTRA): numbers.tolist()
        for name, numbers in state.items()
        if name.startswith(_EXTRA)
    }
    tile.tile.load_extra(extra, True)


EXPORT_NAMES = {
    "min_bound": "lower_bound",
    "max_bound": "upper_bound",
    "dwmin_up": "step_up",
    "dwmin_down": "step_down",
}
"""Our names for aihwkit's parameters of each device, in exports."""


def device_map(tile: AnalogTile) -> dict[str, np.ndarray]:
    """Returns the states and all parameters of the devices, [n_in, n_out] by name; cells of several
    devices have `NAME_0`, `NAME_1` and so on."""
    arrays = {"state": tile.tile.get_weights().numpy().T.copy()}
    for name, values in tile.get_hidden_parameters().items():
        stem = next((known for known in EXPORT_NAMES if name.startswith(known)), None)
        ours = name if stem is None else EXPORT_NAMES[stem] + name.removeprefix(stem)
        arrays[ours] = values.numpy().T.copy()
    return arrays


def count_saturated(tile: AnalogTile, cell: Cell) -> int:
    """Counts the devices at one of their own bounds, by the state that pulses move; stuck ones are
    left out.

    With write noise aihwkit reads a noisy copy of that state, and a reference device shifts it.
    A device of a one-sided pair is saturated at its upper bound alone, where no pulse moves it.
    """
    hidden = tile.get_hidden_parameters()
    count = 0
    for ending in devices_of(hidden):
        read = hidden.get(f"hidden_weights{ending}") if ending else tile.tile.get_weights()
        state = hidden.get(f"{PERSISTENT}{ending}", read)
        if f"reference{ending}" in hidden:
            state = state + hidden[f"reference{ending}"]
        low, high = hidden[f"min_bound{ending}"], hidden[f"max_bound{ending}"]
        near = SATURATION_MARGIN * (high - low)
        at_bound = state >= high - near
        if not cell.one_sided:
            at_bound |= state <= low + near
        count += int((at_bound & (high > low)).sum())
    return count


def beyond_bounds(tile: AnalogTile, cell: Cell, state: Weights) -> Bool[np.ndarray, "n_in n_out"]:
    """Says which cells cannot take these states, since they are beyond the bounds of their devices;
    stuck ones can.

    In a one-sided pair, the upper bound of the device that takes the state counts; for other cells
    of several devices, whose states add up in different ways, the nominal range.
    """
    hidden = {name: values.numpy().T for name, values in tile.get_hidden_parameters().items()}
    beyond: Bool[np.ndarray, "n_in n_out"] = np.abs(state) > 1.0
    if cell.one_sided:
        beyond = (state > hidden["max_bound_1"]) | (-state > hidden["max_bound_0"])
    elif cell.devices == 1:
        low, high = hidden["min_bound"], hidden["max_bound"]
        inner = state + hidden.get("reference", 0)
        beyond = ((inner < low) | (inner > high)) & (high > low)
    return beyond


def fix_stuck(tile: AnalogTile, spec: TileSpec, rng: np.random.Generator) -> None:
    """Makes devices stuck: both of their bounds are the stuck value, so that neither pulse nor
    write moves them.

    A device with write noise is still read with that noise. Steps are left alone: aihwkit would
    re-estimate its `dw_min` from an array with zeros. The reference of a stuck device is subtracted
    from its bounds and set to zero, since aihwkit bounds pulses with a reference, and writes
    without.
    """
    if spec.stuck_share == 0.0:
        return
    hidden = tile.get_hidden_parameters()
    for ending in devices_of(hidden):
        names = f"min_bound{ending}", f"max_bound{ending}"
        low, high = (hidden[name].numpy() for name in names)
        low, high = stuck_bounds(low, high, spec, rng)
        if (reference := hidden.get(f"reference{ending}")) is not None:
            stuck_reference = np.where(low == high, reference.numpy(), np.float32(0.0))
            low, high = low - stuck_reference, high - stuck_reference
            hidden[f"reference{ending}"] = reference - torch.from_numpy(stuck_reference)
        for name, bound in zip(names, (low, high), strict=True):
            hidden[name] = torch.from_numpy(bound)
    tile.set_hidden_parameters(hidden)


def stuck_bounds(
    low: TileValues, high: TileValues, spec: TileSpec, rng: np.random.Generator
) -> tuple[TileValues, TileValues]:
    """Returns both bounds of every device; those of a stuck one are its fixed state."""
    stuck = rng.random(low.shape) < spec.stuck_share
    if spec.stuck_at == "anywhere":
        value = low + rng.random(low.shape, dtype=np.float32) * (high - low)
    else:
        value = low if spec.stuck_at == "low" else high
    return np.where(stuck, value, low), np.where(stuck, value, high)
