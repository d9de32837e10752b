"""Computes energy, time and area of a network in a chip, by component."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from studies.chip.crossbar import ChipCrossbar, CrossbarEvents
from studies.chip.description import Chip, Component

HALF_SELECT_SHARE = 0.25
"""A pulse of half the voltage takes this share of the energy: C V^2 and V^2 / R grow as V^2."""

PICOJOULE = 1e-12
MULTIPLY_ADD_J = {8: 0.23 * PICOJOULE, 32: 4.6 * PICOJOULE}
"""A multiplication and an addition take this energy (J), with 8-bit whole numbers and in 32-bit
floating point. These and the next number are for 45 nm and 0.9 V: Horowitz, ISSCC 2014, Fig.
1.1.9."""

FETCH_OF_A_BIT_J = 100 * PICOJOULE / 64
"""Fetching a bit takes this energy: 64 bits from 1 MB of SRAM take 100 pJ (from 32 kB, 20 pJ)."""


type Joules = Float64[np.ndarray, "3"]
"""An energy (J) has three numbers: its value, and the lowest and highest that its sources allow."""


def total(parts: Mapping[str, Joules]) -> Joules:
    """Returns the sum of all parts, with the sums of their lowest and of their highest values."""
    result: Joules = np.sum(list(parts.values()), axis=0)
    return result


def joules(component: Component | None) -> Joules:
    """Returns the energy of an event of a component, or 0 if it has none."""
    if component is None or component.energy_j is None:
        return np.zeros(3)
    value = component.energy_j
    return np.array([value, *(component.interval or (value, value))])


@dataclass(frozen=True)
class ChipNetwork:
    """Holds the crossbars of a network, and their mean events in a presentation.

    Attributes:
        training, inference: events of each crossbar.
        wires: spikes of label and inhibition at an output neuron, in training and in inference.
        slots: slots of a presentation with flush, in training and in inference.
        presentations: presentations of the whole training.
        pulse: energy of a pulse of the device (J); None if not known.
        pulse_s: shortest slot of the device (s).
        idle_s: time between presentations of the training (s).
        initial_pulses: pulses of all devices at the start; 0 if they are programmed.
    """

    crossbars: Sequence[ChipCrossbar]
    training: Sequence[CrossbarEvents]
    inference: Sequence[CrossbarEvents]
    wires: tuple[float, float]
    slots: tuple[int, int]
    presentations: float
    pulse: float | None = None
    pulse_s: float = 0.0
    idle_s: float = 0.0
    initial_pulses: float = 0.0


@dataclass(frozen=True)
class Costs:
    """Computes what a network costs in a chip."""

    network: ChipNetwork
    chip: Chip

    @cached_property
    def pulse(self) -> Joules:
        """Returns the energy of a pulse (J), from the preset or else from the chip."""
        own = self.network.pulse
        return joules(self.chip.components.pulse) if own is None else np.full(3, own)

    @cached_property
    def training(self) -> dict[str, Joules]:
        """Returns the energy of a presentation in training (J), by component."""
        return self._energies(self.network.training, 0)

    @cached_property
    def inference(self) -> dict[str, Joules]:
        """Returns the energy of a presentation in inference (J), by component."""
        return self._energies(self.network.inference, 1)

    @property
    def initial(self) -> Joules:
        """Returns the energy of writing the initial weights (J)."""
        devices = sum(each.n_in * each.columns for each in self.network.crossbars)
        energy, n = joules(self.chip.components.initial_write), float(devices)
        if self.network.initial_pulses:
            energy, n = self.pulse, self.network.initial_pulses
        written: Joules = n * energy
        return written

    @property
    def whole_training(self) -> Joules:
        """Returns the energy of all presentations and of writing the initial weights (J)."""
        whole: Joules = total(self.training) * self.network.presentations + self.initial
        return whole

    @cached_property
    def time(self) -> tuple[float, str]:
        """Returns the time of a presentation in training (s), and what limits it."""
        seconds, limit = self._time(0)
        return seconds + self.network.idle_s, limit

    @cached_property
    def inference_time(self) -> tuple[float, str]:
        """Returns the time of a presentation in inference (s), and what limits it."""
        return self._time(1)

    @cached_property
    def arrays(self) -> list[tuple[int, int]]:
        """Returns how many arrays each crossbar has below and beside each other."""
        return [crossbar.arrays(self.chip) for crossbar in self.network.crossbars]

    @property
    def array_count(self) -> int:
        """Returns the number of all arrays."""
        return sum(below * beside for below, beside in self.arrays)

    @property
    def array_use(self) -> float:
        """Returns the share of the devices of all arrays that hold weights."""
        size = self.chip.array
        used = sum(each.n_in * each.columns for each in self.network.crossbars)
        return used / (self.array_count * size.rows * size.columns)

    @cached_property
    def component_counts(self) -> dict[str, float]:
        """Returns how many of each component the chip has. Each neuron counts three times, since it
        has two more for its gradient streams."""
        size, n = self.chip.array, self.array_count
        crossbars = self.network.crossbars
        lines: dict[str, float] = {"row_driver": size.rows * n, "column_driver": size.columns * n}
        converted = sum(
            below * beside * (size.columns + (0 if crossbar.is_first else size.rows))
            for crossbar, (below, beside) in zip(crossbars, self.arrays, strict=True)
        )
        return lines | {
            "array": n,
            "cell_read": size.rows * size.columns * n,
            "converter": math.ceil(converted / self.chip.lines_per_converter)
            * (self.chip.columns == "converter"),
            "neuron": sum(3 * each.neurons for each in crossbars),
            "buffer": sum(each.before * each.delay for each in crossbars),
        }

    @property
    def area_m2(self) -> float:
        """Returns the area of all components (m2)."""
        return sum(n * part.area_m2 for n, part in self._built())

    @property
    def power_w(self) -> float:
        """Returns the power that the components always take (W)."""
        return sum(n * part.power_w for n, part in self._built())

    def _built(self) -> list[tuple[float, Component]]:
        counts, parts = self.component_counts, self.chip.components
        return [(n, part) for name, n in counts.items() if (part := getattr(parts, name))]

    @cached_property
    def matter_most(self) -> list[str]:
        """Returns the three components that may take the most energy in training."""
        return sorted(self.training, key=lambda name: -self.training[name][2])[:3]

    def _energies(self, events: Sequence[CrossbarEvents], phase: int) -> dict[str, Joules]:
        components, used = self.chip.components, {"wire": self.network.wires[phase]}
        for crossbar, counts in zip(self.network.crossbars, events, strict=True):
            for name, count in crossbar.use(self.chip, counts, writes=not phase).items():
                used[name] = used.get(name, 0.0) + count
        pulsed = {"pulse": self.pulse, "half_select": self.pulse * HALF_SELECT_SHARE}
        costs = pulsed | {
            name: joules(getattr(components, name)) for name in used if name not in pulsed
        }
        leaks = self.power_w * (self.inference_time if phase else self.time)[0]
        energies = {name: costs[name] * count for name, count in used.items()}
        return energies | {"leakage": np.full(3, leaks)}

    def _time(self, phase: int) -> tuple[float, str]:
        """Returns the time of the slowest crossbar, or of the shortest slots if that is longer.

        Parallel reads take a fixed time in each cycle of a crossbar, and so do writes by each
        spike. Other reads and writes take time only when they happen, on average; replicas that
        work at the same time share them evenly.
        """
        network, chip = self.network, self.chip
        slots = network.slots[phase]
        slowest = {"slot": slots * max(each.cycles for each in network.crossbars) * chip.slot_s}
        for crossbar, events in zip(
            network.crossbars, (network.training, network.inference)[phase], strict=True
        ):
            cycles = slots * crossbar.cycles
            reads: float = cycles * (1 if phase or crossbar.is_first else 2)
            if chip.reads == "serial":
                reads = sum(crossbar.reads(chip, events)) / crossbar.at_once
            writes = {
                "spikes": 2 * cycles,
                "parallel": events.write_phases * crossbar.devices / crossbar.at_once,
                "serial": events.write_spikes * crossbar.devices / crossbar.at_once,
            }[chip.writes]
            period = max(chip.pulse_period_s, network.pulse_s)
            parts = {
                "line": reads * _seconds(chip.components.line),
                chip.columns: reads * self._column_seconds,
                "device": 0.0 if phase else writes * period,
            }
            if sum(parts.values()) > sum(slowest.values()):
                slowest = parts
        return sum(slowest.values()), max(slowest, key=slowest.__getitem__)

    @property
    def _column_seconds(self) -> float:
        components, chip = self.chip.components, self.chip
        if chip.columns == "neuron":
            return _seconds(components.neuron)
        steps = (chip.bits or 0) * _seconds(components.converter_step)
        return chip.lines_per_converter * (_seconds(components.converter) + steps)


def assumed_share(energies: Mapping[str, Joules]) -> float:
    """Returns the share of an energy, given by component, from numbers without interval."""
    has_none = [energy[0] for energy in energies.values() if energy[1] == energy[2]]
    return float(sum(has_none) / (total(energies)[0] or 1.0))


def _seconds(component: Component | None) -> float:
    return component.time_s if component else 0.0


def digital_energy(crossbars: Sequence[ChipCrossbar], bits: int, *, training: bool) -> float:
    """Returns the energy (J) of one image in a digital chip that computes the same layers.

    It counts the multiplications and additions of ordinary backpropagation, and one fetch of each
    weight in each pass of an image. Activations, control and clocks are not counted.
    """
    energy = 0.0
    for crossbar in crossbars:
        weights = crossbar.n_in * crossbar.n_out // crossbar.replicas
        passes = (2 if crossbar.is_first else 3) if training else 1
        energy += weights * crossbar.positions * passes * MULTIPLY_ADD_J[bits]
        energy += weights * (passes + training) * bits * FETCH_OF_A_BIT_J
    return energy
