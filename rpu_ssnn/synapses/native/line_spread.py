"""Spread of steps that the devices of a line, or of an array, share."""

import numpy as np

from rpu_ssnn.devices.law import Law
from rpu_ssnn.spec.array_physics import LineSpreadSpec


def spread_steps(
    records: np.ndarray,
    law: Law,
    shape: tuple[int, int],
    spec: LineSpreadSpec,
    rng: np.random.Generator,
) -> None:
    """Scales the steps of individually drawn devices by the spread that they share.

    Args:
        records: `device_record.RECORD` [devices per cell, cells]; the devices of a cell share their
            input line, and each has its own output line.
        shape: (n_in, n_out).
    """
    n_in, n_out = shape
    place = np.linspace(-0.5, 0.5, n_in) if n_in > 1 else np.zeros(1)
    input_step = spec.step_by_input_line * rng.standard_normal(n_in) + spec.step_gradient * place
    input_shift = spec.asymmetry_by_input_line * rng.standard_normal(n_in)
    common = spec.asymmetry_common * rng.standard_normal()
    for d in range(len(records)):
        output_step = spec.step_by_output_line * rng.standard_normal(n_out)
        output_shift = spec.asymmetry_by_output_line * rng.standard_normal(n_out)
        step = np.abs(1.0 + input_step + output_step[:, None])
        shift = common + input_shift + output_shift[:, None]
        for direction, sign in (("up", 0.5), ("down", -0.5)):
            factor = step * np.abs(1.0 + sign * shift)
            for field in law.step_fields[direction]:
                records[field][d] *= factor.ravel().astype(np.float32)
