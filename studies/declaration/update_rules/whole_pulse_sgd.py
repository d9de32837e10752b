"""The delta rule in native devices: each weight change is a whole number of pulses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from rpu_ssnn.baselines.online_spec import WholePulseSpec
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, Spec
from rpu_ssnn.spec.tile import TileSpec
from studies.common.explain import validated
from studies.declaration.update_rules.base import SEES_COUNTS, RunSettings, Sections, Train
from studies.declaration.update_rules.devices import DeviceMethod, OnDeviceCase
from studies.declaration.update_rules.online_sgd import (
    BLANK_ONLINE,
    ONLINE_READS,
    changed_settings,
    check_layers,
    online_training,
)

SLOTS = 3
"""Of a presentation: forward read, transposed read, and one for all of its pulses."""


class WholePulseCase(OnDeviceCase):
    """The delta rule in a device, in whole pulses."""

    rule: ClassVar[str] = "whole_pulse_sgd"
    reads: ClassVar[tuple[str, ...] | None] = ONLINE_READS
    parts: ClassVar[Mapping[str, type[Spec]]] = {"online": WholePulseSpec}

    update: Literal["whole_pulse_sgd"]
    online: dict[str, Any] = Field({}, description="fields of WholePulseSpec")

    def method(self, sections: Sections) -> dict[str, Any]:
        # Only studies with devices need these.
        from device_presets import get_device
        from rpu_ssnn.baselines.online_layers import check_whole_pulses

        found = super().method(sections)
        tile = validated(TileSpec, sections["tile"], "tile")
        try:
            check_whole_pulses(get_device(self.device, found["overrides"]), tile)
        except InputError as error:
            value = self.device if error.field == "device" else error.value
            raise InputError("study", error.field, value, error.allowed) from error
        check_layers(found["online"]["layer_rates"], sections["network"])
        return found


class WholePulseMethod(DeviceMethod):
    """Counted pulses after each image."""

    rates: ClassVar[tuple[float, float] | None] = (0.03, 3.0)
    sees: ClassVar[str] = SEES_COUNTS
    one_thread: ClassVar[bool] = True  # an image needs the weights that the last one left
    blank_columns: ClassVar[tuple[str, ...]] = BLANK_ONLINE
    left_out_at_default: ClassVar[dict[str, type[Spec]]] = {
        "tile": TileSpec,
        "online": WholePulseSpec,
    }

    update: Literal["whole_pulse_sgd"] = "whole_pulse_sgd"
    online: WholePulseSpec

    def slots(self, network: NetworkSpec) -> int:
        return SLOTS

    def columns(self) -> dict[str, Any]:
        return {**super().columns(), "online": changed_settings(self.online)}

    def training(self, settings: RunSettings, threads: int) -> Train:
        held = {"device": self.simulated, "tile": self.tile}
        return online_training(self.online, self.learning_rate, held, settings)
