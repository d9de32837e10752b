"""Steps of one size at every state (aihwkit's ConstantStepDevice)."""

import numpy as np

from rpu_ssnn.compiled import compiled
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.fit_form import CONSTANT, OF_DIRECTION, FitForm
from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.shared import Shared


@compiled
def step(shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32) -> np.float32:
    """Returns the change of state by a pulse at state w; noise is a standard normal number, or
    zero."""
    share = np.float32(1.0) + shared.noise * noise
    return share * device.up if up else -(share * device.down)


LAW = Law(
    name="constant", aihwkit="ConstantStepDevice", code=CONSTANT, step=step,
    fits=(FitForm(name="constant", code=CONSTANT, law="constant", noise=OF_DIRECTION),),
)  # fmt: skip
