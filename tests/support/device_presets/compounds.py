"""Makes small cells of several devices, without noise, as tiles and as trials."""

import numpy as np

from device_presets import COMPOUNDS, get_device
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from studies.declaration.trial import Trial
from support.rpu_ssnn.exact_tiles import EXACT_DEVICE, STEP
from support.rpu_ssnn.networks import make_crossbar
from support.studies.harness import trial_of_case

ONE_SIDED = {
    **dict.fromkeys(("A_up", "A_down", "cycle_to_cycle", "step_spread", "asymmetry_spread"), 0.0),
    **dict.fromkeys(("cycle_to_cycle_offset", "cycle_to_cycle_slope", "reset_spread"), 0.0),
    **dict.fromkeys(("w_max_spread", "reset_level"), 0.0),
    "step": STEP,
    "w_max": 1.0,
}
"""Overrides that give a one-directional device equal up steps."""
RATE = 2.0
"""The learning rate at which a coincidence asks for one step of the devices below."""


def around(kind: str) -> str:
    """Returns the name of the cell with the plainest device that it accepts."""
    return f"{kind}({'pcm' if COMPOUNDS[kind].one_sided else 'ideal'})"


def equal_steps(kind: str) -> dict[str, float]:
    """Returns overrides that give that device equal steps."""
    return ONE_SIDED if COMPOUNDS[kind].one_sided else EXACT_DEVICE


def cell(
    kind: str, preset: str | None = None, overrides: object = None, **tile: object
) -> TileSynapses:
    given = equal_steps(kind) if overrides is None else overrides
    name = around(kind) if preset is None else f"{kind}({preset})"
    device = get_device(name, given)  # type: ignore[arg-type]
    return TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0, **tile), RATE)


def hidden(synapses: TileSynapses, name: str) -> np.ndarray:
    return synapses.tiles[0].get_hidden_parameters()[name].numpy().T


def trial_of(device: str, **case: object) -> Trial:
    return trial_of_case(
        {"device": device, "hyperparameters": {"weight_range": 2, "learning_rate": 8}, **case},
        network={"hidden": [24], "T": 30},
        training={"epochs": 8, "batch": 20},
        dataset={"name": "digits", "n_train": 400, "validation_share": 0.1},
    )
