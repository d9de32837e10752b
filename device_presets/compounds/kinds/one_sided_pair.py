"""Defines a pair of devices that move up only, of which a coincidence pulses one.

After every `refresh_every` slots with a pulse all weights are read (ideally). If both devices of a
pair are high, they are reset, and the difference is written to one of them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from device_presets.compounds.compound import MOST_SLOTS, Compound
from rpu_ssnn.devices.cell import PulsedDevice, Rounds
from rpu_ssnn.devices.law_parameter import LawParameter


def _threshold(which: str, neutral: float) -> LawParameter:
    return LawParameter(
        description=f"a pair is refreshed if its {which} device is above this",
        unit="w_max", limits=(0.0, 1.0), neutral=neutral,
    )  # fmt: skip


class OneSidedPair(Compound):
    """Describes aihwkit's `OneSidedUnitCell`, with devices as in Nandakumar et al., Front.
    Neurosci. 2020."""

    devices = 2
    one_sided = True
    native = False
    beside_pulses = "refresh: pairs of high devices are reset and their difference written"
    unknown_pulses = "aihwkit does not count the pulses that rewrite refreshed pairs"
    settings: Mapping[str, LawParameter] = {
        "refresh_every": LawParameter(
            description="slots with a pulse from one check of all pairs to the next",
            unit="slots", limits=(1.0, MOST_SLOTS), whole=True, neutral=1000.0,
        ),
        "refresh_upper_threshold": _threshold("higher", 0.75),
        "refresh_lower_threshold": _threshold("lower", 0.25),
        "rewrite_pulses": LawParameter(
            description="most pulses that write the difference after a reset, without a check; "
            "0 writes it exactly",
            unit="pulses", limits=(0.0, 1000.0), whole=True, neutral=31.0,
        ),
    }  # fmt: skip

    def build(self, devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
        from aihwkit.simulator.configs.compounds import OneSidedUnitCell
        from aihwkit.simulator.parameters.enums import PulseType
        from aihwkit.simulator.parameters.io import IOParameters
        from aihwkit.simulator.parameters.training import UpdateParameters

        # aihwkit counts the rows of an update between refreshes; here each row is a slot.
        pulses = int(settings["rewrite_pulses"])
        exact = UpdateParameters(pulse_type=PulseType.NONE)
        return OneSidedUnitCell(
            unit_cell_devices=list(devices),
            refresh_every=int(settings["refresh_every"]),
            units_in_mbatch=False,
            refresh_upper_thres=settings["refresh_upper_threshold"],
            refresh_lower_thres=settings["refresh_lower_threshold"],
            refresh_forward=IOParameters(is_perfect=True),
            refresh_update=UpdateParameters(desired_bl=pulses) if pulses else exact,
        )

    def tile_config(self, device: PulsedDevice, trains: Any = None, **reads: Any) -> Any:
        """Makes room for the empty row of a `Refresh`."""
        if trains is None:
            device.refresh_every += 1
        return super().tile_config(device, trains, **reads)

    def step(self, device: PulsedDevice) -> float:
        """Returns the step of one device, as a weight is zero at any equal states; where steps are
        exponential, the up step half-way between the mean bounds (aihwkit's `ExpStepDevice`)."""
        from aihwkit.simulator.configs.devices import ExpStepDevice

        one = self.pulsed_device(device)
        if not isinstance(one, ExpStepDevice):
            return float(one.dw_min)
        middle = one.a * (one.w_max + one.w_min) / (one.w_max - one.w_min) + one.b
        return float(one.dw_min * (1.0 - one.A_up * math.exp(one.gamma_up * middle)))

    def rounds(self, device: PulsedDevice, tile: Any) -> Rounds:
        from device_presets.compounds.refresh import Refresh

        return Refresh(tile, int(device.refresh_every))


CELLS = {"one_sided_pair": OneSidedPair()}
