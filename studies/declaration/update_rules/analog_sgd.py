"""The control: ordinary pulsed SGD in a device, as aihwkit trains (`baselines.analog_sgd`).

In aihwkit's tiles, or in native devices with all that acts on them under spikes, memory of pulses
and tables of measured jumps included.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import Field

from rpu_ssnn.baselines.pulse_trains import (
    READS_A_PRESENTATION,
    AnalogSgdSpec,
    PulseTrainSpec,
)
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, Spec
from rpu_ssnn.spec.tile import TileSpec
from studies.common.explain import validated
from studies.declaration.update_rules.base import (
    BLANK_WITHOUT_SPIKES,
    NUMBERS_READ,
    SEES_COUNTS,
    RunSettings,
    Sections,
    Train,
)
from studies.declaration.update_rules.devices import DeviceMethod, OnDeviceCase


class AnalogSgdCase(OnDeviceCase):
    """The same network in the same device, trained with numbers instead of spikes."""

    rule: ClassVar[str] = "analog_sgd"
    reads: ClassVar[tuple[str, ...] | None] = NUMBERS_READ
    parts: ClassVar[Mapping[str, type[Spec]]] = {"trains": PulseTrainSpec}

    update: Literal["analog_sgd"]
    trains: dict[str, Any] = Field({}, description="fields of PulseTrainSpec")

    def slots_shown(self, sections: Sections) -> int:
        return _slots(validated(PulseTrainSpec, sections["trains"], "trains"))

    def method(self, sections: Sections) -> dict[str, Any]:
        found = super().method(sections)
        tile = validated(TileSpec, sections["tile"], "tile")
        if tile.simulator != "native" and tile.initial != "programmed":
            allowed = "must be programmed under analog_sgd, unless the simulator is native"
            raise InputError("study", "tile.initial", tile.initial, allowed)
        if tile.read_disturb.acts:
            shown = tile.read_disturb.model_dump(exclude_defaults=True)
            allowed = "must not be given under analog_sgd, whose reads are of numbers"
            raise InputError("study", "tile.read_disturb", shown, allowed)
        return found


class AnalogSgdMethod(DeviceMethod):
    """Stochastic pulse trains of numbers on a device."""

    rates: ClassVar[tuple[float, float] | None] = (0.03, 3.0)
    sees: ClassVar[str] = SEES_COUNTS
    one_thread: ClassVar[bool] = True  # the order of torch's sums depends on it
    blank_columns: ClassVar[tuple[str, ...]] = BLANK_WITHOUT_SPIKES
    unknown_pulses: ClassVar[str] = "aihwkit counts the pulses of trains of numbers on GPUs only"
    left_out_at_default: ClassVar[dict[str, type[Spec]]] = {
        "tile": TileSpec,
        "trains": PulseTrainSpec,
    }

    update: Literal["analog_sgd"] = "analog_sgd"
    trains: PulseTrainSpec

    def slots(self, network: NetworkSpec) -> int:
        return _slots(self.trains)

    def is_replayable(self) -> bool:
        """Not in aihwkit's tiles, where aihwkit draws the pulse trains."""
        return self.tile.simulator == "native"

    def training(self, settings: RunSettings, threads: int) -> Train:
        from rpu_ssnn.baselines.analog_sgd import train_analog_sgd

        spec = AnalogSgdSpec(trains=self.trains, tile=self.tile, **self.of_numbers(settings))
        hidden, seed = settings.network.hidden, settings.seed
        return partial(train_analog_sgd, spec, hidden, self.simulated, seed=seed)


def _slots(trains: PulseTrainSpec) -> int:
    return trains.train_length + READS_A_PRESENTATION
