"""The time of a crossbar's devices, in slots since training began, and their memory of pulses.

The initial write counts as a pulse, one slot before the first. Time passes with every slot of
every presentation; a last, smaller batch takes the time of a full one. Idle time and storage count
in whole slots, rounded up.
"""

import math

import numpy as np
from jaxtyping import Float64, Int64

from rpu_ssnn.common.training_state import State
from rpu_ssnn.devices.device_record import MEMORY, empty_records
from rpu_ssnn.devices.laws.charge_trap import share_kept
from rpu_ssnn.synapses.native.cells import Memory
from rpu_ssnn.synapses.native.setup import Setup

LONGEST, LAST = 1 << 40, 1 << 62
"""A batch takes at most `LONGEST` slots, and the clock stops at slot `LAST`, since no device loses
more after that."""


class Clock:
    """Counts slots, and keeps the last pulses of devices that remember them.

    Attributes:
        memory: the memory of the cells, in `cells` order; compiled code updates it.
        loses: whether charge is lost as time passes.
        slots: the slots of a presentation, idle ones included.
        batch_began: first slot of the batch.
        now: the slot after the last pulse, or the first slot of a batch without pulses.
    """

    def __init__(self, setup: Setup) -> None:
        physics, crossbar = setup.device.pulse_physics, setup.crossbar
        self.slot_s = setup.slot_s
        idle = 0 if physics is None else math.ceil(setup.spec.idle_seconds / self.slot_s)
        self.slots = min(crossbar.slots + idle, LONGEST // crossbar.batch)
        self._batch = crossbar.batch
        self.rest_state = 0.0 if physics is None else physics.rest_state
        self.loses = physics is not None and physics.loss_per_decade > 0.0
        self.memory = Memory(slot_s=self.slot_s)
        if physics is not None:
            self.memory = Memory(
                cells=empty_records(crossbar.initial.size, MEMORY),
                slot_s=self.slot_s,
                width_s=physics.pulse_width_s,
                recovery=physics.recovery,
                gap_time_constant_s=physics.gap_time_constant_s,
                loss_per_decade=physics.loss_per_decade,
                loss_onset_s=physics.loss_onset_s / setup.spec.retention.acceleration,
            )
        self.memory.cells["last"] = -1
        self.batch_began = self.now = 0

    def pass_to(self, at: Int64[np.ndarray, " rows"]) -> None:
        """Moves on to the slot after the last pulse, given the slots of pulses in order."""
        self.now = max(self.now, int(at[-1]) + 1)

    def end_batch(self) -> None:
        """Moves on to the first slot of the next batch."""
        self._go_on(self._batch * self.slots)

    def rest(self, seconds: float) -> None:
        """Lets time (s) pass without a pulse."""
        self._go_on(math.ceil(seconds / self.slot_s))

    def _go_on(self, slots: int) -> None:
        self.batch_began = min(self.batch_began + slots, LAST)
        self.now = self.batch_began

    def log_kept(self) -> Float64[np.ndarray, " cells"]:
        """Returns the logarithm of the share that each cell still has of a charge held from the
        start."""
        memory = self.memory
        slots = self.now - memory.cells["last"]
        age = np.maximum(0.0, slots * memory.slot_s - memory.width_s)
        kept = share_kept(age, memory.loss_per_decade, memory.loss_onset_s)
        total: Float64[np.ndarray, " cells"] = memory.cells["log_kept"] + np.log(
            np.maximum(kept, 1e-300)
        )
        return total

    def state(self) -> State:
        """Returns the last pulses, the charge kept until them, and the time."""
        return {
            "last": self.memory.cells["last"].copy(),
            "log_kept": self.memory.cells["log_kept"].copy(),
            "slots": np.array([self.batch_began, self.now]),
        }

    def restore(self, state: State) -> None:
        """Continues from the state of an identically built clock."""
        self.memory.cells["last"] = state["last"]
        self.memory.cells["log_kept"] = state["log_kept"]
        self.batch_began, self.now = map(int, state["slots"])

    def statistics(self, factors: float, pulses: int) -> dict[str, float]:
        """Returns the length of a slot (s), the mean step factor of all pulses and the mean share
        of charge kept, or nothing where devices remember no pulse.

        Args:
            factors: sum of the step factors of all `pulses`.
        """
        if not len(self.memory.cells):
            return {}
        return {
            "slot_s": self.slot_s,
            "step_factor": factors / pulses if pulses else 1.0,
            "charge_kept": float(np.exp(self.log_kept()).mean()),
        }
