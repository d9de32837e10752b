"""Defines the delta rule in native devices, with whole numbers of pulses as weight changes."""

from typing import Self

from rpu_ssnn.common.errors import require
from rpu_ssnn.devices.device_source import loses_charge
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.declaration.update_rules.base import RunSettings, Train, changed
from studies.declaration.update_rules.on_device import DeviceRule
from studies.reproductions.rules.online_sgd import OneByOneRule
from studies.reproductions.training.one_by_one_spec import WholePulseSpec

SLOTS = 3
"""A presentation has slots for its forward read, for its transposed read, and for all pulses."""


NOT_HERE = ("reads", "half_select", "read_disturb", "lines", "device_read_noise", "retention")
"""These parts of a tile act in slots or in physical time, which this rule does not have."""


class WholePulseRule(DeviceRule, OneByOneRule):
    """Sends counted pulses after each image."""

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
        return prepared

    def slots(self, network: NetworkSpec) -> int:
        return SLOTS

    def training(self, settings: RunSettings, threads: int) -> Train:
        return self.trained_with(settings, device=self.simulated, tile=self.tile)
