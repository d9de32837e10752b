"""SSNN-BP with float weights by rates, Eq. 9."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import RATES_NEED_PRESENTATIONS, NetworkSpec, SurrogateSpec, TrainingSpec
from studies.common.explain import validated
from studies.declaration.update_rules.base import IdealCase, Sections
from studies.declaration.update_rules.spiking import SsnnBpMethod, refuse_runaway

if TYPE_CHECKING:
    from rpu_ssnn.synapses import SynapsesFactory


class RateCase(IdealCase):
    """SSNN-BP with float weights, Eq. 9."""

    rule: ClassVar[str] = "rate"

    update: Literal["rate"]
    surrogate: dict[str, Any] | None = Field(
        None, description="fields of SurrogateSpec; None: no surrogate noise"
    )

    def has(self, path: str) -> bool:
        """A rate case without noise stays one."""
        return not path.startswith("surrogate.") or self.surrogate is not None

    def check(self, network: NetworkSpec, training: TrainingSpec) -> None:
        if training.schedule == "slot":
            raise InputError("study", "training.schedule", "slot", RATES_NEED_PRESENTATIONS)
        refuse_runaway(network)

    def method(self, sections: Sections) -> dict[str, Any]:
        surrogate = None
        if sections.get("surrogate") is not None:
            surrogate = validated(SurrogateSpec, sections["surrogate"], "surrogate").model_dump()
        return {"update": self.rule, "surrogate": surrogate}


class RateMethod(SsnnBpMethod):
    """Eq. 9 on float weights, exact or with surrogate noise."""

    sees: ClassVar[str] = "given spikes; the update (Eq. 9) sees their counts only"

    update: Literal["rate"] = "rate"
    surrogate: SurrogateSpec | None

    def synapses(self) -> SynapsesFactory:
        from rpu_ssnn.synapses import rate_synapses

        return rate_synapses(self.learning_rate, self.surrogate)
