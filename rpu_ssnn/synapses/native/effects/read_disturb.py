"""Disturb by the voltage of reads, which is on a line in every slot in which it spikes.

It differs from `half_select`, the disturb by writes: every gradient spike is read, including those
that thinning removes from the pulses, and with the same voltage in either stream. A line that
spikes in both streams of a slot counts twice.
"""

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec.tile import NO_DELAYED_READS
from rpu_ssnn.synapses.native.cells import Pulses
from rpu_ssnn.synapses.native.effects.disturb import LineDisturb, SpikeCounts
from rpu_ssnn.synapses.native.effects.effect import Setup


class ReadDisturb(LineDisturb):
    """Disturbs devices by the forward and the transposed reads of training.

    Raises:
        InputError: pulses come later than reads.
    """

    name = "read_disturb"
    column = "read_disturb_steps"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        if (slots := setup.crossbar.delay) > 0:
            raise InputError("network", "gradient.delay", f"{slots} slots", NO_DELAYED_READS)

    def output_spikes(self, pulses: Pulses) -> tuple[SpikeCounts, SpikeCounts]:
        spikes = pulses.sent * self._crossbar.transposed_reads
        return spikes, spikes

    def output_steps(self) -> tuple[float, float]:
        return self._spec.read_disturb.transposed_up, self._spec.read_disturb.transposed_down
