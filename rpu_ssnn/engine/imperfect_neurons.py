"""The spikes of imperfect neurons (`rpu_ssnn.engine.circuit`); compiled.

A slot of such a neuron has two steps. First its membrane integrates and may cross a threshold
(`_integrate` and its callers). Then the crossing becomes a spike or is lost, spurious spikes
appear, and all spikes leave after the delay of the comparator (`_sent`). Random numbers depend only
on the presentation's key, the neuron and the slot, so they do not shift any other draw.
"""

from functools import partial
from typing import cast

import numpy as np
from numba import uint64

from rpu_ssnn.compiled import inner
from rpu_ssnn.engine.blocks import BLOCK, first_flags, has_flag, list_spikes, lowest_flag
from rpu_ssnn.engine.circuit import (
    BANKS,
    DOWN,
    FORWARD,
    LEAST_THRESHOLD,
    NEGATIVE,
    POSITIVE,
    UP,
    Circuits,
)
from rpu_ssnn.engine.parameters import Parameters
from rpu_ssnn.engine.state import WorkerState
from rpu_ssnn.random_numbers import normal, random_word

NEVER = -(1 << 30)
"""Stands for the slot of the last spike of a neuron that has not spiked."""

_STREAM = 0x5DEECE66D1CE4E5B
"""The presentation's key with these bits flipped is the key of its circuits."""
_SENDING, _THRESHOLD = (cast(int, np.int64(purpose)) for purpose in range(2))
_BEFORE = cast(int, np.int64(-1))
"""The slot before the first."""
_SLOT_BITS = 21
_WHOLE = 2.0**32


@inner
def _word(circuits: Circuits, bank: int, j: int, t: int, purpose: int) -> np.uint64:
    """Returns 64 random bits of neuron j in slot t."""
    place = uint64((j * BANKS + bank) * 2 + purpose)
    return random_word(circuits.key[0], (place << uint64(_SLOT_BITS)) | uint64(t + 1))


@inner
def _note_crossing(circuits: Circuits, t: int, bank: int, j: int) -> None:
    """Notes that neuron j crossed its threshold in slot t, and draws a new one if they are
    noisy."""
    circuits.last[bank, j] = t
    if circuits.drawn.noise > 0.0:
        noise = circuits.drawn.noise * normal(_word(circuits, bank, j, t, _THRESHOLD))
        circuits.jitter[bank, j] = max(np.float32(LEAST_THRESHOLD), np.float32(1.0) + noise)


@partial(inner, inline=False)
def begin_circuits(circuits: Circuits | None, key: np.uint64) -> None:
    """Sets all circuits, if there are any, to the start of the presentation with this key."""
    if circuits is None:
        return
    circuits.key[0] = random_word(key ^ uint64(_STREAM), uint64(0))
    circuits.late[:] = 0
    circuits.jitter[:] = 1.0
    for bank in range(BANKS):
        for j in range(circuits.last.shape[1]):
            _note_crossing(circuits, _BEFORE, bank, j)
    circuits.last[:] = NEVER


@inner
def _integrate(
    circuits: Circuits, floored: bool, t: int, bank: int, j: int, v: np.float32, current: np.float32
) -> tuple[np.float32, bool]:  # fmt: skip
    """Returns the membrane of neuron j after a current, and whether it may fire."""
    circuit = circuits.drawn
    wakes = t - circuits.last[bank, j] > circuit.refractory
    if wakes:
        v = v * circuit.leak + (circuit.gain[bank, j] * current + circuit.offset[bank, j])
        if floored and bank != FORWARD:
            v = max(np.float32(0.0), v)
        limit = circuit.limit[bank, j]
        v = min(max(v, -limit), limit)
    return v, wakes


@inner
def _sent(
    circuits: Circuits, t: int, bank: int, direction: int, word: int,
    crossed: np.uint64, ready: np.uint64,
) -> np.uint64:  # fmt: skip
    """Returns which neurons of a block send a spike in slot t.

    Args:
        crossed: flags of the neurons that have crossed their threshold and may send.
        ready: flags of all neurons that may send.
    """
    circuit = circuits.drawn
    left = crossed if circuit.missed > 0.0 else uint64(0)
    left = ready if circuit.spurious > 0.0 else left
    sent: np.uint64 = crossed
    while left:
        k = lowest_flag(left)
        draw = _word(circuits, bank, word * BLOCK + int(k), t, _SENDING)
        bit = uint64(1) << uint64(k)
        if np.float64(draw & uint64(0xFFFFFFFF)) < circuit.missed * _WHOLE:
            sent &= ~bit
        high = np.float64(draw >> uint64(32))
        # The two neurons of a pair are never spurious together.
        if (high if direction == UP else _WHOLE - 1.0 - high) < circuit.spurious * _WHOLE:
            sent |= bit
        left &= left - uint64(1)
    sent &= ~circuit.dead[bank, direction, word]
    sent |= circuit.always[bank, direction, word] & ready
    if circuit.delay > 0:
        turn = t % circuit.delay
        late = circuits.late[bank, direction, word]
        sent, late[turn] = late[turn], sent
    return sent


@partial(inner, inline=False)
def fire_circuits(
    net: Parameters, state: WorkerState, circuits: Circuits, bank: int, word: int, ready: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Takes a block of neurons through a slot (Eq. 1 and 3 to 7), and returns the flags of the
    spikes up and down.

    Args:
        ready: flags of the neurons that may send; the membranes of other gradient neurons move back
            at a threshold unless the switch holds them.
    """
    circuit, t = circuits.drawn, state.position[1]
    move, keep = np.float32(1.0) - net.kernel_keep, net.kernel_keep
    forward, paired = bank == FORWARD, net.coupled and bank == POSITIVE
    gradient = state.negative if bank == NEGATIVE else state.positive
    membrane = state.membrane if forward else gradient
    current = state.current if forward else state.gradient_current
    share = np.float32(0.5) if paired else np.float32(1.0)
    if bank == NEGATIVE:
        move = -move
    elif bank == POSITIVE and not paired:
        keep = np.float32(1.0)  # the negative neuron uses this current too, and then decays it
    up_flags, down_flags = uint64(0), uint64(0)
    for k in range(BLOCK):
        j, bit = word * BLOCK + k, uint64(1) << uint64(k)
        v, wakes = _integrate(circuits, net.floored, t, bank, j, membrane[j], move * current[j])
        current[j] *= keep
        up = circuit.threshold[bank, UP, j] * circuits.jitter[bank, j]
        down = circuit.threshold[bank, DOWN, j] * circuits.jitter[bank, j]
        is_up = wakes and v >= share * up and not circuit.dead[bank, UP, word] & bit
        is_down = paired and wakes and v <= -share * down
        is_down = is_down and not circuit.dead[bank, DOWN, word] & bit
        sends = bool(ready & bit)
        if (is_up or is_down) and (sends or not (forward or net.hold)):
            threshold = up if is_up else -down
            if net.reset_to_zero:
                v = (np.float32(1.0) - circuit.keep_of_threshold) * (share * threshold)
            else:
                v -= circuit.keep_of_threshold * threshold
            _note_crossing(circuits, t, bank, j)
            up_flags |= bit if sends and is_up else uint64(0)
            down_flags |= bit if sends and is_down else uint64(0)
        membrane[j] = v
    up_flags = _sent(circuits, t, bank, UP, word, up_flags, ready)
    if paired:
        down_flags = _sent(circuits, t, bank, DOWN, word, down_flags, ready)
    return up_flags, down_flags


@partial(inner, inline=False)
def win_circuits(net: Parameters, state: WorkerState, circuits: Circuits, label_spike: bool) -> int:
    """Takes the winner-take-all output through a slot (`neurons._winner_takes_all`), and lists its
    spikes.

    The common current that a label spike starts raises the outputs until the first one reaches its
    own threshold. An output that is dead or refractory cannot be the first.

    Returns:
        The number of spikes: all but one of them are spurious, or come from neurons that always
            fire.
    """
    circuit, t = circuits.drawn, state.position[1]
    layer, best, most = net.crossbars, -1, np.float32(0.0)
    first, n, membrane = net.neuron_start[layer], net.size[layer], state.membrane
    move = np.float32(1.0) - net.kernel_keep
    for j in range(first, first + n):
        current = move * state.current[j]
        membrane[j], wakes = _integrate(circuits, net.floored, t, FORWARD, j, membrane[j], current)
        state.current[j] *= net.kernel_keep
        threshold = circuit.threshold[FORWARD, UP, j] * circuits.jitter[FORWARD, j]
        may_win = label_spike and wakes and not has_flag(circuit.dead[FORWARD, UP], j)
        if may_win and (best < 0 or membrane[j] - membrane[best] > threshold - most):
            best, most = j, threshold
    if best >= 0:
        shift = membrane[best] - most
        for j in range(first, first + n):
            membrane[j] -= shift
        membrane[best] -= circuit.keep_of_threshold * most
        _note_crossing(circuits, t, FORWARD, best)
    base, count = net.event_start[layer], 0
    for at in range(0, n, BLOCK):
        word, k = (first + at) // BLOCK, best - first - at
        won = uint64(1) << uint64(k) if best >= 0 and 0 <= k < BLOCK else uint64(0)
        sent = _sent(circuits, t, FORWARD, UP, word, won, first_flags(n - at))
        count = list_spikes(sent, at, state.events[base : base + n], count)
    return count
