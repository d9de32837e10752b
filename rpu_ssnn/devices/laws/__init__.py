"""Device laws: what one pulse does to a device, one file each.

A new law of the package needs its file, a code in `rpu_ssnn.devices.fit_form`, a place in `LAWS`
and a line in `change`; one that fits may choose also needs a place in `FIT_FORMS` and a line in
`fit_factor`. A user-defined law is found by its file alone (`rpu_ssnn.devices.own_law`).
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rpu_ssnn.compiled import inner
from rpu_ssnn.devices import fit_form
from rpu_ssnn.devices.device_record import Device
from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.laws import (
    charge_trap,
    constant,
    exponential,
    jump_table,
    linear,
    piecewise,
    power,
    soft_bounds,
)
from rpu_ssnn.devices.shared import OwnShared, OwnStep, Shared

LAWS: Mapping[str, Law] = MappingProxyType(
    {
        law.name: law
        for law in (
            constant.LAW,
            linear.LAW,
            soft_bounds.WITHOUT_REFERENCE,
            soft_bounds.LAW,
            exponential.LAW,
            power.LAW,
            piecewise.LAW,
            charge_trap.LAW,
        )
    }
)
"""The laws of the package by name, simplest first."""

FIT_FORMS: tuple[fit_form.FitForm, ...] = tuple(
    form for law in (constant.LAW, soft_bounds.LAW, linear.LAW, piecewise.LAW) for form in law.fits
)
"""The forms that a measured device is fitted with, in the order in which a fit tries them."""


def law_of_aihwkit(kind: str) -> Law | None:
    """Returns the law that a class of aihwkit follows, by the name of the class."""
    return next((law for law in LAWS.values() if law.aihwkit == kind), None)


@inner
def change(
    code: int, shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32
) -> np.float32:
    """Returns the change of a device's state by one pulse, before its bounds act; `code` is that of
    its law."""
    if code == fit_form.CONSTANT:
        return constant.step(shared, device, w, up, noise)
    if code == fit_form.LINEAR:
        return linear.step(shared, device, w, up, noise)
    if code == fit_form.SOFT_BOUNDS:
        return soft_bounds.step(shared, device, w, up, noise)
    if code == fit_form.EXPONENTIAL:
        return exponential.step(shared, device, w, up, noise)
    if code == fit_form.POWER:
        return power.step(shared, device, w, up, noise)
    if code == fit_form.PIECEWISE:
        return piecewise.step(shared, device, w, up, noise)
    if code == fit_form.JUMP_TABLE:
        return jump_table.step(shared, device, w, up, noise)
    return _own_change(shared.own, shared, device, w, up, noise)


@inner
def _own_change(
    own: OwnStep | None, shared: Shared, device: Device, w: np.float32, up: bool, noise: np.float32
) -> np.float32:
    """Returns the change of state by the step of a user-defined law.

    numba compiles a kernel once for arrays without such a step and once for those with one. The
    first contains no call through a pointer, which would keep the compiler from optimising.
    """
    if own is None:
        return np.float32(0.0)
    return own(OwnShared(shared.noise, shared.numbers), device, w, up, noise)


@inner
def fit_factor(
    code: int, up: bool, v: float, local: np.ndarray, shape: np.ndarray
) -> tuple[float, float]:
    """Returns the step of a fitted device at weight v over that at the law's reference weight (0,
    or the middle of the bounds), and its derivative by v; the step is never below 0.

    Args:
        local: a device's own numbers: log of the step up and down at the reference weight, relative
            change of either with weight, upper and lower bound.
        shape: numbers that all devices share, as `FitForm.shape` names them.
    """
    if code == fit_form.LINEAR:
        return linear.fit_factor(up, v, local, shape)
    if code == fit_form.SOFT_BOUNDS:
        return soft_bounds.fit_factor(up, v, local, shape)
    if code == fit_form.PIECEWISE:
        return piecewise.fit_factor(up, v, local, shape)
    return 1.0, 0.0
