"""The unit cells of aihwkit's tiles: single devices, transfer cells, digital rank updates.

The learning rate is realised where a cell allows it: by thinning the trains (each pulse then moves
the weight that reads see), by the gain of transfers, or by the digital sum's step.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from aihwkit.simulator.configs import (
    DigitalRankUpdateRPUConfig,
    SingleRPUConfig,
    UnitCellRPUConfig,
    UpdateParameters,
)
from aihwkit.simulator.configs.compounds import (
    DigitalRankUpdateCell,
    OneSidedUnitCell,
    TransferCompound,
    UnitCell,
    VectorUnitCell,
)
from aihwkit.simulator.configs.devices import ExpStepDevice
from aihwkit.simulator.parameters.enums import PulseType

from rpu_ssnn.devices.certain_pulses import one_pulse_a_coincidence

Realised = Literal["thinning", "transfer", "digital"]
"""The part of a cell that stands in for the learning rate."""


def config_class(device: Any) -> type[Any]:
    """Returns the tile configuration that a device configuration goes into."""
    cls: type[Any] = SingleRPUConfig
    if isinstance(device, UnitCell):
        cls = UnitCellRPUConfig
    elif isinstance(device, DigitalRankUpdateCell):
        cls = DigitalRankUpdateRPUConfig
    return cls


def pulsed_cell(device: Any) -> Any:
    """Returns the device or cell that pulses reach; in a digital sum, it is the device inside."""
    return device.device if isinstance(device, DigitalRankUpdateCell) else device


def is_one_sided(device: Any) -> bool:
    """Returns whether a weight is a pair of devices that move one way only."""
    return isinstance(pulsed_cell(device), OneSidedUnitCell)


def realised_by(device: Any) -> Realised:
    """Returns the part of a cell in which the learning rate acts."""
    if isinstance(device, TransferCompound):
        return "transfer"
    return "digital" if isinstance(device, DigitalRankUpdateCell) else "thinning"


def pulsed_step(device: Any) -> float:
    """Returns the mean step (device states) of the device that a coincidence, or a digital sum,
    pulses.

    For a one-sided pair, whose weight is zero at any equal states, it is the step of one device;
    where steps are exponential, the step in mid-range.
    """
    cell = pulsed_cell(device)
    if isinstance(cell, OneSidedUnitCell):
        return _mid_range_step(cell.unit_cell_devices[0])
    return float((cell.unit_cell_devices[0] if isinstance(cell, UnitCell) else cell).dw_min)


def _mid_range_step(device: Any) -> float:
    """Returns the up step half-way between the mean bounds, by aihwkit's formula of its
    ExpStepDevice."""
    if not isinstance(device, ExpStepDevice):
        return float(device.dw_min)
    middle = device.a * (device.w_max + device.w_min) / (device.w_max - device.w_min) + device.b
    return float(device.dw_min * (1.0 - device.A_up * math.exp(device.gamma_up * middle)))


def device_count(device: Any) -> int:
    """Returns how many devices a weight has in one tile."""
    cell = pulsed_cell(device)
    return len(cell.unit_cell_devices) if isinstance(cell, UnitCell) else 1


def rows_a_call(device: Any) -> int | None:
    """Returns the most slots that go to aihwkit in one call, or None for any number.

    A digital sum sends its pulses once per call, whatever `transfer_every` says about slots, so
    calls are limited to that many slots (and end with the engine's blocks).
    """
    return int(device.transfer_every) if isinstance(device, DigitalRankUpdateCell) else None


def learn_natively(device: Any) -> None:
    """Lets the learning rate act on the fast device of a transfer cell too, for updates with
    numbers; spikes give that device certain pulses. The gain of transfers stays one per step of the
    device; transfers are counted in presentations."""
    if isinstance(device, TransferCompound):
        device.fast_lr = 0.0
        device.transfer_lr /= pulsed_step(device)


def update_parameters(device: Any) -> UpdateParameters:
    """Makes each row one slot and each coincidence one pulse; a digital sum sends trains of
    pulses."""
    if isinstance(device, DigitalRankUpdateCell):
        return UpdateParameters(pulse_type=PulseType.STOCHASTIC_COMPRESSED)
    return one_pulse_a_coincidence()


def cell_statistics(
    device: Any, up: np.ndarray, down: np.ndarray, tiles: int, rows: int
) -> dict[str, float]:
    """Returns the pulses of a tile's cells, for the result row.

    For a transfer cell, they include its reads and the most pulses that these can have sent: up to
    `desired_bl` per device of the line. The pulses of a digital sum are unknown (NaN, a blank
    field).

    Args:
        up, down: coincidences of each weight in the positive and the negative stream, [n_in,
            n_out].
        tiles: 2 where a weight is a pair of tiles, one of which goes up where the other goes down.
        rows: slots with a pulse (one more where a line spiked in both streams).
    """
    ups, downs = (int(part.sum(dtype=np.int64)) for part in (up, down))
    if realised_by(device) == "digital":
        blank = dict.fromkeys(("pulses_up_total", "pulses_down_total"), math.nan)
        return blank | {"coincidences_total": float(ups + downs)}
    if tiles == 2:
        ups = downs = ups + downs
    devices = len(device.unit_cell_devices) if isinstance(device, VectorUnitCell) else 1
    pulses = up.astype(np.int64) + down
    if isinstance(device, OneSidedUnitCell):  # each stream has a device, which it pulses up
        ups, downs, pulses = ups + downs, 0, np.stack([up, down])
    counted = {
        "pulses_up_total": float(devices * ups),
        "pulses_down_total": float(devices * downs),
        "pulses_p99": float(np.percentile(pulses, 99)),
        "pulses_max": float(pulses.max()),
    }
    if isinstance(device, TransferCompound):
        reads = math.floor(rows / device.transfer_every) * device.n_reads_per_transfer
        most = reads * up.shape[1] * device.transfer_update.desired_bl
        counted |= {
            "pulsed_devices_total": float(up.size),
            "transfer_reads_total": float(reads),
            "transfer_pulses_at_most_total": float(most),
        }
    return counted


def is_cell(hidden: Mapping[str, torch.Tensor]) -> bool:
    """Returns whether a weight has several devices, by its hidden parameters."""
    return len(devices_of(hidden)) > 1


def devices_of(hidden: Mapping[str, torch.Tensor]) -> list[str]:
    """Returns the endings of the hidden parameters, one for each device of the cell ('' for a
    single device)."""
    return [name.removeprefix("max_bound") for name in hidden if name.startswith("max_bound")]
