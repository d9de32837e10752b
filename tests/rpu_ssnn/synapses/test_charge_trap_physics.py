"""The formulas of the charge trap agree with the sources in inequalities and ratios."""

import numpy as np
import pytest

from device_presets import get_preset
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.devices.laws.charge_trap import ChargeTrapPhysics, share_kept
from support.device_presets.tile_steps import steps_at_zero

LONG = 1.0
"""A gap (s) after which the last pulse has no effect any more."""
NAMES = ["charge_trap_pulsed", "charge_trap_2019_pulsed"]


def physics(name: str = NAMES[0], **overrides: float) -> ChargeTrapPhysics:
    return get_preset(name, overrides).pulse_physics


def shift(pulses: int, on_time_s: float, gap_s: float) -> float:
    """Returns the summed step, in steps of the preset, of an on-time divided into equal pulses; the
    dependence on the state is left out."""
    one = physics(pulse_width_s=on_time_s / pulses)
    gaps = np.full(pulses, gap_s)
    gaps[0] = LONG
    factors = 1.0 + one.recovery * np.exp(-gaps / one.gap_time_constant_s)
    return one.width_factor() * float(factors.sum())


def test_the_shift_shrinks_when_the_same_on_time_is_cut_into_more_shorter_pulses() -> None:
    """The source is Shrivastava 2023."""
    totals = [shift(n, 24e-6, LONG) for n in (1, 2, 3, 6, 12, 24, 48)]
    assert np.all(np.diff(totals) < 0)
    assert totals[-1] < 0.01 * totals[0]


def test_it_drops_abruptly_below_2_us() -> None:
    """According to Shrivastava 2023, halving the width from 8 us costs about half the step, and
    from 2 us nearly all of it."""
    above = physics().width_factor(4e-6) / physics().width_factor(8e-6)
    below = physics().width_factor(1e-6) / physics().width_factor(2e-6)
    assert 0.4 < above < 0.5
    assert below < 0.15


def test_it_depends_on_the_gap_and_recovers_at_small_gaps() -> None:
    """As in Shrivastava 2023, 24 pulses of 1 us, from far apart to without gaps, are compared with
    one of 24 us."""
    gaps = (1e-3, 1e-4, 3e-5, 1e-5, 1e-6, 0.0)
    totals = [shift(24, 24e-6, gap) for gap in gaps]
    assert np.all(np.diff(totals) >= 0)
    whole = shift(1, 24e-6, LONG)
    assert totals[0] < 0.1 * whole
    assert 0.95 * whole < totals[-1] < 1.05 * whole


def test_long_pulses_hardly_know_gaps() -> None:
    assert 0.0 < physics(pulse_width_s=20e-6).recovery < 0.001
    assert physics().recovery > 0.1


@pytest.mark.parametrize(("name", "pulses"), [(NAMES[0], 1000), (NAMES[1], 10_000)])
def test_isolated_pulses_span_the_range_in_the_published_number(name: str, pulses: int) -> None:
    """The numbers are about 1000 (Bhatt 2020; Shrivastava 2024) and 10^4 (Shrivastava 2019); the
    steps are measured on a real tile."""
    preset = get_preset(name)
    up, down = steps_at_zero(preset)
    assert (preset.w_max - preset.w_min) / up == pytest.approx(pulses, rel=1e-3)
    assert down == pytest.approx(up, rel=1e-4)
    assert up * 1.5 < 0.01 * (preset.w_max - preset.w_min), "largest step below 1 % of the range"


def test_the_tile_s_step_follows_the_pulse_width() -> None:
    short = get_preset(NAMES[0], {"pulse_width_s": 2e-6})
    ratio = steps_at_zero(short)[0] / steps_at_zero(get_preset(NAMES[0]))[0]
    expected = (2 / 3) * 0.5 * (1 + (2 / 3) ** 4)  # ratio of widths, share at the knee, 3 us
    assert ratio == pytest.approx(expected, rel=1e-4)


def test_charge_is_lost_in_log_time() -> None:
    """The same share is lost in each decade after the onset, and almost nothing before it."""
    law, ages = physics(), np.array([0.0, 1e-3, 1e3, 1e4, 1e5, 3.15e8])
    kept = share_kept(ages, law.loss_per_decade, law.loss_onset_s)
    assert kept[0] == 1.0
    assert kept[1] > 0.9999
    np.testing.assert_allclose(np.diff(kept[2:5]), -0.02, rtol=1e-3)
    assert kept[5] == pytest.approx(0.83, abs=0.005), "ten years"
    assert share_kept(np.array([1e3]), 1.0, law.loss_onset_s)[0] == 0.0


def test_without_a_knee_every_pulse_uses_all_of_its_time() -> None:
    assert physics(width_knee_s=0.0).used_share(1e-9) == 1.0


def test_below_a_steepness_of_0_steps_grow_less_than_in_proportion_to_the_width() -> None:
    """Well below the knee they are proportional to it, and well above they follow a power."""
    law = physics(width_steepness=-0.7, width_knee_s=1e-8, gap_time_constant_s=0.0)
    assert law.width_factor(4e-3) / law.width_factor(1e-3) == pytest.approx(4.0**0.3, rel=1e-3)
    assert law.width_factor(4e-12) / law.width_factor(1e-12) == pytest.approx(4.0, rel=1e-2)
    assert law.width_factor(3e-6) == pytest.approx(1.0)


def test_without_a_loss_in_log_time_a_leak_and_write_noise_are_those_of_linear_steps() -> None:
    """Write noise is of the reading, so it does not depend on the width of the pulse."""
    own = {"leak_time_constant_s": 2.0, "write_noise": 0.5}
    usual = get_preset("charge_trap", own).device(1.0)
    own |= {"loss_per_decade": 0.0, "pulse_width_s": 2e-6}
    short = get_preset(NAMES[0], own).device(1.0)
    assert short.lifetime == usual.lifetime
    noises = [one.dw_min * one.write_noise_std for one in (short, usual)]
    assert noises[0] == pytest.approx(noises[1])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"pulse_width_s": 0}, "pulse_width_s: 0 is not allowed; must be a number, at least 1e-12"),
        ({"pulse_width_s": 1e-9}, "pulse_width_s: 1e-09 is not allowed; must make .* levels"),
        ({"pulse_width_s": 1.0}, "pulse_width_s: 1.0 is not allowed; must make .* levels"),
        ({"width_steepness": 100, "width_knee_s": 1e4}, "this width makes .* of isolated pulses"),
        ({"leak_time_constant_s": 1}, "leak_time_constant_s: 1.0 is not allowed; must be .inf"),
        ({"loss_per_decade": 1.5}, "loss_per_decade: 1.5 is not allowed; must be a number, at"),
        ({"write_noise": 1}, "write_noise: 1.0 is not allowed; must be 0, since every loss"),
        ({"width_steepness": -0.5}, "gap_time_constant_s: 1e-05 is not allowed; must be 0, since"),
        ({"width_steepness": -1}, "width_steepness: -1 is not allowed; must be .* greater than -1"),
        ({"pulse_period_s": 1e-6}, "pulse_period_s: 1e-06 is not allowed; must be at least the"),
    ],
)
def test_bad_values_get_one_line(overrides: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        get_preset(NAMES[0], overrides)
