"""Defines the delta rule in native devices, with whole numbers of pulses as weight changes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from rpu_ssnn.common.errors import require
from rpu_ssnn.devices.device_source import loses_charge
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.common.settings import canonical
from studies.declaration.update_rules.base import NumbersRule, RunSettings, Train, changed
from studies.declaration.update_rules.on_device import DeviceRule
from studies.reproductions.rules.online_sgd import WITHOUT_BATCHES, check_layers, one_by_one
from studies.reproductions.training.one_by_one_spec import WholePulseSpec

SLOTS = 3
"""A presentation has slots for its forward read, for its transposed read, and for all pulses."""


NOT_HERE = ("reads", "half_select", "read_disturb", "lines", "device_read_noise", "retention")
"""These parts of a tile act in slots or in physical time, which this rule does not have."""


class WholePulseRule(DeviceRule, NumbersRule):
    """Sends counted pulses after each image."""

    without_effect: ClassVar[tuple[str, ...]] = WITHOUT_BATCHES
    rates: ClassVar[tuple[float, float] | None] = (0.03, 3.0)

    online: WholePulseSpec = WholePulseSpec()

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        """Refuses effects that the rule would silently leave out."""
        prepared, tile = super().prepared(network, training), self.tile
        allowed = "must be native under whole_pulse_sgd, which counts pulses on its devices"
        require(tile.simulator == "native", "study", "tile.simulator", tile.simulator, allowed)
        device = prepared.simulated
        allowed = (
            "must be a device that loses no charge and does not remember its pulses under "
            "whole_pulse_sgd, which has no physical time"
        )
        timeless = not loses_charge(device) and device.pulse_physics is None
        require(timeless, "study", "device", self.device, allowed)
        allowed = (
            "must not be given under whole_pulse_sgd, which has no slots (for converters: "
            "online.sum_bits and online.hidden_bits)"
        )
        for name, shown in changed(tile).items():
            require(name not in NOT_HERE, "study", f"tile.{name}", shown, allowed)
        check_layers(self.online, network)
        return prepared

    def decisive(self) -> dict[str, Any]:
        return super().decisive() | {"online": changed(self.online)}

    def slots(self, network: NetworkSpec) -> int:
        return SLOTS

    def columns(self) -> dict[str, Any]:
        return {**super().columns(), "online": canonical(changed(self.online))}

    def training(self, settings: RunSettings, threads: int) -> Train:
        weights = {"device": self.simulated, "tile": self.tile}
        return one_by_one(self.online, self.rate(), weights, settings)
