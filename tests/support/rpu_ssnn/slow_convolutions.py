"""Simulates a convolutional spiking network in plain numpy, slot by slot and patch by patch.

It shares no code with the engine. Membranes start at rest, the input spikes are given, and the
label train has a spike in every slot of the image, so nothing is drawn at random.
"""

from dataclasses import dataclass, field

import numpy as np

THETA, THETA_B, THETA_N = 5.0, 2.0, 1.0


@dataclass
class Conv:
    """Describes a convolution between an image (rows, columns, channels) and the next one."""

    before: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    channels: int
    replicas: int
    weights: np.ndarray
    """[lines of a patch, replicas x channels]"""
    delay: int = 0
    at_once: int = 1

    @property
    def corners(self) -> list[tuple[int, int]]:
        """Returns the upper left corner of each patch in the padded image."""
        rows, columns = (self.before[k] + 2 * self.padding[k] - self.kernel[k] for k in (0, 1))
        down, right = self.stride
        return [(y, x) for y in range(0, rows + 1, down) for x in range(0, columns + 1, right)]

    def padded(self, lines: np.ndarray) -> np.ndarray:
        rows, columns = self.padding
        around = ((rows, rows), (columns, columns), (0, 0))
        return np.pad(lines.reshape(self.before), around)

    def patches(self, lines: np.ndarray) -> np.ndarray:
        """Returns all patches of an image, [positions, lines of a patch]."""
        image, (high, wide) = self.padded(lines), self.kernel
        return np.array([image[y : y + high, x : x + wide].ravel() for y, x in self.corners])

    def columns(self, position: int) -> slice:
        first = position % self.replicas * self.channels
        return slice(first, first + self.channels)

    def forward(self, lines: np.ndarray) -> np.ndarray:
        patches = self.patches(lines)
        return np.concatenate(
            [patch @ self.weights[:, self.columns(p)] for p, patch in enumerate(patches)]
        )

    def backward(self, neurons: np.ndarray) -> np.ndarray:
        image = self.padded(np.zeros(self.before))
        by_position = neurons.reshape(-1, self.channels)
        for p, (y, x) in enumerate(self.corners):
            patch = self.weights[:, self.columns(p)] @ by_position[p]
            high, wide = self.kernel
            image[y : y + high, x : x + wide] += patch.reshape(high, wide, -1)
        (top, left), (rows, columns, _) = self.padding, self.before
        return image[top : top + rows, left : left + columns].ravel()


@dataclass
class Result:
    """Holds the trains [slots, lines] of each layer, input first, and the pulses of each crossbar.

    A pulse row is (cycle, patch lines, output lines with a positive spike, with a negative one).
    """

    forward: list[np.ndarray]
    gradient: list[np.ndarray]
    pulses: list[list[tuple[int, list[int], list[int], list[int]]]] = field(default_factory=list)


def simulate(layers: list[Conv], given: np.ndarray, label: int, T: int, tau: float) -> Result:
    """Shows one image with its label to frozen weights, and records everything.

    Args:
        given: the input spikes [slots, lines].
    """
    slots, keep = len(given), np.exp(-1.0 / tau)
    sizes = [given.shape[1], *(len(one.corners) * one.channels for one in layers)]
    current, membrane, error, branch = ([np.zeros(n) for n in sizes] for _ in range(4))
    fired = [np.zeros(n, dtype=bool) for n in sizes]
    relays, relay_current = np.zeros(len(layers)), np.zeros(len(layers))
    slow = Result([np.zeros((slots, n)) for n in sizes], [np.zeros((slots, n)) for n in sizes])
    slow.forward[0][:] = given
    last = len(layers)
    for t in range(slots):
        spike = t < T
        for r in range(len(layers)):
            relays[r] += (1 - keep) * relay_current[r]
            relay_current[r] = keep * relay_current[r] + THETA * spike
            spike = relays[r] >= THETA
            relays[r] -= THETA * spike
        for n in range(1, last + 1):
            membrane[n] += (1 - keep) * current[n]
            current[n] *= keep
            slow.forward[n][t] = membrane[n] >= THETA
            membrane[n] -= THETA * slow.forward[n][t]
            fired[n] |= slow.forward[n][t] > 0
        for n in range(1, last + 1):
            theta = THETA_N if n == last else THETA_B
            branch[n] += (1 - keep) * error[n]
            error[n] *= keep
            signed = (branch[n] >= theta / 2) * 1.0 - (branch[n] <= -theta / 2)
            slow.gradient[n][t] = signed if n == last else signed * fired[n]
            branch[n] -= theta * slow.gradient[n][t]
        error[last] -= slow.forward[last][t]
        error[last][label] += spike
        for n, layer in enumerate(layers):
            current[n + 1] += layer.forward(slow.forward[n][t])
            if n > 0:
                error[n] += layer.backward(slow.gradient[n + 1][t])
    slow.pulses = [
        _pulses(one, slow.forward[n], slow.gradient[n + 1], _cycles(layers))
        for n, one in enumerate(layers)
    ]
    return slow


def _cycles(layers: list[Conv]) -> int:
    return max(-(-len(one.corners) // one.at_once) for one in layers)


def _pulses(
    layer: Conv, forward: np.ndarray, gradient: np.ndarray, cycles: int
) -> list[tuple[int, list[int], list[int], list[int]]]:
    rows = []
    for t in range(layer.delay, len(forward)):
        patches = layer.patches(forward[t - layer.delay])
        for p, signed in enumerate(gradient[t].reshape(-1, layer.channels)):
            lines, first = np.flatnonzero(patches[p]), layer.columns(p).start
            up, down = (first + np.flatnonzero(sign * signed > 0) for sign in (1, -1))
            if len(lines) and len(up) + len(down):
                cycle = t * cycles + p // layer.at_once
                rows.append((cycle, lines.tolist(), up.tolist(), down.tolist()))
    return rows
