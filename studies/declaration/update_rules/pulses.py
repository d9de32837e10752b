"""SSNN-BP in devices, by pulses only: a case that names a device and no other rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.declaration.update_rules.devices import DeviceMethod, OnDeviceCase
from studies.declaration.update_rules.spiking import SsnnBpMethod, refuse_runaway

if TYPE_CHECKING:
    from rpu_ssnn.synapses import SynapsesFactory


class DeviceCase(OnDeviceCase):
    """SSNN-BP in devices, by pulses only; the device is a name from `device_presets`."""

    rule: ClassVar[str] = "pulses"

    def check(self, network: NetworkSpec, training: TrainingSpec) -> None:
        refuse_runaway(network)


class PulseMethod(DeviceMethod, SsnnBpMethod):
    """Pulses on a device: `overrides` as the preset understood them, `parameters` complete."""

    update: Literal["pulses"] = "pulses"

    def synapses(self) -> SynapsesFactory:
        from rpu_ssnn.synapses.native.synapses import native_synapses
        from rpu_ssnn.synapses.tile import tile_synapses

        make = native_synapses if self.tile.simulator == "native" else tile_synapses
        return make(self.simulated, self.tile, self.learning_rate)

    def is_replayable(self) -> bool:
        """aihwkit's own generator cannot be seeded, so nothing may be drawn from it after
        construction."""
        if self.tile.simulator != "aihwkit":
            return True
        quiet_reads = self.tile.reads is None or self.tile.reads.read_noise == 0
        return quiet_reads and self.simulated.noise_free
