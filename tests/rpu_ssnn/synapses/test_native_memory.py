"""Tests native devices with pulse memory, each of which knows the exact time of its last pulse."""

import math
from dataclasses import replace

import numpy as np
import pytest

from device_presets import Preset, get_preset
from rpu_ssnn.synapses import Crossbar, PulseBlock
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from support.device_presets.charge_traps import NO_MEMORY, charge_trap
from support.rpu_ssnn import native_devices
from support.rpu_ssnn.native_devices import SCALE, all_at, on_all
from support.rpu_ssnn.networks import make_block, make_crossbar, random_trains

SLOT = 5e-6
WIDTH = 3e-6


def native(
    device: Preset, crossbar: Crossbar | None = None, slot_seconds: float = SLOT, **tile: object
) -> NativeSynapses:
    return native_devices.native(device, crossbar, slot_seconds=slot_seconds, **tile)


def single(state: float = 0.0, *, batch: int = 10, T: int = 50) -> Crossbar:
    crossbar = make_crossbar(1, 1, batch=batch, T=T)
    return replace(crossbar, initial=np.full((1, 1), state * SCALE, np.float32))


def pulsed(synapses: NativeSynapses, block: PulseBlock) -> None:
    synapses.update(block)
    synapses.commit(range(1))


def pulses_at(synapses: NativeSynapses, *slots: int, up: bool = True) -> None:
    """Sends one pulse in each of these slots of a presentation of 50."""
    pre = np.zeros((50, 1), bool)
    pre[list(slots)] = True
    none = np.zeros_like(pre)
    pulsed(synapses, make_block(pre, *((pre, none) if up else (none, pre))))


def state(synapses: NativeSynapses) -> float:
    return float(synapses.linear_read()[0, 0] / SCALE)


def f_gap(gap_s: float) -> float:
    """Returns the factor for a gap; the preset has 3 us pulses, a knee of 2 us, a steepness of 4,
    and its memory fades in 10 us."""
    return 1.0 + (2 / 3) ** 4 * math.exp(-gap_s / 10e-6)


def kept(age_s: float) -> float:
    """Returns the share that is left; the preset loses 2 % per decade from 1 s on."""
    return 1.0 - 0.02 * math.log10(1.0 + age_s)


def test_idle_slots_presentations_and_batches_pass() -> None:
    """One pulse is in slot 49 of a batch's second presentation, the other in slot 0 of the next
    batch."""
    synapses = native(charge_trap(loss_per_decade=0.0), single(batch=3, T=50))
    pre = np.zeros((100, 1), bool)
    pre[99] = True
    pulsed(synapses, make_block(pre, pre, ~pre & False, np.repeat([0, 1], 50)))
    before = state(synapses)
    synapses.end_batch()
    pulses_at(synapses, 0, up=False)
    # The third presentation, of 50 slots, lies between: the pulses are 51 slots apart.
    assert (before - state(synapses)) / 0.002 == pytest.approx(f_gap(51 * SLOT - WIDTH), rel=1e-4)
    before = state(synapses)
    synapses.rest(1.0)
    pulses_at(synapses, 0, up=False)
    assert (before - state(synapses)) / 0.002 == pytest.approx(1.0, rel=1e-4)


def test_written_charge_is_lost_in_log_time_and_a_pulse_starts_that_anew() -> None:
    synapses = native(charge_trap(gap_time_constant_s=0.0), single(0.5))
    synapses.rest(1e3)
    assert state(synapses) == pytest.approx(0.5 * kept(1e3), rel=1e-5)
    synapses.rest(9e3)
    assert state(synapses) == pytest.approx(0.5 * kept(1e4), rel=1e-5)
    pulses_at(synapses, 0)
    written = 0.5 * kept(1e4) + 0.002
    assert state(synapses) == pytest.approx(written, rel=1e-5)
    synapses.rest(1e4)
    assert state(synapses) == pytest.approx(written * kept(1e4), rel=1e-5)
    assert synapses.statistics()["charge_kept"] == pytest.approx(kept(1e4) ** 2, rel=1e-5)


def test_charge_goes_to_the_state_without_charge() -> None:
    synapses = native(charge_trap(reset_level=-1.0), single(0.5))
    synapses.rest(1e6)
    assert state(synapses) == pytest.approx(-1.0 + 1.5 * kept(1e6), rel=1e-5)


def test_all_together_as_a_plain_loop_over_pulses_has_it() -> None:
    device = get_preset("charge_trap_pulsed", {"cycle_to_cycle": 0.0, "loss_onset_s": 1e-4})
    synapses = native(device)
    records = synapses.records[0].ravel()
    devices = {name: records[name].astype(np.float64) for name in records.dtype.names}
    w = np.clip(make_crossbar().initial.ravel() / SCALE, devices["low"], devices["high"])
    last, blocks = np.full(w.size, -1.0), 2
    for block in range(blocks):
        pre, positive, negative = random_trains(500, rate=0.1, seed=block)
        pulsed(synapses, make_block(pre, positive, negative, np.repeat(np.arange(10), 50)))
        synapses.end_batch()
        for row in range(500):
            now = 500 * block + row
            for stream, sign in ((positive, 1), (negative, -1)):
                for i, j in np.argwhere(np.outer(pre[row], stream[row])):
                    k = 8 * i + j
                    gap = max(0.0, (now - last[k]) * SLOT - WIDTH)
                    w[k] *= kept(gap / 1e-4)
                    names = ("up", "a") if sign > 0 else ("down", "b")
                    step, slope = (devices[name][k] for name in names)
                    w[k] += sign * f_gap(gap) * (step + slope * w[k])
                    w[k] = np.clip(w[k], devices["low"][k], devices["high"][k])
                    last[k] = now
    w *= [kept(max(0.0, (500 * blocks - t) * SLOT - WIDTH) / 1e-4) for t in last]
    np.testing.assert_allclose(synapses.linear_read().ravel(), w * SCALE, atol=1e-6)


@pytest.mark.parametrize("follows", [True, False])
def test_noise_from_pulse_to_pulse_has_its_size_and_follows_the_seed(follows: bool) -> None:
    overrides = {"cycle_to_cycle": 0.3, "slope_up": 0.5, "noise_scales_with_step": follows}
    device = charge_trap(**overrides, **NO_MEMORY)
    moved = []
    for _ in range(2):
        synapses = native(device, all_at(0.5, 100, 40))
        pulsed(synapses, on_all(1, True, 100, 40))
        moved.append((synapses.linear_read() / SCALE - 0.5) / 0.002)
    np.testing.assert_array_equal(*moved)
    assert moved[0].mean() == pytest.approx(0.75, abs=0.02)
    assert moved[0].std() == pytest.approx(0.3 * (0.75 if follows else 1.0), rel=0.05)


def test_a_slot_is_no_shorter_than_the_pulse() -> None:
    for overrides, expected in (({}, 3e-6), ({"pulse_period_s": 8e-6}, 8e-6)):
        synapses = native(charge_trap(**overrides), slot_seconds=1e-7)
        assert synapses.statistics()["slot_s"] == expected


def test_stuck_devices_neither_move_nor_lose_charge() -> None:
    synapses = native(charge_trap(), stuck_share=1.0)
    before = synapses.linear_read().copy()
    pulsed(synapses, make_block(*random_trains(100)))
    synapses.rest(1e6)
    np.testing.assert_array_equal(synapses.linear_read(), before)


@pytest.mark.parametrize("trained", [False, True])
def test_a_state_is_restored_to_the_bit_into_devices_that_were_read(trained: bool) -> None:
    """A read applies the loss until then, which must not affect the restored state."""
    first, second = (native(charge_trap(), slot_seconds=1.0) for _ in range(2))
    pulsed(first, make_block(*random_trains(50)))
    first.end_batch()
    second.linear_read()
    if trained:
        pulsed(second, make_block(*random_trains(50, seed=4)))
        second.rest(1e3)
        second.linear_read()
    second.restore(first.state())
    np.testing.assert_array_equal(second.linear_read(), first.linear_read())


@pytest.mark.parametrize("name", ["charge_trap_pulsed", "capacitor"])
def test_the_longest_times_and_the_shortest_slots_fit(name: str) -> None:
    long = {"idle_seconds": 1e12, "storage_seconds": 1e12}
    synapses = native(get_preset(name), slot_seconds=1e-6, **long)
    for _ in range(3):
        pulsed(synapses, make_block(*random_trains(50)))
        synapses.end_batch()
        synapses.rest(1e12)
    assert np.isfinite(synapses.linear_read()).all()
