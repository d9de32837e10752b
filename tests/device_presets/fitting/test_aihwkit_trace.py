"""Compares the mean curve of a fit with that of aihwkit's own tool, ``aihwkit.utils.fitting``."""

import math
from pathlib import Path

import numpy as np
import pytest
from aihwkit.simulator.configs.devices import LinearStepDevice
from aihwkit.utils.fitting import fit_measurements

from device_presets.fitting.checks.whole_cycles import CurveErrors, open_loop
from device_presets.fitting.model.joint_fit import JointFit, fit_at
from device_presets.fitting.model.maximum_likelihood import fit_model
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.reading.measurement import read_measurement
from rpu_ssnn.devices.laws import FIT_FORMS
from support.device_presets.fits import ONE, ZERO, sweeps

LINEAR = next(m for m in FIT_FORMS if m.own_slopes and m.additive)


def both(errors: CurveErrors) -> float:
    return math.hypot(errors.up, errors.down)


def by_aihwkit(fit: JointFit) -> JointFit:
    """Returns the fit with steps, slopes and bounds by aihwkit's tool, started close to ours."""
    series, (device,) = fit.prepared.series, fit.local
    up, down = np.exp(device[:2])
    found, _, _ = fit_measurements(
        {
            "dw_min": (1.2 * up, 0.3 * up, 3 * up),
            "up_down": (0.0, -0.9, 0.9),
            "w_max": (device[4], 0.7 * device[4], 1.5 * device[4]),
            "w_min": (device[5], 1.5 * device[5], 0.7 * device[5]),
            "gamma_up": (0.2, 0.0, 1.0),
            "gamma_down": (0.2, 0.0, 1.0),
        },
        (np.append(series.pulse[1:], 0.0),),
        (series.weight,),
        LinearStepDevice(construction_seed=1),
        method="powell",
        max_nfev=120,
    )
    values = found.params.valuesdict()
    up, down = (values["dw_min"] * (1 + way * min(way * values["up_down"], 0.0)) for way in (1, -1))
    bends = values["gamma_up"] / values["w_max"], -values["gamma_down"] / values["w_min"]
    own = np.array([math.log(up), math.log(down), *bends, values["w_max"], values["w_min"]])
    return fit_at(fit.prepared, fit.layout, fit.shared, own[None, :])


@pytest.mark.parametrize("cycle_noise", [0.0, 0.3])
def test_the_mean_curve_is_as_near_as_aihwkits_tools(cycle_noise: float, tmp_path: Path) -> None:
    file = sweeps(tmp_path / "data.csv", 0, 0.0, white=1.0, cycle=cycle_noise, pulses=250)
    prepared = prepare(read_measurement(file), ZERO, ONE)
    fit = fit_model(prepared, LINEAR)
    ours, theirs = (open_loop(one, prepared.everything) for one in (fit, by_aihwkit(fit)))
    assert both(ours) < 1.05 * both(theirs) + 1e-3, (ours, theirs)
