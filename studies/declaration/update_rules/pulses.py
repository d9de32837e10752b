"""Defines SSNN-BP in devices by pulses only, the rule of a case with a device and no other rule."""

from rpu_ssnn.synapses import SynapsesFactory
from studies.declaration.devices import path_free
from studies.declaration.update_rules.base import SsnnBpRule
from studies.declaration.update_rules.on_device import DeviceRule


class PulseRule(DeviceRule, SsnnBpRule):
    """Trains devices with SSNN-BP by pulses only; `device` is a name from `device_presets`."""

    @property
    def title(self) -> str:
        return path_free(self.device)

    def synapses(self) -> SynapsesFactory:
        from rpu_ssnn.synapses.device_synapses import device_synapses

        return device_synapses(self.simulated, self.tile, self.rate())

    def is_replayable(self) -> bool:
        """Says whether the run repeats bit for bit.

        A run in native devices always does. aihwkit's own generator cannot be seeded, so a run in
        its tiles repeats only if nothing is drawn after they are built.
        """
        if self.tile.simulator != "aihwkit":
            return True
        quiet_reads = self.tile.reads is None or self.tile.reads.read_noise == 0
        return quiet_reads and self.simulated.noise_free
