"""Compiles the delta rule, image by image, in whole pulses on native devices.

Each image is read through all crossbars, the error goes back through them, and each weight change
is rounded to a whole number of pulses before the next image is read. Only lines with at least one
pulse are touched. `synapses.native.pulses.pulse_lines` simulates the pulses, as everywhere else.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, Int64

from rpu_ssnn.compiled import compiled, inner
from rpu_ssnn.devices.single_precision import exponential
from rpu_ssnn.random_numbers import device_word, uniform
from rpu_ssnn.synapses.native.cells import Cells, Memory, Pulses, Scratch, make_scratch
from rpu_ssnn.synapses.native.pulses import pulse_lines

_F = np.float32
_STEEPEST = _F(80.0)
"""Exponents are clipped to this, close to the limit of single precision."""

ROWS_AT_ONCE = 64
"""This many pulses of one output line are simulated together."""


class Rule(NamedTuple):
    """Holds the settings that all layers share."""

    sigmoid: bool
    """Whether hidden neurons are sigmoid rather than ReLU neurons."""
    squared_error: bool
    """Whether the loss is the squared error of sigmoid outputs rather than the cross-entropy of
    softmax outputs."""
    stochastic: bool
    """Whether numbers of pulses are rounded up at random rather than to the nearest."""
    hidden_levels: np.float32
    """The number of steps between 0 and 1 of hidden values as reads see them; 0 for exact
    values."""
    sum_levels: np.float32
    """The number of steps of a weighted sum over its largest range; 0 for exact sums."""
    gain: np.float32
    """Every weighted sum is multiplied by this factor."""
    key: np.uint64
    """The key of stochastic rounding. All layers share it, so that in a presentation device k of
    each layer gets the same random number."""


class Layer(NamedTuple):
    """Holds a crossbar, with scratch arrays for the numbers of one image."""

    cells: Cells
    memory: Memory
    scratch: Scratch
    rate: np.float32
    bound: np.float32
    """This is the largest weight; 0 means no bound."""
    up: np.float32
    down: np.float32
    """The number of pulses for a weight change of 1 up or down; 0 if weights are floats and change
    exactly."""
    x: Float32[np.ndarray, " n_in"]
    seen: Float32[np.ndarray, " n_in"]
    """The inputs, and the inputs as reads see them."""
    active: Int32[np.ndarray, " n_in"]
    """The input lines that are not zero, in the first `sizes[0]` places."""
    sizes: Int64[np.ndarray, "3"]
    """The number of active lines, and the numbers of up and down pulses so far."""
    out: Float32[np.ndarray, " n_out"]
    error: Float32[np.ndarray, " n_out"]
    """The weighted sums, and minus the gradient of the loss with respect to them."""
    counts: Int64[np.ndarray, " n_in"]
    pulses: Pulses
    """Scratch for the pulses of one output line, with a row for each pulse."""


type Layers = tuple[Layer, ...]
"""The layers lead from the images to the classes."""


def make_layer(
    shape: tuple[int, int],
    cells: Cells,
    memory: Memory,
    rate: float,
    bound: float,
    per_weight: tuple[float, float],
) -> Layer:
    """Returns a layer with its scratch arrays.

    Args:
        shape: (n_in, n_out).
        per_weight: numbers of pulses for a weight change of 1, up and down.
    """
    (n_in, n_out), rows = shape, ROWS_AT_ONCE
    x, seen, out, error = (np.zeros(n, dtype=np.float32) for n in (n_in, n_in, n_out, n_out))
    pulses = Pulses(
        start=np.zeros(n_out + 1, dtype=np.int64),
        row=np.arange(rows, dtype=np.int32),
        up=np.zeros(rows, dtype=np.bool_),
        pre_start=np.zeros(rows + 1, dtype=np.int64),
        pre=np.zeros(rows * n_in, dtype=np.int32),
        at=np.zeros(rows, dtype=np.int64),
        sent=np.zeros(n_out, dtype=np.int64),
    )
    return Layer(
        cells=cells, memory=memory, scratch=make_scratch(n_in), rate=np.float32(rate),
        bound=np.float32(bound), up=np.float32(per_weight[0]), down=np.float32(per_weight[1]),
        x=x, seen=seen, active=np.zeros(n_in, dtype=np.int32), sizes=np.zeros(3, dtype=np.int64),
        out=out, error=error, counts=np.zeros(n_in, dtype=np.int64), pulses=pulses,
    )  # fmt: skip


@compiled
def train_online(
    layers: Layers,
    rule: Rule,
    images: Float32[np.ndarray, "n n_in"],
    labels: Int64[np.ndarray, " n"],
    order: Int64[np.ndarray, " shown"],
    first: int,
) -> int:
    """Shows images, learns from each, and returns how many were classified correctly before that.

    Args:
        order: indices of the images to show.
        first: number of earlier presentations.
    """
    right, last = 0, len(layers) - 1
    for shown in range(len(order)):
        image = order[shown]
        right += _read(layers, rule, images[image]) == labels[image]
        _output_error(rule, layers[last], labels[image])
        for number in range(last, 0, -1):
            _error_below(rule, layers[number], layers[number - 1])
        for number in range(len(layers)):
            _learn(rule, layers[number], first + shown)
    return right


@compiled
def classify(
    layers: Layers,
    rule: Rule,
    images: Float32[np.ndarray, "n n_in"],
    classes: Int64[np.ndarray, " n"],
) -> None:
    """Writes the index of each image's largest output into `classes`."""
    for image in range(len(images)):
        classes[image] = _read(layers, rule, images[image])


@inner
def _read(layers: Layers, rule: Rule, image: Float32[np.ndarray, " n_in"]) -> int:
    """Reads one image through all layers, and returns the index of the largest output."""
    top = layers[len(layers) - 1]
    for number in range(len(layers)):
        layer, active = layers[number], 0
        for i in range(len(layer.x)):
            if number == 0:
                layer.x[i] = layer.seen[i] = image[i]
            else:
                value = _activated(rule, layers[number - 1].out[i])
                layer.x[i] = layer.seen[i] = value
                if rule.hidden_levels > _F(0.0):
                    steps = np.floor(value * rule.hidden_levels + _F(0.5))
                    layer.seen[i] = steps / rule.hidden_levels
            if layer.x[i] != _F(0.0):
                layer.active[active] = i
                active += 1
        layer.sizes[0] = active
        _sums(rule, layer)
    best = 0
    for j in range(1, len(top.out)):
        if top.out[j] > top.out[best]:
            best = j
    return best


@inner
def _sums(rule: Rule, layer: Layer) -> None:
    """Computes the weighted sums of a layer's inputs, with a converter if there is one.

    The converter rounds down the current and, separately, that of a reference column (mid
    conductance on all lines), and returns their difference. Its largest current is that of all
    inputs at 1 and weights at the upper end.
    """
    n_in, active, lines = len(layer.x), layer.sizes[0], _F(0.0)
    for k in range(active):
        lines += layer.seen[layer.active[k]]
    for j in range(len(layer.out)):
        total, base = _F(0.0), j * n_in
        for k in range(active):
            i = layer.active[k]
            total += layer.cells.weights[base + i] * layer.seen[i]
        if rule.sum_levels > _F(0.0):
            unit = rule.sum_levels / _F(n_in)
            current = _F(0.5) * (total / layer.bound + lines)
            digits = np.floor(current * unit) - np.floor(_F(0.5) * lines * unit)
            total = digits / unit * _F(2.0) * layer.bound
        layer.out[j] = rule.gain * total


@inner
def _sigmoid(x: np.float32) -> np.float32:
    return _F(1.0) / (_F(1.0) + exponential(min(max(-x, -_STEEPEST), _STEEPEST)))


@inner
def _activated(rule: Rule, x: np.float32) -> np.float32:
    return _sigmoid(x) if rule.sigmoid else max(x, _F(0.0))


@inner
def _output_error(rule: Rule, layer: Layer, label: int) -> None:
    """Computes minus the gradient of the loss with respect to the outputs."""
    if rule.squared_error:
        for j in range(len(layer.out)):
            y = _sigmoid(layer.out[j])
            layer.error[j] = _F(2.0) * y * (_F(1.0) - y) * (_F(j == label) - y)
        return
    largest, total = layer.out[0], _F(0.0)
    for j in range(1, len(layer.out)):
        largest = max(largest, layer.out[j])
    for j in range(len(layer.out)):
        layer.error[j] = exponential(max(layer.out[j] - largest, -_STEEPEST))
        total += layer.error[j]
    for j in range(len(layer.out)):
        layer.error[j] = _F(j == label) - layer.error[j] / total


@inner
def _error_below(rule: Rule, layer: Layer, below: Layer) -> None:
    """Computes the error of the layer below, through the weights that the reads saw; it is exact
    for a read gain of 1."""
    n_in = len(layer.x)
    for i in range(n_in):
        total, y = _F(0.0), layer.x[i]
        for j in range(len(layer.error)):
            total += layer.cells.weights[j * n_in + i] * layer.error[j]
        slope = y * (_F(1.0) - y) if rule.sigmoid else _F(y > _F(0.0))
        below.error[i] = total * slope


@inner
def _learn(rule: Rule, layer: Layer, presentation: int) -> None:
    """Adds rate x error x input to the weights, in whole pulses or exactly."""
    n_in, active, largest = len(layer.x), layer.sizes[0], _F(0.0)
    for k in range(active):
        largest = max(largest, layer.x[layer.active[k]])
    for j in range(len(layer.error)):
        step = layer.rate * layer.error[j]
        per_weight = layer.up if step > _F(0.0) else layer.down
        if per_weight == _F(0.0):
            _add(layer, j, step)
            continue
        pulses = abs(step) * per_weight
        if not rule.stochastic and pulses * largest < _F(0.5):
            continue
        most = 0
        for k in range(active):
            i = layer.active[k]
            up_from = _F(0.5)
            if rule.stochastic:
                word = device_word(rule.key, j * n_in + i, presentation)
                up_from = _F(uniform(word))
            count = int(np.floor(pulses * layer.x[i] + up_from))
            layer.counts[k] = count
            most = max(most, count)
        if most > 0:
            _send(layer, j, most, step > _F(0.0))


@inner
def _add(layer: Layer, j: int, step: np.float32) -> None:
    """Changes float weights exactly, within the bound."""
    base = j * len(layer.x)
    for k in range(layer.sizes[0]):
        i = layer.active[k]
        w = layer.cells.weights[base + i] + step * layer.x[i]
        if layer.bound > _F(0.0):
            w = min(max(w, -layer.bound), layer.bound)
        layer.cells.weights[base + i] = w


@inner
def _send(layer: Layer, j: int, most: int, up: bool) -> None:
    """Sends each device of an output line its number of pulses, `counts` for the active lines."""
    pulses, rows, filled = layer.pulses, 0, 0
    for sent in range(most):
        pulses.pre_start[rows] = filled
        for k in range(layer.sizes[0]):
            if layer.counts[k] > sent:
                pulses.pre[filled] = layer.active[k]
                filled += 1
        pulses.up[rows] = up
        rows += 1
        if rows == ROWS_AT_ONCE or sent == most - 1:
            pulses.pre_start[rows] = filled
            pulses.start[j], pulses.start[j + 1] = 0, rows
            pulse_lines(layer.cells, layer.memory, pulses, j, j + 1, layer.scratch)
            layer.sizes[1 if up else 2] += filled
            rows, filled = 0, 0
