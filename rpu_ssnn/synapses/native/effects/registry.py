"""The effects that a study can ask for, in the order in which they act."""

from collections.abc import Callable

from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.native.effects.device_read_noise import SlowReadNoise
from rpu_ssnn.synapses.native.effects.effect import Effect, Setup
from rpu_ssnn.synapses.native.effects.half_select import HalfSelect
from rpu_ssnn.synapses.native.effects.leak import NativeLeak
from rpu_ssnn.synapses.native.effects.line_resistance import LineResistance
from rpu_ssnn.synapses.native.effects.read_disturb import ReadDisturb
from rpu_ssnn.synapses.native.effects.retention import Retention

EFFECTS: tuple[tuple[Callable[[Setup], Effect], Callable[[TileSpec], bool]], ...] = (
    (NativeLeak, lambda spec: True),
    (HalfSelect, lambda spec: spec.half_select.acts),
    (ReadDisturb, lambda spec: spec.read_disturb.acts),
    (Retention, lambda spec: spec.retention.has_law),
    (SlowReadNoise, lambda spec: spec.device_read_noise.is_slow),
    (LineResistance, lambda spec: spec.lines.acts),
)
"""Each effect, with the settings that switch it on."""


def effects_of(setup: Setup) -> list[Effect]:
    """Returns the effects that these settings switch on.

    Raises:
        InputError: an effect cannot be combined with the device.
    """
    return [effect(setup) for effect, is_on in EFFECTS if is_on(setup.spec)]
