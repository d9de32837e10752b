"""Charge loss in log-time or by a power law, as charges with many time constants in each device.

Both laws are sums of exponentials. With r = 1 / time constant, a share of

    log-time    m log10(e) exp(-r from)        power law   (r from)^n exp(-r from) / gamma(n)

of a new charge has a rate between r and r + r d(ln r). (These follow from the Laplace transform of
the share that is left, 1 - m log10(1 + t/from) or (1 + t/from)^-n.) A device keeps one charge for
each time constant of a grid. No pulse therefore resets a clock: what a pulse adds or takes away
spreads over the grid and decays by its own age, and what was there before decays by its own.
"""

import math

import numpy as np
from jaxtyping import Float32, Float64

from rpu_ssnn.common.training_state import State
from rpu_ssnn.compiled import compiled
from rpu_ssnn.spec.array_physics import SLOWEST_S, RetentionSpec
from rpu_ssnn.synapses.native.cells import Cells
from rpu_ssnn.synapses.native.device_array import DeviceArray
from rpu_ssnn.synapses.native.effects.effect import Effect
from rpu_ssnn.synapses.native.pulses import window_now
from rpu_ssnn.synapses.native.setup import Setup

GRID = 4.0
"""The ratio of neighbouring time constants. The sum is then within 0.2 % of a decade's loss of the
law in log-time, up to 1.5 decades before that law has lost all charge, where the sum has a softer
end; and within 0.5 % of what is left by the power law (trapezoid rule in ln r)."""

type Parts = Float32[np.ndarray, "devices_a_cell cells n"]
"""The charges of each device."""
type Shares = Float32[np.ndarray, " n"]


def charges(spec: RetentionSpec) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Returns the time constants (s, the last one infinite), and the share of a new charge that
    each gets.

    In log-time all is gone after 1 / loss_per_decade decades: slower charges get nothing.
    """
    steps = math.floor(math.log(SLOWEST_S / spec.from_s, GRID))
    times = spec.from_s * GRID ** np.arange(-1.0, steps + 1)
    shares = np.exp(-spec.from_s / times) * math.log(GRID)
    if spec.exponent > 0.0:
        shares *= (spec.from_s / times) ** spec.exponent
        # The last rectangle of the trapezoid rule ends half a grid step beyond its time constant.
        slowest = times[-1] * math.sqrt(GRID)
        stays = (spec.from_s / slowest) ** spec.exponent / math.gamma(1.0 + spec.exponent)
        shares *= (1.0 - stays) / shares.sum()
    else:
        shares *= spec.loss_per_decade * math.log10(math.e)
    shares = np.diff(np.minimum(np.cumsum(shares), 1.0), prepend=0.0)
    return np.append(times, np.inf), np.append(shares, 1.0 - shares.sum())


@compiled
def lose_cells(
    cells: Cells, parts: Parts, left: Shares, fresh: Shares, toward: np.float32,
    first: int, stop: int,
) -> None:  # fmt: skip
    """Lets the devices of cells [first, stop) lose charge; stuck devices stay.

    Args:
        left: the share of each charge that is left.
        fresh: the share that each now holds of a charge added since the last call.
        toward: the state without charge, inside what wear has left of the bounds.
    """
    for d in range(len(cells.signs)):
        for i in range(first, stop):
            device = cells.records[d, i]
            if device.high > device.low:
                reference = device.a if cells.shared.has_reference else np.float32(0.0)
                window = window_now(cells, d, i)
                low, high = window * device.low - reference, window * device.high - reference
                rest = min(max(toward, low), high)
                held = rest
                for k in range(len(left)):
                    held += parts[d, i, k]
                added = device.state - held
                held = rest
                for k in range(len(left)):
                    part = parts[d, i, k] * left[k] + added * fresh[k]
                    parts[d, i, k] = part
                    held += part
                device.state = held


class Retention(Effect):
    """Keeps the charges of the devices of one crossbar, and lets them decay.

    Loss acts after a batch, whose pulses are treated as spread evenly over its time. Write noise is
    not drawn again.
    """

    name = "retention"

    def __init__(self, setup: Setup, array: DeviceArray) -> None:
        super().__init__(setup, array)
        self._spec = setup.spec.retention
        self._times, self._shares = charges(self._spec)
        self._batch_seconds, self._seconds = setup.batch_seconds, 0.0
        kinds = (*array.drawn.records.shape, len(self._times))
        self._parts: Parts = np.zeros(kinds, np.float32)

    def written(self) -> None:
        self._lose(0.0, self._shares)

    def after_batch(self) -> bool:
        ages = self._spec.acceleration * self._batch_seconds / self._times
        mean_left = -np.expm1(-ages[:-1]) / ages[:-1]
        self._lose(self._batch_seconds, self._shares * np.append(mean_left, 1.0))
        return True

    def after_rest(self, seconds: float) -> bool:
        self._lose(seconds, self._shares * self._left(seconds))
        return True

    def state(self) -> State:
        return {"parts": self._parts.copy(), "seconds": np.array(self._seconds)}

    def restore(self, state: State) -> None:
        self._parts[:] = state["parts"]
        self._seconds = float(state["seconds"])

    def statistics(self) -> dict[str, float]:
        """Returns the share that is left of a charge held from the start."""
        return {"charge_kept": float(self._shares @ self._left(self._seconds))}

    def _left(self, seconds: float) -> Float64[np.ndarray, " n"]:
        left: Float64[np.ndarray, " n"] = np.exp(-self._spec.acceleration * seconds / self._times)
        return left

    def _lose(self, seconds: float, fresh: Float64[np.ndarray, " n"]) -> None:
        """Lets that time pass, after which each charge holds the share `fresh` of new charge."""
        self._seconds += seconds
        factors = self._left(seconds).astype(np.float32), fresh.astype(np.float32)
        toward = np.float32(self._spec.toward_state)
        self.array.each_cell(lose_cells, self.array.cells, self._parts, *factors, toward)
