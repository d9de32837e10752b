"""Defines the control: ordinary pulsed SGD in a device, as in aihwkit (`baselines.analog_sgd`).

It runs in aihwkit's tiles, or in native devices with every effect that acts on them under spikes,
including the memory of pulses and tables of measured jumps.
"""

from functools import partial
from typing import Any, ClassVar, Self

from rpu_ssnn.baselines.control_settings import READS_A_PRESENTATION, AnalogSgdSpec, PulseTrainSpec
from rpu_ssnn.common.errors import require
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from studies.declaration.update_rules.base import NumbersRule, RunSettings, Train, changed
from studies.declaration.update_rules.on_device import DeviceRule


class AnalogSgdRule(DeviceRule, NumbersRule):
    """Trains the same network in the same device with stochastic pulse trains of numbers."""

    rates: ClassVar[tuple[float, float] | None] = (0.03, 3.0)
    convolutions: ClassVar[bool] = True

    trains: PulseTrainSpec = PulseTrainSpec()

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        prepared, tile = super().prepared(network, training), self.tile
        possible = tile.simulator == "native" or tile.initial == "programmed"
        allowed = "must be programmed under analog_sgd, unless the simulator is native"
        require(possible, "study", "tile.initial", tile.initial, allowed)
        disturb = tile.read_disturb
        allowed = "must be left out under analog_sgd, whose reads are of numbers, not of spikes"
        require(not disturb.acts, "study", "tile.read_disturb", changed(disturb), allowed)
        return prepared

    def decisive(self) -> dict[str, Any]:
        return super().decisive() | {"trains": changed(self.trains)}

    def slots(self, network: NetworkSpec) -> int:
        return self.trains.train_length + READS_A_PRESENTATION

    def is_replayable(self) -> bool:
        """Says whether the run repeats; in aihwkit, which draws the pulse trains, it does not."""
        return self.tile.simulator == "native"

    def training(self, settings: RunSettings, threads: int) -> Train:
        from rpu_ssnn.baselines.analog_sgd import train_analog_sgd

        network, numbers = settings.network, self.of_numbers(settings)
        at_once = network.positions == "at_once"
        spec = AnalogSgdSpec(trains=self.trains, tile=self.tile, at_once=at_once, **numbers)
        layers, seed = network.hidden_layers, settings.seed
        return partial(train_analog_sgd, spec, layers, self.simulated, seed=seed)
