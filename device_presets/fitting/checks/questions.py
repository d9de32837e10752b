"""One question to a fit and its answer."""

from dataclasses import dataclass
from typing import Literal

type Status = Literal["ok", "open", "FAIL"]


def status_of(fine: bool, wide: bool) -> Status:
    """Returns `FAIL` unless fine; `open` where the limits are too wide to show a misfit that
    matters."""
    if not fine:
        return "FAIL"
    return "open" if wide else "ok"


@dataclass(frozen=True)
class Check:
    """One question to the fit.

    Args:
        question: The question that was asked.
        answer: the number found and the bound it was held against, as text.
        status: ``ok``; ``open`` where the data are too few, or too noisy, to tell; ``FAIL``.
    """

    question: str
    answer: str
    status: Status

    @property
    def passed(self) -> bool:
        """Tells whether the check does not fail."""
        return self.status != "FAIL"

    @property
    def line(self) -> str:
        """Returns the check as a line of a report."""
        return f"{self.status:4} {self.question} {self.answer}"
