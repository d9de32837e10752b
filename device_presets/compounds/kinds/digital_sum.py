"""Defines cells of mixed precision, which sum outer products of the spikes in digital memory.

The memory sends a pulse for each whole step. The learning rate scales the sums; no train is
thinned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from device_presets.compounds.compound import Compound, transfer_every
from device_presets.compounds.kinds.one_sided_pair import OneSidedPair
from rpu_ssnn.devices.cell import SINGLE, Cell, PulseCounts, PulsedDevice, Rounds
from rpu_ssnn.devices.law_parameter import LawParameter

_SUM = (
    "not by pulses alone: outer products of the spikes are summed in digital "
    "memory, which sends a pulse for each whole step"
)


class MixedPrecision(Compound):
    """Describes a digital sum (Nandakumar et al., Front. Neurosci. 2020, fnins.2020.00406).

    Attributes:
        pulsed: the cell that the memory pulses.
    """

    native = False
    beside_pulses = _SUM
    unknown_pulses = "aihwkit does not count the pulses that the digital memory sends"
    not_restored_because = "aihwkit cannot restore a cell with a digital sum"
    settings: Mapping[str, LawParameter] = {"transfer_every": transfer_every(50.0)}
    pulsed: Cell = SINGLE

    def build(self, devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
        from aihwkit.simulator.configs.compounds import MixedPrecisionCompound

        every = int(settings["transfer_every"])
        return MixedPrecisionCompound(device=devices[0], transfer_every=every)

    def tile_config(self, device: PulsedDevice, trains: Any = None, **reads: Any) -> Any:
        from aihwkit.simulator.configs import DigitalRankUpdateRPUConfig, UpdateParameters
        from aihwkit.simulator.parameters.enums import PulseType

        if trains is None:
            device.transfer_every = 1  # It counts calls, whose length `rounds` limits.
            trains = UpdateParameters(pulse_type=PulseType.STOCHASTIC_COMPRESSED)
        return DigitalRankUpdateRPUConfig(device=device, update=trains, **reads)

    def step(self, device: PulsedDevice) -> float:
        return self.pulsed.step(device.device)

    def learning_rate(self, step: float, device_step: float, per_state: np.float32) -> np.floating:
        return step / per_state

    def rounds(self, device: PulsedDevice, tile: Any) -> Rounds:
        """Limits each call to the slots of a transfer, since the sum sends its pulses once per
        call, whatever `transfer_every` says about slots; calls also end with the engine's
        blocks."""
        return Rounds(int(device.transfer_every))

    def statistics(
        self, device: PulsedDevice, up: PulseCounts, down: PulseCounts, tiles: int, rows: int
    ) -> dict[str, float]:
        """Counts coincidences, as the pulses are unknown."""
        coincidences = float(up.sum(dtype=np.int64) + down.sum(dtype=np.int64))
        blank = dict.fromkeys(("pulses_up_total", "pulses_down_total"), np.nan)
        return blank | {"coincidences_total": coincidences}


class MixedPrecisionPair(MixedPrecision):
    """Describes a digital sum that pulses one-sided pairs (Nandakumar et al., Front. Neurosci.
    2020; aihwkit's `MixedPrecisionPCMPreset`)."""

    devices = 2
    one_sided = True
    pulsed = OneSidedPair()
    beside_pulses = f"{_SUM}; {OneSidedPair.beside_pulses}"
    settings: Mapping[str, LawParameter] = {
        **MixedPrecision.settings,
        **OneSidedPair.settings,
        "refresh_every": replace(
            OneSidedPair.settings["refresh_every"],
            description="transfers from one check of all pairs to the next",
            unit="transfers", neutral=20.0,
        ),
    }  # fmt: skip

    def build(self, devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
        pair = OneSidedPair().build(devices, settings)
        # What aihwkit counts as a mini-batch is here one transfer with all its rows.
        pair.units_in_mbatch = True
        return super().build([pair], settings)


CELLS = {"mixed_precision": MixedPrecision(), "mixed_precision_pair": MixedPrecisionPair()}
