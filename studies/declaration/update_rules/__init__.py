"""The update rules of a study, one module each.

Every module of this package is imported here. A new rule is a new file: its subclasses of
`CaseBase` and `MethodBase` with an ``update`` are added to the tables below.
"""

import importlib
import pkgutil
from typing import Any

from studies.declaration.update_rules.base import CaseBase, MethodBase

for _module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")


def _ends(of: type[Any]) -> list[Any]:
    """The subclasses of ``of`` that have no subclass."""
    below: list[type[Any]] = of.__subclasses__()
    return [end for child in below for end in _ends(child)] if below else [of]


CASES: dict[str, type[CaseBase]] = {case.rule: case for case in _ends(CaseBase)}
"""Cases by their ``update``."""

METHODS: dict[str, type[MethodBase]] = {
    str(method.model_fields["update"].default): method for method in _ends(MethodBase)
}
"""Methods by their ``update``."""
