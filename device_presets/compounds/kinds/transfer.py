"""Defines transfer cells: coincidences pulse a fast device, and the network reads a slow one.

After every `transfer_every` slots in which a pulse was sent, one input line of the fast array is
read (ideally), and part of it is moved to the slow array by pulses that aihwkit draws. No train is
thinned: the learning rate scales the transfers.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from device_presets.compounds.compound import Compound, transfer_every
from rpu_ssnn.devices.cell import PulseCounts, PulsedDevice
from rpu_ssnn.devices.law_parameter import LawParameter

TRANSFER_PULSES = 31
"""One transfer of `tiki_taka` sends at most this many pulses to a device, which is aihwkit's
default; the other transfer cells send one."""

_MOST_GAIN = 1e9
"""Larger gains would come near the limit of single precision."""


def _settings(gain: float) -> dict[str, LawParameter]:
    return {
        "transfer_every": transfer_every(5.0),
        "transfer_gain": LawParameter(
            description="share of the fast weight that one transfer moves if learning_rate is one "
            "step of a device; the share is proportional to learning_rate",
            unit="1", limits=(0.0, _MOST_GAIN), above_low=True, neutral=gain,
        ),
    }  # fmt: skip


class TransferCell(Compound):
    """Describes a cell of a fast and a slow device.

    Attributes:
        kind: the name of aihwkit's class.
    """

    devices = 2
    native = False
    takes_partner = True
    unknown_pulses = "aihwkit does not count the pulses of transfers"
    beside_pulses = "transfers: lines of the fast array are read and written to the slow one"
    kind: ClassVar[str]

    def build(self, devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
        from aihwkit.simulator.configs import compounds
        from aihwkit.simulator.parameters.io import IOParameters

        from rpu_ssnn.devices.certain_pulses import IN_STEPS

        return getattr(compounds, self.kind)(
            unit_cell_devices=list(devices),
            transfer_forward=IOParameters(is_perfect=True),
            units_in_mbatch=False,
            transfer_every=settings["transfer_every"],
            transfer_lr=settings["transfer_gain"],
            scale_transfer_lr=True,
            fast_lr=IN_STEPS * devices[0].dw_min,
            scale_fast_lr=False,
            **self.transfers(settings),
        )

    def transfers(self, settings: Mapping[str, float]) -> dict[str, Any]:
        """Returns further arguments of aihwkit's class.

        Whatever the single pulse does not move stays in the buffer.
        """
        return {"forget_buffer": False, "momentum": 0.0}

    def tile_config(self, device: PulsedDevice, trains: Any = None, **reads: Any) -> Any:
        """Lets the learning rate act on the fast device too where numbers make the trains; spikes
        give that device certain pulses. The gain of transfers stays one per step of the device;
        transfers are counted in presentations."""
        if trains is not None:
            device.fast_lr = 0.0
            device.transfer_lr /= self.step(device)
        return super().tile_config(device, trains, **reads)

    def learning_rate(self, step: float, device_step: float, per_state: np.float32) -> float:
        return step / device_step

    def statistics(
        self, device: PulsedDevice, up: PulseCounts, down: PulseCounts, tiles: int, rows: int
    ) -> dict[str, float]:
        """Adds the reads of transfers and the most pulses that these can have sent: up to
        `desired_bl` per device of the line."""
        reads = math.floor(rows / device.transfer_every) * device.n_reads_per_transfer
        most = reads * up.shape[1] * device.transfer_update.desired_bl
        return super().statistics(device, up, down, tiles, rows) | {
            "pulsed_devices_total": float(up.size),
            "transfer_reads_total": float(reads),
            "transfer_pulses_at_most_total": float(most),
        }


class TikiTaka(TransferCell):
    """Describes Tiki-taka (Gokmen & Haensch, Front. Neurosci. 2020, fnins.2020.00103)."""

    kind = "TransferCompound"
    settings = _settings(0.02)

    def transfers(self, settings: Mapping[str, float]) -> dict[str, Any]:
        from aihwkit.simulator.parameters.training import UpdateParameters

        return {"transfer_update": UpdateParameters(desired_bl=TRANSFER_PULSES)}


class TikiTakaV2(TransferCell):
    """Describes Tiki-taka with a buffer (Gokmen, Front. Artif. Intell. 2021, frai.2021.699148)."""

    kind = "BufferedTransferCompound"
    settings = _settings(0.005)
    beside_pulses = f"{TransferCell.beside_pulses} through a digital buffer"


class TikiTakaChopped(TransferCell):
    """Describes c-TTv2 (Rasch, Carta, Fagbohungbe & Gokmen, Nat. Commun. 2024)."""

    kind = "ChoppedTransferCompound"
    settings = _settings(0.05) | {
        "chop_probability": LawParameter(
            description="probability (agad: frequency) of a sign change after a line is read",
            unit="1", limits=(0.0, 1.0), above_low=True, neutral=0.1,
        )
    }  # fmt: skip
    beside_pulses = f"{TransferCell.beside_pulses} through a digital buffer; signs are chopped"

    def transfers(self, settings: Mapping[str, float]) -> dict[str, Any]:
        return super().transfers(settings) | {"in_chop_prob": settings["chop_probability"]}


class Agad(TikiTakaChopped):
    """Describes AGAD (Rasch, Carta, Fagbohungbe & Gokmen, Nat. Commun. 2024)."""

    kind = "DynamicTransferCompound"
    beside_pulses = f"{TransferCell.beside_pulses} through digital running means; signs are chopped"


CELLS = {
    "tiki_taka": TikiTaka(),
    "tiki_taka_v2": TikiTakaV2(),
    "tiki_taka_chopped": TikiTakaChopped(),
    "agad": Agad(),
}
