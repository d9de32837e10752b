"""Defines what a kind of cell declares, besides what tiles ask of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from rpu_ssnn.devices.cell import Cell
from rpu_ssnn.devices.law_parameter import LawParameter

MOST_SLOTS = 2e9
"""aihwkit counts slots in 32 bits."""


def transfer_every(neutral: float) -> LawParameter:
    """Returns the setting of how often a cell transfers; `neutral` is its default."""
    return LawParameter(
        description="slots with a pulse from one transfer to the next",
        unit="slots", limits=(1.0, MOST_SLOTS), whole=True, neutral=neutral,
    )  # fmt: skip


class Compound(Cell, ABC):
    """Describes a kind of cell that has a name, such as ``tiki_taka``.

    Attributes:
        settings: the settings of the cell, by the name with which a study overrides them. Their
            defaults (`neutral`) are assumptions (docs/explanation/devices.md).
        takes_partner: whether the slow device may be another preset.
        beside_pulses: what changes weights apart from the coincidences' pulses; None for nothing.
        unknown_pulses: why the ledger cannot count all pulses; None if it can.
    """

    settings: Mapping[str, LawParameter] = {}
    takes_partner = False
    beside_pulses: str | None = None
    unknown_pulses: str | None = None

    @abstractmethod
    def build(self, devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
        """Returns the aihwkit configuration of the cell.

        Args:
            devices: the configurations of its devices.
            settings: the values of `settings`.
        """
