"""Compares the net gradient of the split streams with exact backpropagation of the rate model.

The rate model is the ReLU network that integrate-and-fire neurons of unit gain approximate:
r_l = relu(w_l r_{l-1}) with w = W / theta, and the error of Eq. 6, 7 at its output. Under clocked
inhibition the neurons of the output compete, which the sparsemax describes instead of the ReLU.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from weight_changes import weight_changes

from rpu_ssnn.spec import NetworkSpec
from rpu_ssnn.synapses.float_weights import FLOAT_WEIGHTS


@dataclass(frozen=True)
class GradientAgreement:
    """Compares the update of one crossbar, averaged over trials, with exact backpropagation.

    Attributes:
        cosine: the cosine of the angle between the update and the exact gradient.
        gain: component of the update along the exact gradient, relative to the gradient's size.
        bias: distance of the mean update from the exact gradient, relative to the gradient's size.
            It includes the remaining sampling error, `noise`.
        noise: standard error of the mean update, relative to the size of the exact gradient.
    """

    cosine: float
    gain: float
    bias: float
    noise: float


def output_rates(spec: NetworkSpec, drive: np.ndarray) -> np.ndarray:
    """Returns the rates of the output neurons under a steady drive, in spikes per slot.

    Args:
        drive: [n_out], in thresholds per slot.
    """
    if not spec.inhibition.clocked:
        return np.asarray(np.maximum(drive, 0.0))
    return spec.encoding.label_rate * sparsemax(drive / spec.encoding.label_rate)


def sparsemax(z: np.ndarray) -> np.ndarray:
    """Returns the nearest point to z whose entries are not negative and sum to 1.

    This is Algorithm 1 of Martins and Astudillo, ICML 2016. Like target minus softmax for
    cross-entropy, target minus sparsemax is the negative gradient of a convex loss, which is 0 from
    a margin of 1 on.
    """
    falling = np.sort(z)[::-1]
    surplus = np.cumsum(falling) - 1.0
    support = np.flatnonzero(falling * np.arange(1, len(z) + 1) > surplus)[-1]
    return np.asarray(np.maximum(z - surplus[support] / (support + 1), 0.0))


def exact_gradient(
    spec: NetworkSpec, weights: list[np.ndarray], rates: np.ndarray, label: int
) -> list[np.ndarray]:
    """Returns -dE/dw [n_in, n_out] for each crossbar, by backpropagation of one presentation
    through the rate model.

    Args:
        weights: [n_in, n_out] for each crossbar, in threshold currents.
        rates: average spikes per slot of each input line.
    """
    activity = [rates.astype(np.float64)]
    for w in weights[:-1]:
        activity.append(np.maximum(activity[-1] @ w / spec.neuron.theta, 0.0))
    activity.append(output_rates(spec, activity[-1] @ weights[-1] / spec.neuron.theta))
    target = np.zeros(weights[-1].shape[1])
    target[label] = spec.encoding.label_rate
    delta = (target - activity[-1]) * spec.gradient.halving
    gradients = []
    for layer in range(len(weights) - 1, -1, -1):
        gradients.append(np.outer(activity[layer], delta))
        delta = (weights[layer] @ delta / spec.neuron.theta) * (activity[layer] > 0.0)
    return gradients[::-1]


def agreement(
    spec: NetworkSpec,
    weights: list[np.ndarray],
    rates: np.ndarray,
    label: int,
    *,
    update: Literal["rate", "coincidence"],
    trials: int,
    seed: int,
) -> list[GradientAgreement]:
    """Shows one image `trials` times to frozen weights and compares the mean update.

    Returns:
        One agreement for each crossbar, from first to last.
    """
    exact = exact_gradient(spec, weights, rates, label)
    shown = np.repeat(rates[None, :].astype(np.float32), trials // 2, axis=0)
    labels = np.full(len(shown), label, dtype=np.int64)
    halves = [
        weight_changes(spec, weights, FLOAT_WEIGHTS[update](1.0), shown, labels, [seed, half])
        for half in range(2)
    ]
    result = []
    for g, *changes in zip(exact, *halves, strict=True):
        a, b = (change / spec.neuron.theta for change in changes)
        mean, size = (a + b) / 2, np.linalg.norm(g)
        result.append(
            GradientAgreement(
                cosine=float((mean * g).sum() / np.linalg.norm(mean) / size),
                gain=float((mean * g).sum() / size**2),
                bias=float(np.linalg.norm(mean - g) / size),
                noise=float(np.linalg.norm(a - b) / 2 / size),
            )
        )
    return result
