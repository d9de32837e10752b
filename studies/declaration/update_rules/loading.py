"""Finds the class of an update rule: a shipped one, a module of a package, or a user's file.

Every rule is a module that defines one subclass of `base.Rule`. A shipped rule has the name of its
module.
"""

import importlib.util
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import device_presets
from rpu_ssnn.common.errors import InputError, one_of, require
from rpu_ssnn.common.own_code import run_own_code
from studies.common.settings import short_hash
from studies.declaration.update_rules.base import Rule

PULSES = "pulses"
"""A case that names a device but no rule has this rule."""

CORE = ("rate", "coincidence", PULSES, "ann", "analog_sgd")
"""These rules of the platform itself are modules of this package."""

OF_PAPERS = "studies.reproductions.rules"
"""The modules of this package are the rules of other papers."""


@cache
def _shipped() -> dict[str, str]:
    """Returns the modules of all shipped rules by name."""
    of_papers = pkgutil.iter_modules(import_module(OF_PAPERS).__path__)
    core = {name: f"{__package__}.{name}" for name in CORE}
    return core | {name: f"{OF_PAPERS}.{name}" for name in sorted(each.name for each in of_papers)}


def rule_names() -> tuple[str, ...]:
    """Returns the names of all shipped rules."""
    return tuple(_shipped())


def rule_class(update: str) -> type[Rule]:
    """Returns the class of a rule.

    Args:
        update: the name of a shipped rule, the file of a rule (``my_rule.py``), or the dotted name
            of a module.

    Raises:
        InputError: there is no such rule, or its module does not define exactly one rule.
    """
    if update in _shipped():
        return _only_rule(import_module(_shipped()[update]))
    code = _source(update)
    module = _module_of(update, code) if update.endswith(".py") else import_module(update)
    return _only_rule(module)


def rule_digest(update: str) -> str | None:
    """Returns the digest of a rule's file without executing it, or None for a shipped rule.

    Raises:
        InputError: there is no such rule.
    """
    return None if update in _shipped() else short_hash(_source(update))


def rule_of(settings: object) -> object:
    """Returns the rule with the settings that a trial stores; what is no mapping is unchanged.

    A file is executed only if it still has the digest that the settings name.

    Raises:
        InputError: there is no such rule, or its file has changed.
        pydantic.ValidationError: a setting is not valid.
    """
    if not isinstance(settings, Mapping):
        return settings
    update = settings.get("update")
    if not isinstance(update, str):
        raise InputError("study", "update", update, one_of(rule_names()))
    digest, allowed = settings.get("digest"), f"must be that of {update}, which has changed since"
    require(digest == rule_digest(update), "study", "digest", digest, allowed)
    return rule_class(update).model_validate(settings)


def _source(update: str) -> str:
    """Returns the source code of a rule that is not shipped."""
    path, why = update, "there is no such file"
    if not update.endswith(".py"):
        path, why = "", "there is no such module"
        try:
            spec = importlib.util.find_spec(update)
            path = str(spec.origin) if spec is not None else ""
        except (ImportError, ValueError) as error:
            why = str(error)
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError("study", "update", update, "must be Python code in UTF-8") from error
    except OSError as error:
        device = [f"device: {update}"] * (update in device_presets.preset_names())
        known = one_of(rule_names(), update, "", device)
        allowed = f"{known}, a file such as my_rule.py, or a module ({why})"
        raise InputError("study", "update", update, allowed) from error


@cache
def _module_of(path: str, code: str) -> ModuleType:
    """Executes a file as a module, and again only when its text has changed."""
    try:
        return run_own_code(f"rpu_ssnn_rule_{short_hash(code)}", path, code)
    except (Exception, SystemExit) as error:
        message = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError("study", "update", path, f"must run, but raises {message}") from error


def _only_rule(module: ModuleType) -> type[Rule]:
    """Returns the one rule that a module defines."""
    rules = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Rule)
        and value.__module__ == module.__name__
        and not inspect.isabstract(value)
    ]
    if len(rules) != 1:
        names = ", ".join(rule.__name__ for rule in rules) or "none"
        allowed = f"must define exactly one subclass of Rule with a method `training`; has {names}"
        where = module.__file__ or module.__name__
        raise InputError("study", "update", where, allowed)
    return rules[0]
