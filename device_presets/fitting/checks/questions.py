"""Holds one question about a fit and its answer."""

from dataclasses import dataclass
from typing import Literal

MEAN_STEP = "Is the mean step right over the states?"
ERRORS = "Are prediction errors as large as the fit expects?"
SCATTER = "Do changes over many pulses scatter as in simulations?"
CYCLES = "Do whole cycles scatter as in simulations?"

type Status = Literal["ok", "open", "FAIL"]


def status_of(fine: bool, wide: bool) -> Status:
    """Returns `FAIL` unless fine, and `open` if the limits are too wide to show a misfit that
    matters."""
    return ("open" if wide else "ok") if fine else "FAIL"


@dataclass(frozen=True)
class Check:
    """Holds one question about the fit, the answer and the status.

    Args:
        question: The question that was asked.
        answer: The number found and its bound, as text.
        status: ``ok``, ``FAIL``, or ``open`` if the data are too few or too noisy to decide.
    """

    question: str
    answer: str
    status: Status

    @property
    def passed(self) -> bool:
        """Returns whether the check does not fail."""
        return self.status != "FAIL"

    @property
    def line(self) -> str:
        """Returns the check as a line of a report."""
        return f"{self.status:4} {self.question} {self.answer}"
