"""Makes a preset from an aihwkit device configuration, with the usual names and checks.

>>> get_device("SoftBoundsDevice(dw_min=0.01)")
>>> get_device(SoftBoundsDevice(dw_min=0.01))  # the same
"""

import ast
import dataclasses
import math
import warnings
from typing import Any

from device_presets.library.preset_file import ParameterEntry, PresetEntry
from rpu_ssnn.common.errors import InputError, one_of, require
from rpu_ssnn.common.validation import WHOLE
from rpu_ssnn.devices.laws import LAWS, law_of_aihwkit

WHERE = "aihwkit device"

MODELS = tuple(dict.fromkeys(law.aihwkit for law in LAWS.values() if law.aihwkit))
"""The device classes of aihwkit that have a law here."""

_GIVEN = "as the aihwkit configuration has it"

_DRAWN_LATER = ("construction_seed",)
"""The array sets these fields, which are not properties of the device."""

_COUNTED = {
    "lifetime": "must be 0, as it counts mini-batches: override leak_time_constant_s, in seconds",
    "diffusion": "must be 0: it acts once per mini-batch, which has no fixed time",
    "drift": "must be aihwkit's default: it acts once per mini-batch, which has no fixed time",
}
"""aihwkit counts these fields in mini-batches, but time is physical here."""


def is_aihwkit_name(name: str) -> bool:
    """Returns whether a device name denotes a class of aihwkit, NAMEDevice or NAMEPreset, or a
    call of one."""
    head = name.partition("(")[0].strip()
    return head.isidentifier() and head.endswith(("Device", "Preset"))


def aihwkit_object(name: str) -> Any:
    """Returns the object that `CLASS` or `CLASS(field=value, ...)` describes; the values are
    numbers, flags or lists of numbers.

    Raises:
        InputError: there is no such class or field, or the name does not have this form.
    """
    try:
        call = ast.parse(name.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(WHERE, "device", name, "must be CLASS(field=value, ...)") from error
    keywords = call.keywords if isinstance(call, ast.Call) and not call.args else []
    head = call.func if isinstance(call, ast.Call) and not call.args else call
    if not isinstance(head, ast.Name):
        raise InputError(WHERE, "device", name, "must be CLASS(field=value, ...)")
    classes = _classes()
    if head.id not in classes:
        offered = [n for n, kind in classes.items() if n.endswith("Preset") or _model_of(kind)]
        raise InputError(WHERE, "device", head.id, one_of(offered, head.id))
    values = {}
    for keyword in keywords:
        field = keyword.arg or "**"
        known = [declared.name for declared in dataclasses.fields(classes[head.id])]
        if field not in known:
            raise InputError(WHERE, f"field of {head.id}", field, one_of(known, field))
        where = f"{head.id}.{field}"
        if field in values:
            raise InputError(WHERE, where, ast.unparse(keyword.value), "must be given only once")
        values[field] = _value_of(where, keyword.value)
    return classes[head.id](**values)


def _value_of(where: str, written: ast.expr) -> Any:
    """Returns a number, a flag or a list of numbers.

    Raises:
        InputError: the expression is anything else.
    """
    try:
        value = ast.literal_eval(written)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        value = None
    parts = value if isinstance(value, list | tuple) else [value]
    numbers = all(isinstance(part, int | float) for part in parts)
    allowed = "must be a number, True or False, or a list of numbers"
    require(numbers, WHERE, where, ast.unparse(written), allowed)
    return value


def own_entry(source: Any) -> tuple[str, PresetEntry]:
    """Returns the complete name of an aihwkit configuration, and the equivalent preset entry.

    Args:
        source: a device, a tile configuration with one, or a class of either.

    Raises:
        InputError: the source is none of these, it is a cell of several devices, or it has a
            property for which presets have no parameter.
    """
    device = _device_of(source)
    model = _model_of(type(device))
    if model is None:
        allowed = one_of(MODELS) + ", or a preset of one"
        raise InputError(WHERE, "class", type(device).__name__, allowed)
    law = law_of_aihwkit(model)
    assert law is not None
    known = {parameter.aihwkit_name: name for name, parameter in law.parameters.items()}
    base = _classes()[model]()
    parameters: dict[str, ParameterEntry] = {}
    gammas = [_plain(getattr(device, f"gamma_{way}", 0.0)) for way in ("up", "down")]
    grows = any(isinstance(gamma, float) and gamma < 0 for gamma in gammas)
    for field in dataclasses.fields(device):
        value, default = getattr(device, field.name), getattr(base, field.name)
        if field.name in known:
            name = known[field.name]
            parameters[name] = ParameterEntry.of(law, name, _plain(value), assumption=_GIVEN)
        elif field.name == "allow_increasing":
            allowed = f"must be {grows}, as a gamma is {'' if grows else 'not '}below 0"
            require(value == grows, type(device).__name__, field.name, value, allowed)
        elif value != default and field.name in _DRAWN_LATER:
            unused = f"{type(device).__name__}: {field.name} is not used"
            warnings.warn(f"{unused}: the seed of a trial draws its devices", stacklevel=3)
        elif value != default:
            allowed = _COUNTED.get(field.name, f"must be {default!r}: no preset has this field")
            raise InputError(type(device).__name__, field.name, value, allowed)
    one_way = "its lower bound is 0, and a single device has no negative weights"
    return _name_of(device), PresetEntry(
        technology="own aihwkit device",
        law=law.name,
        description=f"aihwkit's {type(device).__name__}, given by the user",
        citation="none (the user's configuration)",
        one_directional_because=None if parameters["w_min"].value else one_way,
        parameters=parameters,
    )


def _classes() -> dict[str, type[Any]]:
    """Returns aihwkit's classes of single devices, and of tile configurations with one, by name."""
    from aihwkit.simulator import presets
    from aihwkit.simulator.configs import devices
    from aihwkit.simulator.configs.configs import SingleRPUConfig

    kinds = (devices.PulsedDevice, SingleRPUConfig)
    return {
        name: value
        for module in (devices, presets)
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, kinds) and name != "PulsedDevice"
    }


def _device_of(source: Any) -> Any:
    from aihwkit.simulator.configs.compounds import UnitCell
    from aihwkit.simulator.configs.configs import SingleRPUConfig
    from aihwkit.simulator.configs.devices import PulsedDevice
    from aihwkit.simulator.parameters.base import RPUConfigBase
    from aihwkit.simulator.parameters.training import UpdateParameters

    if isinstance(source, type) and issubclass(source, SingleRPUConfig | PulsedDevice):
        source = source()
    if isinstance(source, SingleRPUConfig):
        plain = source.forward.is_perfect and source.backward.is_perfect
        if not plain or source.update != UpdateParameters():
            warnings.warn(
                f"{type(source).__name__}: only its device is used; forward, backward and update "
                "are those of the study's tile (tile.reads), as each coincidence is one pulse",
                stacklevel=4,
            )
        source = source.device
    if isinstance(source, PulsedDevice):
        return source
    if isinstance(source, RPUConfigBase | UnitCell):
        allowed = (
            "must have one device per weight; cells have names of their own, such as "
            "one_sided_pair(PRESET) and tiki_taka(PRESET) (docs/explanation/devices.md)"
        )
        raise InputError(WHERE, "configuration", type(source).__name__, allowed)
    allowed = (
        "must be the name of a device, {table: FOLDER}, {law: FILE, ...}, an aihwkit device that "
        "moves by pulses, or its configuration; in a study also {fit: FILE, draws: 5}"
    )
    raise InputError("device", WHOLE, source, allowed)


def _model_of(kind: type[Any]) -> str | None:
    """Returns the name of the class in `MODELS` that simulates a device class: the class itself or
    the one that it configures as a preset; None if there is none."""
    own = {field.name for field in dataclasses.fields(kind)}
    for cls in kind.__mro__:
        if cls.__name__ in MODELS and own <= {field.name for field in dataclasses.fields(cls)}:
            return cls.__name__
    return None


def _name_of(device: Any) -> str:
    """Returns `CLASS(field=value, ...)` with every field that differs from the class's default."""
    plain = type(device)()
    given = [
        f"{field.name}={_plain(getattr(device, field.name))!r}"
        for field in dataclasses.fields(device)
        if field.name not in _DRAWN_LATER
        and getattr(device, field.name) != getattr(plain, field.name)
    ]
    return f"{type(device).__name__}({', '.join(given)})"


def _plain(value: Any) -> Any:
    """Returns numbers as floats, flags unchanged, and anything else as text or None, which the
    check of the parameter refuses."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return repr(value)
