"""Describes a chip as validated, frozen data: arrays, options, and the costs of components."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError, one_of, require
from rpu_ssnn.common.files import user_path
from rpu_ssnn.common.optional import optional_package
from rpu_ssnn.common.validation import validated
from rpu_ssnn.spec import OneLine, Range, Spec

SHIPPED = Path(__file__).parents[1] / "shipped" / "chips"

PROGRAM = "hwcomponents-adc"
FEWEST_BITS = 4
"""The program knows converters from this number of bits on."""

Amount = Annotated[float, Field(ge=0.0, le=10.0)]
Energy = Annotated[float, Field(ge=0.0, le=1e-6)]
Lines = Annotated[int, Field(ge=1, le=1 << 20)]


class Component(Spec):
    """Gives the costs of one component of a chip."""

    energy_j: Energy | None = None
    """The energy (J) of one event; `Components` defines the events."""

    interval: Range[Energy] | None = None
    """The lowest and highest energy (J) that the source allows; null where it publishes none."""

    time_s: Amount = 0.0
    """The time (s) that one event takes."""

    area_m2: Amount = 0.0
    """The area (m2) of one such component."""

    power_w: Amount = 0.0
    """The power (W) that one such component always takes."""

    source: Annotated[str, Field(min_length=1), OneLine]
    """The publication or program from which the numbers come."""

    @model_validator(mode="after")
    def _interval_holds_the_energy(self) -> Self:
        if self.interval is not None:
            low, high = self.interval
            if self.energy_j is None or not low <= self.energy_j <= high:
                raise ValueError("interval must be [lowest, highest], with energy_j between them")
        return self


class Converter(Component):
    """Gives the costs of a conversion, from your own numbers or from a program."""

    program: Literal["hwcomponents-adc"] | None = None
    """The program that gives a converter's energy, area and power for `bits`, `node_m` and
    `time_s`: hwcomponents-adc (MIT licence, in the extra `chip`), which knows the best published
    converters."""

    node_m: Annotated[float, Field(ge=5e-9, le=1e-6)] = 65e-9
    """The technology (m) that the program assumes, such as 65e-9 for 65 nm."""


class Components(Spec):
    """Lists the components of a chip. The ledger names those left out, which cost nothing."""

    pulse: Component | None = None
    """A pulse on a device whose preset does not give the energy of a pulse."""

    cell_read: Component | None = None
    """A device on a line that spikes, in a read in either direction; its area is that of a cell."""

    row_driver: Component | None = None
    """One row of one array, driven to read; its area is that of a row."""

    column_driver: Component | None = None
    """One column of one array, driven for a transposed read; its area is that of a column."""

    row_write: Component | None = None
    """One row of one array, driven to write."""

    column_write: Component | None = None
    """One column of one array, driven to write."""

    line: Component | None = None
    """The time for which a line is driven in a read."""

    converter: Converter | None = None
    """A conversion of the current of one line, without its bits and levels. If a chip that is
    `like` another gives a converter, nothing of the other's converter is used."""

    converter_step: Component | None = None
    """A bit of a conversion, which takes its bits one after the other."""

    converter_level: Component | None = None
    """One of the 2^bits - 1 levels with which a flash converter compares at the same time."""

    neuron: Component | None = None
    """A neuron that takes the current of its line once, forward or transposed."""

    spike: Component | None = None
    """A spike that a neuron sends, forward or gradient."""

    transport: Component | None = None
    """A spike that reaches an array."""

    wire: Component | None = None
    """A spike of the label, or of an output on the wire of inhibition, at one output neuron."""

    buffer: Component | None = None
    """A forward spike that waits one slot for its gradient; its area is that of one bit."""

    array: Component | None = None
    """One array with all of its lines, for its leakage."""

    initial_write: Component | None = None
    """A device that is programmed before training begins."""


class ArraySize(Spec):
    """Gives the size of an array of devices."""

    rows: Lines
    columns: Lines


class Chip(Spec):
    """Describes a chip that holds the crossbars of a network in arrays of one size.

    >>> load_chip("crossbar_65nm").array
    ArraySize(rows=256, columns=256)
    """

    chip: Annotated[str, Field(min_length=1), OneLine]
    """The name of the chip."""

    array: ArraySize
    """Rows are input lines. A weight of several devices takes a column for each."""

    columns: Literal["converter", "neuron"]
    """The circuit at each column: a converter before a digital neuron, or an analog neuron."""

    bits: Annotated[int, Field(ge=1, le=16)] | None = None
    """The number of bits of a converter. A case that was trained with `tile.reads.adc_bits` has
    converters of that many bits instead."""

    lines_per_converter: Lines = 1
    """The number of lines that share a converter, one after the other."""

    reads: Literal["parallel", "serial"] = "parallel"
    """Whether all lines that spike in a slot are read at once, or one after the other."""

    writes: Literal["spikes", "parallel", "serial"] = "spikes"
    """How a slot writes. With `spikes`, each forward spike puts half of the write voltage on its
    row, even if it meets no gradient spike. With `parallel`, a row is driven only if its spike
    meets one, once for each stream. With `serial`, each gradient spike writes its column by
    itself."""

    slot_s: Amount = 0.0
    """The shortest length (s) of a slot."""

    pulse_period_s: Amount = 0.0
    """The shortest period (s) of pulses, unless that of the device is longer."""

    components: Components

    @model_validator(mode="before")
    @classmethod
    def _program_is_asked(cls, content: Any) -> Any:
        """Fills in the program's numbers for the converter; bad keys are refused later."""
        parts = content.get("components") if isinstance(content, Mapping) else None
        part = parts.get("converter") if isinstance(parts, Mapping) else None
        if not isinstance(parts, Mapping) or not isinstance(part, Mapping) or "program" not in part:
            return content
        asked, bits = {"time_s": 1e-8, "source": PROGRAM, **part}, content.get("bits")
        with suppress(ValidationError):
            checked = Converter.model_validate(asked)
            if isinstance(bits, int) and checked.program and checked.time_s > 0.0:
                asked |= surveyed_converter(bits, checked.node_m, checked.time_s)
        return {**content, "components": {**parts, "converter": asked}}

    @model_validator(mode="after")
    def _columns_are_whole(self) -> Self:
        allowed = f"must be given with `columns: {self.columns}`"
        column = getattr(self.components, self.columns)
        require(column is not None, "chip", f"components.{self.columns}", None, allowed)
        require(self.columns == "neuron" or self.bits, "chip", "bits", None, allowed)
        return self

    def at_bits(self, bits: int) -> "Chip":
        """Returns the chip with converters of this number of bits."""
        return Chip.model_validate({**self.model_dump(exclude_none=True), "bits": bits})


def load_chip(name_or_path: str | Path) -> Chip:
    """Returns the chip of a YAML file, or the shipped chip of this name.

    Raises:
        InputError: there is no such chip, or the file is not a valid chip.
    """
    shipped = _shipped()
    path = shipped.get(str(name_or_path)) or user_path("command line", "--chip", name_or_path)
    allowed = one_of(shipped, str(name_or_path)) + ", or a YAML file"
    is_file = path.is_file() or path.suffix in (".yaml", ".yml")
    require(is_file, "command line", "--chip", str(name_or_path), allowed)
    return validated(Chip, _like(strict_yaml.read(path), path), "", path)


def as_chip(content: object) -> object:
    """Returns the shipped chip that a study names, or the keys that it gives with `like` filled in.

    Raises:
        InputError: there is no chip of this name, or the content is neither a mapping nor a name.
    """
    if not isinstance(content, str):
        allowed = "must be a mapping, `key: value`, or the name of a shipped chip"
        require(isinstance(content, Mapping | Chip | None), "study", "", content, allowed)
        return _like(content, "study")
    try:
        return load_chip(content)
    except InputError as error:
        allowed = error.allowed if error.field == "--chip" else str(error)
        raise InputError("study", "", content, allowed) from error


def _shipped() -> dict[str, Path]:
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def _like(content: object, where: object) -> object:
    """Fills in the missing keys of a chip from the shipped chip that its key `like` names.

    Raises:
        InputError: no shipped chip has this name.
    """
    if not isinstance(content, Mapping) or "like" not in content:
        return content
    like, shipped = content["like"], list(_shipped())
    require(like in shipped, where, "like", like, one_of(shipped, str(like)))
    base = load_chip(like).model_dump(exclude_none=True)
    own = {key: value for key, value in content.items() if key != "like"}
    if isinstance(parts := own.get("components", {}), Mapping):
        kept = base["components"]
        if "converter" in parts:  # a new converter does not keep another's bits and levels
            kept = {name: part for name, part in kept.items() if not name.startswith("converter")}
        own["components"] = {**kept, **parts}
    return {**base, **own}


@cache
def surveyed_converter(bits: int, node_m: float, time_s: float) -> Mapping[str, Any]:
    """Returns the costs of a converter: the best in Murmann's survey of published converters.

    The energy of a conversion is 80 % of the program's; the rest of it is in `power_w`.

    Args:
        bits: effective number of bits.
        node_m: technology (m).
        time_s: time of a conversion (s).

    Returns:
        Keys of `Component`.

    Raises:
        InputError: the package is not installed, or it knows no such converter.
    """
    field = "components.converter.program"
    package = optional_package("hwcomponents_adc", "rpu-ssnn[chip]", "chip", field, PROGRAM)
    allowed = f"must be at least {FEWEST_BITS}, as {PROGRAM} knows none with fewer"
    require(bits >= FEWEST_BITS, "chip", "bits", bits, allowed)
    adc = package.ADC(n_bits=bits, tech_node=node_m, throughput=1.0 / time_s)
    return {
        "energy_j": float(adc.convert().energy),
        "area_m2": float(adc.area),
        "power_w": float(adc.leak_power),
        "source": f"{PROGRAM}: the best of Murmann's survey, {bits} bits, {1e9 * node_m:g} nm, "
        f"{1e9 * time_s:g} ns",
    }
