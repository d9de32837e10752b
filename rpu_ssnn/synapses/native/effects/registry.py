"""The effects that a study can ask for, in the order in which they act."""

from collections.abc import Callable

from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.effects.device_read_noise import SlowReadNoise
from rpu_ssnn.synapses.native.effects.disturb import HalfSelect, ReadDisturb
from rpu_ssnn.synapses.native.effects.effect import Effect
from rpu_ssnn.synapses.native.effects.leak import NativeLeak
from rpu_ssnn.synapses.native.effects.line_resistance import LineResistance
from rpu_ssnn.synapses.native.effects.retention import Retention
from rpu_ssnn.synapses.native.setup import Setup

EFFECTS: tuple[tuple[type[Effect], Callable[[TileSpec], bool]], ...] = (
    (NativeLeak, lambda spec: True),
    (HalfSelect, lambda spec: spec.half_select.acts),
    (ReadDisturb, lambda spec: spec.read_disturb.acts),
    (Retention, lambda spec: spec.retention.has_law),
    (SlowReadNoise, lambda spec: spec.device_read_noise.is_slow),
    (LineResistance, lambda spec: spec.lines.acts),
)
"""Each effect, with the settings that switch it on."""


def effects_of(setup: Setup, array: DeviceArray) -> list[Effect]:
    """Returns the effects that these settings switch on.

    Raises:
        InputError: an effect cannot be combined with the device.
    """
    return [effect(setup, array) for effect, is_on in EFFECTS if is_on(setup.spec)]
