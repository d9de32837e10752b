"""Refreshes one-sided pairs in a slot of their own, and counts the refreshes.

aihwkit refreshes after a fixed number of rows, inside an update, and does not report how many pairs
it refreshed. An empty row after the last slot changes nothing except by the refresh, so the pairs
whose devices differ before and after are those that were refreshed.
"""

import numpy as np
import torch
from aihwkit.simulator.tiles import AnalogTile

from rpu_ssnn.common.training_state import State
from rpu_ssnn.devices.cell import Rounds


class Refresh(Rounds):
    """Triggers and counts the refreshes of one tile.

    Args:
        tile: a tile of one-sided pairs, whose `refresh_every` counts the empty row too.
        every: the slots with a pulse from one check to the next.

    Attributes:
        checks: the checks of all pairs so far.
        refreshed: pairs refreshed so far, every refresh counted.
    """

    slots_left: int

    def __init__(self, tile: AnalogTile, every: int) -> None:
        super().__init__(every)
        self._tile, self._every = tile, every
        self.checks = 0
        self.refreshed = 0

    def after(self, slots: int) -> None:
        """Lets `slots` pass, at most `slots_left`, and checks the pairs when none is left."""
        self.slots_left -= slots
        if self.slots_left:
            return
        before = self._devices()
        self._tile.update(torch.zeros(1, self._tile.in_size), torch.zeros(1, self._tile.out_size))
        changed = (before != self._devices()).any(axis=0)
        self.slots_left = self._every
        self.checks += 1
        self.refreshed += int(changed.sum())

    def statistics(self) -> dict[str, float]:
        return {
            "refresh_checks_total": float(self.checks),
            "refreshed_weights_total": float(self.refreshed),
        }

    def state(self) -> State:
        """Returns the counts; aihwkit's counts are in the state of the tile."""
        return {
            name: np.array(getattr(self, name)) for name in ("slots_left", "checks", "refreshed")
        }

    def restore(self, state: State) -> None:
        for name, value in state.items():
            setattr(self, name, int(value))

    def _devices(self) -> np.ndarray:
        hidden = self._tile.get_hidden_parameters()
        return np.stack([hidden[f"hidden_weights_{n}"].numpy() for n in (0, 1)])
