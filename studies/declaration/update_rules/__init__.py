"""The update rules of a study, one module each.

Every module of this package is imported here. A new rule is a new file: its subclasses of
`CaseBase` and `MethodBase` with an ``update`` are added to the tables below.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from rpu_ssnn.common.errors import InputError
from studies.declaration.update_rules.base import CaseBase, MethodBase

for _module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")


def _below(of: type[Any]) -> Iterator[Any]:
    for child in of.__subclasses__():
        yield child
        yield from _below(child)


def _by_update(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """Classes by their ``update``.

    Raises:
        InputError: two have the same.
    """
    table: dict[str, Any] = {}
    for update, one in found:
        if table.setdefault(update, one) is not one:
            both = " and ".join(map(inspect.getfile, (table[update], one)))
            allowed = f"must be the name of one rule; it is that of two, in {both}"
            raise InputError("update rules", "update", update, allowed)
    return table


CASES: dict[str, type[CaseBase]] = _by_update(
    [(case.rule, case) for case in dict.fromkeys(_below(CaseBase)) if "rule" in vars(case)]
)
"""Cases by their ``update``. A class with a ``rule`` of its own is one, whatever it inherits."""

METHODS: dict[str, type[MethodBase]] = _by_update(
    [
        (str(method.model_fields["update"].default), method)
        for method in dict.fromkeys(_below(MethodBase))
        if "update" in inspect.get_annotations(method)
    ]
)
"""Methods by their ``update``."""

if _alone := sorted(CASES.keys() ^ METHODS.keys()):
    _allowed = "must be the `rule` of a case and the `update` of a method; one of them is missing"
    raise InputError("update rules", "update", _alone[0], _allowed)
