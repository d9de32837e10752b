"""Defines a differential pair, for which the tile itself pairs two single devices."""

from collections.abc import Mapping, Sequence
from typing import Any

from device_presets.compounds.compound import Compound


class Pair(Compound):
    """Describes two devices whose difference is the weight; one goes up where the other goes down.

    Each tile of the pair has one device of every weight.
    """

    pair = True

    def build(self, devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
        return devices[0]


CELLS = {"two_device_pair": Pair()}
