"""Defines a cell of four devices that all get every pulse, and whose mean is read."""

from collections.abc import Mapping, Sequence
from typing import Any

from device_presets.compounds.compound import Compound


class FourDevices(Compound):
    """Describes four devices in parallel (aihwkit's `VectorUnitCell`)."""

    devices = in_parallel = 4

    def build(self, devices: Sequence[Any], settings: Mapping[str, float]) -> Any:
        from aihwkit.simulator.configs.compounds import VectorUnitCell
        from aihwkit.simulator.parameters.enums import VectorUnitCellUpdatePolicy

        return VectorUnitCell(
            unit_cell_devices=list(devices), update_policy=VectorUnitCellUpdatePolicy.ALL
        )


CELLS = {"four_device_cell": FourDevices()}
