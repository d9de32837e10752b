"""The effects that a study can ask for, in the order in which they act."""

from collections.abc import Callable

from rpu_ssnn.synapses.native.effects.device_read_noise import SlowReadNoise
from rpu_ssnn.synapses.native.effects.effect import Effect, Setup
from rpu_ssnn.synapses.native.effects.half_select import HalfSelect
from rpu_ssnn.synapses.native.effects.leak import NativeLeak
from rpu_ssnn.synapses.native.effects.line_resistance import LineResistance
from rpu_ssnn.synapses.native.effects.read_disturb import ReadDisturb
from rpu_ssnn.synapses.native.effects.retention import Retention

EFFECTS: tuple[Callable[[Setup], Effect | None], ...] = (
    NativeLeak,
    HalfSelect.of,
    ReadDisturb.of,
    Retention.of,
    SlowReadNoise.of,
    LineResistance.of,
)


def effects_of(setup: Setup) -> list[Effect]:
    """Those that are on.

    Raises:
        InputError: one that does not go with the device.
    """
    made = (make(setup) for make in EFFECTS)
    return [effect for effect in made if effect is not None]
