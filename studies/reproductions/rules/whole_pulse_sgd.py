"""Defines the delta rule in native devices, with whole numbers of pulses as weight changes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.common.settings import canonical
from studies.declaration.update_rules.base import NumbersRule, RunSettings, Train, changed
from studies.declaration.update_rules.on_device import DeviceRule
from studies.reproductions.rules.online_sgd import WITHOUT_BATCHES, check_layers, one_by_one
from studies.reproductions.training.one_by_one_spec import WholePulseSpec

SLOTS = 3
"""A presentation has slots for its forward read, for its transposed read, and for all pulses."""


class WholePulseRule(DeviceRule, NumbersRule):
    """Sends counted pulses after each image."""

    without_effect: ClassVar[tuple[str, ...]] = WITHOUT_BATCHES
    rates: ClassVar[tuple[float, float] | None] = (0.03, 3.0)

    online: WholePulseSpec = WholePulseSpec()

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        from studies.reproductions.training.one_by_one_layers import check_whole_pulses

        found = super().prepared(network, training)
        try:
            check_whole_pulses(found.simulated, self.tile)
        except InputError as error:
            value = self.device if error.field == "device" else error.value
            raise InputError("study", error.field, value, error.allowed) from error
        check_layers(self.online, network)
        return found

    def decisive(self) -> dict[str, Any]:
        return super().decisive() | {"online": changed(self.online)}

    def slots(self, network: NetworkSpec) -> int:
        return SLOTS

    def columns(self) -> dict[str, Any]:
        return {**super().columns(), "online": canonical(changed(self.online))}

    def training(self, settings: RunSettings, threads: int) -> Train:
        held = {"device": self.simulated, "tile": self.tile}
        return one_by_one(self.online, self.rate(), held, settings)
