"""Declares the cases of a study, each with an update rule and, for some rules, a device."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    model_serializer,
    model_validator,
)

from device_presets.lookup.device import name_of
from rpu_ssnn.common.errors import Fault, InputError, one_of, require
from rpu_ssnn.common.validation import UNKNOWN_KEY, paths_of, validated
from rpu_ssnn.spec import OneLine, Spec
from studies.common.settings import merged
from studies.declaration.devices import beside_study, found_beside, with_named_circuit
from studies.declaration.update_rules.base import Hyperparameters, Rule, RunSettings
from studies.declaration.update_rules.loading import PULSES, rule_class, rule_digest, rule_names
from studies.declaration.update_rules.on_device import DeviceRule

MOST_DECLARED_SEEDS = 10_000

MOST_LABEL = 60
"""A label has at most this many characters."""

SHARED = ("label", "network", "training", "seeds", "update")
"""Every case may have these keys; its other keys are those of its rule."""

NO_SETTINGS = ("label", "update", "device", "seeds")
"""A sweep may not set these keys of a case."""


class _SeedCount(Spec):
    count: Annotated[int, Field(ge=1, le=MOST_DECLARED_SEEDS)]


def _counted(raw: object) -> object:
    """Turns a number into seeds: `5` and `{count: 5}` mean the seeds 0 to 4."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = {"count": raw}
    if isinstance(raw, list | tuple):
        return raw
    allowed = "must be a whole number n, for the seeds 0 to n - 1, or a list of seeds"
    require(isinstance(raw, dict), "study", "", raw, allowed)
    return tuple(range(validated(_SeedCount, raw, "").count))


def _each_once(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) < len(seeds):
        twice = min(seed for seed, times in Counter(seeds).items() if times > 1)
        raise ValueError(f"must name each seed only once, but {twice} is there more than once")
    return seeds


Seeds = Annotated[
    tuple[Annotated[int, Field(ge=0, lt=2**32)], ...],
    Field(min_length=1, max_length=MOST_DECLARED_SEEDS),
    BeforeValidator(_counted),
    AfterValidator(_each_once),
]
"""A user gives a list of seeds, or a number n (also {count: n}) for the seeds 0 to n - 1."""


class Case(Spec):
    """A case is one row of a comparison.

    A study file mixes the keys of the rule with those of the case; here they are read into `rule`.

    Attributes:
        rule: the update rule with the settings of the case.
        written: the keys of the rule that the case gives, without defaults; a sweep may set others.
    """

    model_config = ConfigDict(ser_json_inf_nan="constants")  # writes infinity as `.inf` again

    label: Annotated[str, Field(min_length=1, max_length=MOST_LABEL), OneLine] | None = Field(
        None, description="name of the case; default: its update rule or device"
    )
    network: Annotated[dict[str, Any], BeforeValidator(with_named_circuit)] = Field(
        {},
        description="settings that differ from the study's network; `layers` replace its `hidden`, "
        "and the other way round",
    )
    training: dict[str, Any] = Field({}, description="settings that differ from the study's")
    seeds: Seeds | None = Field(None, description="seeds instead of the study's")
    rule: SerializeAsAny[Rule]
    written: dict[str, Any]

    @model_validator(mode="before")
    @classmethod
    def _rule_is_read(cls, raw: object) -> object:
        if not isinstance(raw, Mapping):
            raise InputError("study", "", raw, _needs_a_rule())
        if isinstance(raw.get("rule"), Rule):  # in a copy of a case, it has been read
            return raw
        flat = _flat(raw)
        update = flat.get("update", PULSES if "device" in flat else None)
        if not isinstance(update, str):
            raise InputError("study", "update" if update else "", update or raw, _needs_a_rule())
        kind, own = rule_class(update), {k: v for k, v in flat.items() if k not in SHARED}
        _refuse_unknown(kind, own, update)
        written = {key: _plain(value) for key, value in own.items() if value is not None}
        rule = validated(kind, {"update": update, "digest": rule_digest(update), **written}, "")
        if isinstance(rule, DeviceRule):
            written["device"] = rule.device  # in Python, an object of aihwkit becomes a name
        kept = {key: flat[key] for key in SHARED if key in flat and key != "update"}
        return {**kept, "rule": rule, "written": written}

    @model_serializer(mode="plain")
    def _as_written(self) -> dict[str, Any]:
        shared = {key: getattr(self, key) for key in SHARED if key != "update"}
        return {**shared, "update": self.rule.update, **self.written}

    @property
    def name(self) -> str:
        """Returns the label of the case, or the title of its rule if it has none."""
        return self.label or self.rule.title

    @property
    def device_rule(self) -> DeviceRule:
        """Returns the rule of a case in a device.

        Raises:
            TypeError: the case has no device.
        """
        if not isinstance(self.rule, DeviceRule):
            raise TypeError(f"{self.name} is a case without a device")
        return self.rule

    @cached_property
    def sections(self) -> dict[str, Any]:
        """Returns the settings that the case itself gives, in sections, except those that a sweep
        may not set."""
        own = {key: value for key, value in self.written.items() if key not in NO_SETTINGS}
        return {"network": self.network, "training": self.training, **own}

    def swept(self) -> tuple[str, ...]:
        """Returns the first parts of the dotted paths that a sweep may set."""
        own = [name for name in self.rule.own_keys() if name not in NO_SETTINGS]
        return ("network", "training", *own)

    def changed(self, **keys: Any) -> Self:
        """Returns the case with new values of some keys.

        Raises:
            InputError: a value is not valid.
        """
        return validated(type(self), {**self.model_dump(), **keys}, "")

    def tuned(self, chosen: Hyperparameters) -> Self:
        """Returns the case with these hyperparameters."""
        if isinstance(self.rule, DeviceRule):
            given = chosen.model_dump(include={*Hyperparameters.model_fields})
            return self.changed(hyperparameters=given)
        return self.changed(learning_rate=chosen.learning_rate)

    def rule_at(self, sections: Mapping[str, Any]) -> Rule:
        """Returns the rule with the settings of these sections instead of the case's.

        Raises:
            InputError: a setting is not valid.
        """
        fixed = {"update": self.rule.update, "digest": self.rule.digest}
        own = {k: v for k, v in merged(self.written, sections).items() if k in self.rule.own_keys()}
        return validated(type(self.rule), {**own, **fixed}, "")


def beside_a_study(case: Any, folder: Path, where: str, number: int) -> Any:
    """Returns a case with absolute paths in place of those relative to the study's folder.

    Raises:
        InputError: a file is missing.
    """
    if not isinstance(case, dict):
        return case
    placed = _flat(case)
    if "device" in placed:
        with suppress(InputError):  # its rule refuses what names no device
            placed["device"] = name_of(placed["device"])
    if isinstance(device := placed.get("device"), str):
        placed["device"] = beside_study(device, folder, where, f"case {number}.device")
    update = placed.get("update")
    if isinstance(update, str) and update.endswith(".py"):
        placed["update"] = found_beside(update, folder, where, f"case {number}.update")
    return placed


def _flat(case: Mapping[str, Any]) -> dict[str, Any]:
    """Moves the settings of ``update: {rule: my_rule.py, ...}`` and of ``device: {fit: FILE, draws:
    5}`` up to the other keys of a case."""
    flat = dict(case)
    for key, name in (("device", "fit"), ("update", "rule")):
        if isinstance(given := case.get(key), Mapping) and name in given:
            flat |= {**given, key: given[name]}
            del flat[name]
    return flat


def _needs_a_rule() -> str:
    return f"must have `device: NAME`, or `update` with one of {', '.join(rule_names())}"


def _refuse_unknown(kind: type[Rule], own: Mapping[str, Any], update: str) -> None:
    """Refuses keys that neither the case nor its rule has, and a missing device."""
    known = (*SHARED, *kind.own_keys())
    for key in own:
        if key not in known:
            valid = one_of(known, key, "", paths_in_case(kind, key))
            found = Fault(f"{UNKNOWN_KEY} with `update: {update}`")
            raise InputError("study", str(key), found, valid)
    if issubclass(kind, DeviceRule) and own.get("device") is None:
        allowed = "must be the name of a preset that `rpu-ssnn presets` lists, or a preset file"
        raise InputError("study", "device", None, allowed)


def paths_in_case(kind: type[Rule], key: object) -> list[str]:
    """Returns the dotted paths of the settings with this name in a case with such a rule."""
    return [*paths_of(RunSettings, key), *paths_of(kind, key)]


def _plain(value: Any) -> Any:
    """Turns a section that was given in Python as a model into the form that YAML has."""
    return value.model_dump(exclude_unset=True) if isinstance(value, BaseModel) else value
