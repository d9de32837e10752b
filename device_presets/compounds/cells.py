"""Declares the compounds: cells of several devices that may improve on a single device.

``tiki_taka(reram_sb)`` uses two ``reram_sb`` devices per weight; ``tiki_taka(capacitor, ecram)``
transfers from a fast capacitor to a slow, non-volatile partner. Each row of `COMPOUNDS` is one
cell, and a new cell needs only a new row.

In a transfer cell every coincidence pulses the *fast* device, and the network reads the *slow*
one. After every `transfer_every` slots in which a pulse was sent, one input line of the fast array
is read (ideally), and part of it is moved to the slow array by pulses that aihwkit draws.

In a one-sided pair a coincidence sets one of two devices, each of which moves up only. After every
`refresh_every` such slots all weights are read (ideally). If both devices of a pair are high, they
are reset, and the difference is written to one of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from rpu_ssnn.devices.law_parameter import LawParameter

TRANSFER_PULSES = 31
"""One transfer of `tiki_taka` sends at most this many pulses to a device, which is aihwkit's
default; the other transfer cells send one."""

_MOST_SLOTS = 2e9
"""aihwkit counts slots in 32 bits."""

_MOST_GAIN = 1e9
"""Larger gains would come near the limit of single precision."""

_EVERY = LawParameter(
    description="slots with a pulse from one transfer to the next",
    unit="slots", limits=(1.0, _MOST_SLOTS), whole=True, neutral=5.0,
)  # fmt: skip


def _gain(neutral: float) -> LawParameter:
    return LawParameter(
        description="share of the fast weight that one transfer moves if learning_rate is one step "
        "of a device; the share is proportional to learning_rate",
        unit="1", limits=(0.0, _MOST_GAIN), above_low=True, neutral=neutral,
    )  # fmt: skip


type Build = Callable[[Sequence[Any], Mapping[str, float]], Any]
"""A function that builds the cell's configuration from the devices' configurations and the
settings."""


@dataclass(frozen=True)
class Compound:
    """Describes a kind of cell of several devices.

    Attributes:
        devices: the number of devices that hold one weight.
        citation: the publication or aihwkit class that the cell comes from.
        build: makes the aihwkit configuration; None if the tile pairs single devices itself.
        settings: the settings of the cell, by the name with which a study overrides them. Their
            defaults (`neutral`) are assumptions (docs/explanation/devices.md).
        takes_partner: whether the slow device may be another preset.
        one_sided: whether the devices move one way only; the other cells refuse such devices.
        thinned: whether the learning rate thins the pulse trains; otherwise it scales the
            transfers or the digital sums.
        parallel: whether all devices get every pulse and their mean is read.
        beside_pulses: what changes weights apart from the coincidences' pulses; None for nothing.
        unknown_pulses: why the ledger cannot count all pulses; None if it can.
    """

    devices: int
    citation: str
    build: Build | None
    settings: Mapping[str, LawParameter]
    takes_partner: bool = False
    one_sided: bool = False
    thinned: bool = True
    parallel: bool = False
    beside_pulses: str | None = None
    unknown_pulses: str | None = None


def _transfer_cell(
    citation: str, cell: str, settings: Mapping[str, LawParameter], through: str = ""
) -> Compound:
    """Returns a transfer cell of aihwkit that reads exactly, counts in slots and thins no train.

    Args:
        citation: the publication that the cell comes from.
        cell: the name of aihwkit's class.
        settings: the settings of the cell, as in `Compound`.
        through: what transfers pass through, as the end of a phrase.
    """

    def build(devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
        from aihwkit.simulator.configs import compounds
        from aihwkit.simulator.parameters.io import IOParameters
        from aihwkit.simulator.parameters.training import UpdateParameters

        from rpu_ssnn.devices.certain_pulses import IN_STEPS

        fields = {
            "unit_cell_devices": list(devices),
            "transfer_forward": IOParameters(is_perfect=True),
            "units_in_mbatch": False,
            "transfer_every": settings["transfer_every"],
            "transfer_lr": settings["transfer_gain"],
            "scale_transfer_lr": True,
            "fast_lr": IN_STEPS * devices[0].dw_min,
            "scale_fast_lr": False,
        }
        if cell == "TransferCompound":
            fields["transfer_update"] = UpdateParameters(desired_bl=TRANSFER_PULSES)
        else:  # Whatever the single pulse does not move stays in the buffer.
            fields |= {"forget_buffer": False, "momentum": 0.0}
        if "chop_probability" in settings:
            fields["in_chop_prob"] = settings["chop_probability"]
        return getattr(compounds, cell)(**fields)

    return Compound(
        devices=2, citation=citation, build=build, settings=settings, takes_partner=True,
        thinned=False, unknown_pulses="aihwkit does not count the pulses of transfers",
        beside_pulses="transfers: lines of the fast array are read and written to the slow one"
        + through,
    )  # fmt: skip


def _four(devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
    from aihwkit.simulator.configs.compounds import VectorUnitCell
    from aihwkit.simulator.parameters.enums import VectorUnitCellUpdatePolicy

    return VectorUnitCell(
        unit_cell_devices=list(devices), update_policy=VectorUnitCellUpdatePolicy.ALL
    )


def _one_sided(devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
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


def _mixed_precision(devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
    from aihwkit.simulator.configs.compounds import MixedPrecisionCompound

    return MixedPrecisionCompound(device=devices[0], transfer_every=int(settings["transfer_every"]))


def _mixed_precision_pair(devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
    pair = _one_sided(devices, settings)
    # What aihwkit counts as a mini-batch is here one transfer with all its rows.
    pair.units_in_mbatch = True
    return _mixed_precision([pair], settings)


def _threshold(which: str, neutral: float) -> LawParameter:
    return LawParameter(
        description=f"a pair is refreshed if its {which} device is above this",
        unit="w_max", limits=(0.0, 1.0), neutral=neutral,
    )  # fmt: skip


_REFRESHED = {
    "refresh_every": LawParameter(
        description="slots with a pulse from one check of all pairs to the next",
        unit="slots", limits=(1.0, _MOST_SLOTS), whole=True, neutral=1000.0,
    ),
    "refresh_upper_threshold": _threshold("higher", 0.75),
    "refresh_lower_threshold": _threshold("lower", 0.25),
    "rewrite_pulses": LawParameter(
        description="most pulses that write the difference after a reset, without a check; "
        "0 writes it exactly",
        unit="pulses", limits=(0.0, 1000.0), whole=True, neutral=31.0,
    ),
}  # fmt: skip
_SUM_EVERY = replace(_EVERY, neutral=50.0)
_REFRESH = "refresh: pairs of high devices are reset and their difference written"
_SUM = (
    "not by pulses alone: outer products of the spikes are summed in digital "
    "memory, which sends a pulse for each whole step"
)
_CHOPPED = {
    "transfer_every": _EVERY,
    "transfer_gain": _gain(0.05),
    "chop_probability": LawParameter(
        description="probability (agad: frequency) of a sign change after a line is read",
        unit="1", limits=(0.0, 1.0), above_low=True, neutral=0.1,
    ),
}  # fmt: skip

_NO_SUM_COUNT = "aihwkit does not count the pulses that the digital memory sends"

COMPOUNDS: Mapping[str, Compound] = MappingProxyType(
    {
        "two_device_pair": Compound(2, "differential pair", None, {}),
        "four_device_cell": Compound(
            4, "aihwkit VectorUnitCell; every device gets every pulse, the mean is read", _four, {},
            parallel=True,
        ),
        "one_sided_pair": Compound(
            2, "aihwkit OneSidedUnitCell; devices as in Nandakumar et al., Front. Neurosci. 2020",
            _one_sided, _REFRESHED, one_sided=True, beside_pulses=_REFRESH,
            unknown_pulses="aihwkit does not count the pulses that rewrite refreshed pairs",
        ),
        "tiki_taka": _transfer_cell(
            "Gokmen & Haensch, Front. Neurosci. 2020, fnins.2020.00103", "TransferCompound",
            {"transfer_every": _EVERY, "transfer_gain": _gain(0.02)},
        ),
        "tiki_taka_v2": _transfer_cell(
            "Gokmen, Front. Artif. Intell. 2021, frai.2021.699148", "BufferedTransferCompound",
            {"transfer_every": _EVERY, "transfer_gain": _gain(0.005)}, " through a digital buffer",
        ),
        "tiki_taka_chopped": _transfer_cell(
            "Rasch, Carta, Fagbohungbe & Gokmen, Nat. Commun. 2024 (c-TTv2)",
            "ChoppedTransferCompound", _CHOPPED, " through a digital buffer; signs are chopped",
        ),
        "agad": _transfer_cell(
            "Rasch, Carta, Fagbohungbe & Gokmen, Nat. Commun. 2024 (AGAD)",
            "DynamicTransferCompound", _CHOPPED,
            " through digital running means; signs are chopped",
        ),
        "mixed_precision": Compound(
            1, "Nandakumar et al., Front. Neurosci. 2020, fnins.2020.00406", _mixed_precision,
            {"transfer_every": _SUM_EVERY}, thinned=False, beside_pulses=_SUM,
            unknown_pulses=_NO_SUM_COUNT,
        ),
        "mixed_precision_pair": Compound(
            2, "Nandakumar et al., Front. Neurosci. 2020; aihwkit's MixedPrecisionPCMPreset",
            _mixed_precision_pair,
            {
                "transfer_every": _SUM_EVERY,
                **_REFRESHED,
                "refresh_every": replace(
                    _REFRESHED["refresh_every"],
                    unit="transfers",
                    description="transfers from one check of all pairs to the next",
                    neutral=20.0,
                ),
            },
            one_sided=True, thinned=False, beside_pulses=f"{_SUM}; {_REFRESH}",
            unknown_pulses=_NO_SUM_COUNT,
        ),
    }
)  # fmt: skip
"""The cells by name, the simplest first."""
