"""Checks a fit over more than one pulse.

A model with the wrong kind of noise still predicts the next pulse well. Cycle noise adds up from
pulse to pulse, and correlated read noise does not: the two differ only over many pulses.
"""

import numpy as np

from device_presets.fitting.checks.questions import SCATTER, Check, status_of
from device_presets.fitting.model.simulation import LAGS, Summary
from rpu_ssnn.common.wording import counted

MOST_VARIANCE_RATIO = 1.15
MOST_CURVE_DEVIATION = 0.02
"""The mean curve may deviate by this share of the range, or by as much as simulated curves do."""

_WIDE_CURVE = 0.2
"""The check stays open if simulated curves deviate by more than this share of the range."""


def structure_check(measured: Summary, simulated: list[Summary]) -> Check:
    """Checks whether changes over 1 to 200 pulses scatter as simulated ones do, over all lags
    together."""
    there = np.isfinite(measured.structure) & (measured.structure > 0)
    if not there.any():
        return Check(SCATTER, "The runs of pulses are too short to decide.", "open")
    logs = np.log(np.maximum([s.structure[there] for s in simulated], 1e-300))
    ours = np.log(measured.structure[there]) - logs.mean(axis=0)
    logs = logs - logs.mean(axis=0)
    # Neighbouring lags are correlated, so the measure is how unusual all of them are together.
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(logs, rowvar=False)))
    scale = 1.0 / np.sqrt(np.maximum(values, 1e-6))
    theirs = np.linalg.norm(logs @ vectors * scale, axis=1)
    distance = float(np.linalg.norm(ours @ vectors * scale))
    worst = int(np.argmax(np.abs(ours)))
    ratio, lag = float(np.exp(ours[worst])), np.array(LAGS)[there][worst]
    over = f"over {counted(int(lag), 'pulse')}, the variance is {ratio:.2f} of the simulated one"
    if abs(ours[worst]) <= np.log(MOST_VARIANCE_RATIO):
        limits = f"{1 / MOST_VARIANCE_RATIO:.2f} to {MOST_VARIANCE_RATIO:.2f}"
        return Check(SCATTER, f"At worst, {over} (allowed: {limits}).", "ok")
    most = float(theirs.max())
    answer = (
        f"At worst, {over}; all lags together are {distance:.1f} deviations from the mean "
        f"simulation (allowed: {most:.1f}, as far as the furthest simulation)."
    )
    return Check(SCATTER, answer, "ok" if distance <= most else "FAIL")


def mean_curve_check(measured: Summary, simulated: list[Summary], span: float) -> Check:
    """Checks whether the measured mean curve lies among the simulated ones.

    Args:
        measured, simulated: Summaries of the measured and of simulated weights.
        span: The measured range.
    """
    curves = np.array([s.curve for s in simulated])
    centre = curves.mean(axis=0)
    off = float(np.sqrt(np.mean((measured.curve - centre) ** 2))) / span
    theirs = np.sqrt(np.mean((curves - centre) ** 2, axis=1)) / span
    most = max(float(theirs.max()), MOST_CURVE_DEVIATION)
    answer = f"Fitted to all cycles, it is {off:.3f} of the range off (rms; allowed: {most:.3f})."
    question = "Does the mean curve lie among simulated mean curves?"
    return Check(question, answer, status_of(off <= most, most > _WIDE_CURVE))
