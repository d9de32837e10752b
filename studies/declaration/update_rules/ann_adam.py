"""The float baseline with a tuned optimiser: Adam (Kingma and Ba 2015) in place of SGD."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from studies.declaration.update_rules.ann import ann_spec, measured_in_float, rehearsed_in_float
from studies.declaration.update_rules.base import (
    BLANK_WITHOUT_SPIKES,
    NUMBERS_READ,
    SEES_COUNTS,
    IdealCase,
    Measured,
    MethodBase,
    Rehearsal,
    Sections,
    Session,
    SgdSpec,
)

if TYPE_CHECKING:
    from rpu_ssnn.data import Dataset
    from studies.declaration.trial import Trial


class AnnAdamCase(IdealCase):
    """The float baseline, trained by Adam."""

    rule: ClassVar[str] = "ann_adam"
    swept: ClassVar[tuple[str, ...]] = (*NUMBERS_READ, "learning_rate")
    reads: ClassVar[tuple[str, ...] | None] = NUMBERS_READ

    update: Literal["ann_adam"]

    def method(self, sections: Sections) -> dict[str, Any]:
        return {"update": self.rule}


class AnnAdamMethod(MethodBase):
    """Exact backpropagation in floating point, softmax cross-entropy, torch's Adam with its
    defaults but for the step, which falls linearly to zero (`rpu_ssnn.baselines.ann.AnnSpec`)."""

    rates_of: ClassVar[str] = "adam_learning_rate"
    sees: ClassVar[str] = SEES_COUNTS
    compiled: ClassVar[bool] = False
    blank_columns: ClassVar[tuple[str, ...]] = BLANK_WITHOUT_SPIKES

    update: Literal["ann_adam"] = "ann_adam"
    learning_rate: float

    def threads_for(self, threads: int) -> int:
        """One: the order of torch's sums depends on the number of threads."""
        return 1

    def run(self, trial: Trial, data: Dataset, threads: int, session: Session) -> Measured:
        spec = ann_spec(trial, SgdSpec()).model_copy(update={"optimiser": "adam"})
        return measured_in_float(spec, trial, data, session)

    @contextmanager
    def rehearse(self, trial: Trial, data: Dataset, threads: int) -> Iterator[Rehearsal]:
        yield rehearsed_in_float(trial, data)
