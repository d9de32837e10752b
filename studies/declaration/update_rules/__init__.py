"""The update rules, one module each: how a network of a study may be trained.

Every module of this package is imported here, so that a new rule is a new file: its subclasses of
`CaseBase` and `MethodBase` that have an ``update`` join the tables below.
"""

import importlib
import pkgutil
from typing import Any

from studies.declaration.update_rules.base import CaseBase, MethodBase

for _module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")


def _ends(of: type[Any]) -> list[Any]:
    """The classes at the ends of the tree below ``of``."""
    below: list[type[Any]] = of.__subclasses__()
    return [end for child in below for end in _ends(child)] if below else [of]


CASES: dict[str, type[CaseBase]] = {case.rule: case for case in _ends(CaseBase)}
"""By the value of ``update``."""

METHODS: dict[str, type[MethodBase]] = {
    str(method.model_fields["update"].default): method for method in _ends(MethodBase)
}
"""By the method's own ``update``."""
