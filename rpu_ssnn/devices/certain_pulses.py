"""Settings of an aihwkit tile in which every coincidence of two spikes is exactly one pulse.

aihwkit sends a pulse with probability sqrt(learning rate / granularity) a line, at most one. The
granularity is `dw_min` for most models, but larger for `ExpStepDevice`, which would lose a third of
its pulses at a learning rate of one step.
"""

import numpy as np
from aihwkit.simulator.parameters import UpdateParameters
from aihwkit.simulator.parameters.enums import PulseType
from aihwkit.simulator.tiles.analog import AnalogTile

IN_STEPS = 1000.0
"""The learning rate in steps is far above 1."""

_IN_GRAINS = 10.0
"""The learning rate in granularities is far above 1, too, because the steps of an `ExpStepDevice`
are far above its `dw_min`."""

_GRANULARITY = "rpu.rpu_device.weight_granularity"
"""aihwkit keeps the granularity of a tile under this name."""


def one_pulse_a_coincidence() -> UpdateParameters:
    """Returns the settings with which each row is one slot, and each coincidence one pulse."""
    return UpdateParameters(
        desired_bl=1,
        fixed_bl=True,
        update_management=False,
        update_bl_management=False,
        pulse_type=PulseType.STOCHASTIC_COMPRESSED,
    )


def make_pulses_certain(tile: AnalogTile, step: float) -> None:
    """Sets the tile's learning rate so that no coincidence is missed.

    Args:
        tile: the tile of aihwkit.
        step: the mean step of the pulsed device, in device states.
    """
    grain = float(np.ravel(tile.tile.dump_extra().get(_GRANULARITY, 0.0))[0])
    tile.set_learning_rate(max(IN_STEPS * step, _IN_GRAINS * grain))
