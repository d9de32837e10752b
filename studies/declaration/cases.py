"""The cases that a study can compare: one update rule or one device each.

The rules are the modules of `studies.declaration.update_rules`; a case that names a device and no
rule is trained by the pulses of spikes (`update_rules.pulses`).
"""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag

from rpu_ssnn.common.errors import InputError, one_of
from studies.declaration.update_rules import CASES
from studies.declaration.update_rules.base import CaseBase
from studies.declaration.update_rules.pulses import DeviceCase

UPDATES = tuple(rule for rule, case in CASES.items() if "update" in case.model_fields)
"""Values of `update` in a case; a case without names its device instead."""


def _tag(case: type[CaseBase]) -> str:
    """Tags start with `explain.TAG_MARK`, so that no message shows them."""
    return f"<{case.rule}>"


def _kind(raw: object) -> str | None:
    """The tag of a case."""
    if isinstance(raw, CaseBase):
        return _tag(type(raw))
    if not isinstance(raw, dict):
        return None
    if "update" in raw:
        return f"<{raw['update']}>" if raw["update"] in UPDATES else None
    return _tag(DeviceCase) if "device" in raw else None


def _of_a_kind(raw: object) -> object:
    """Refuses a case without a known ``update`` or ``device``."""
    if _kind(raw) is None:
        if isinstance(raw, dict) and "update" in raw:
            raise InputError("study", "update", raw["update"], one_of(UPDATES, raw["update"]))
        allowed = f"must have `device: NAME`, or `update` as one of {', '.join(UPDATES)}"
        raise InputError("study", "", raw, allowed)
    if isinstance(raw, dict) and "device" not in raw:
        fields = CASES[raw["update"]].model_fields
        if "device" in fields and set(raw) <= set(fields):  # a wrong key is told first
            allowed = (
                f"must be given, as in {{update: {raw['update']}, device: ecram}}: a name that "
                "`rpu-ssnn presets` lists, or a preset file"
            )
            raise InputError("study", "device", None, allowed)
    return raw


if TYPE_CHECKING:
    type Case = CaseBase
else:
    _tagged: list[Any] = [Annotated[case, Tag(_tag(case))] for case in CASES.values()]
    type Case = Annotated[reduce(or_, _tagged), Discriminator(_kind), BeforeValidator(_of_a_kind)]
