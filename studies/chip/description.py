"""A chip as validated, frozen data: its arrays, its choices and what each component costs."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError, one_of, require
from rpu_ssnn.common.files import user_path
from rpu_ssnn.common.validation import validated
from rpu_ssnn.spec import OneLine, Range, Spec
from studies.chip.surveyed_converter import PROGRAM, surveyed_converter

SHIPPED = Path(__file__).parents[1] / "shipped" / "chips"

Amount = Annotated[float, Field(ge=0.0, le=1e12)]
Lines = Annotated[int, Field(ge=1, le=1 << 20)]


class Component(Spec):
    """What one component of a chip costs."""

    energy_j: Amount | None = None
    """The energy (J) of one event; `Components` says what the event is."""

    interval: Range[Amount] | None = None
    """The lowest and the highest energy (J) that the source leaves open. A number without an
    interval is an assumption, and is shown as one."""

    time_s: Amount = 0.0
    """The time (s) that one event takes."""

    area_m2: Amount = 0.0
    """The area (m2) of one such component."""

    power_w: Amount = 0.0
    """The power (W) that one such component takes all the time."""

    source: Annotated[str, Field(min_length=1), OneLine]
    """The publication or the program that the numbers come from."""

    @model_validator(mode="after")
    def _interval_holds_the_energy(self) -> Self:
        if self.interval is not None:
            low, high = self.interval
            if self.energy_j is None or not low <= self.energy_j <= high:
                raise ValueError("interval must be [lowest, highest], with energy_j between them")
        return self


class Converter(Component):
    """What a conversion costs, by one's own numbers or by those of a program."""

    program: Literal["hwcomponents-adc"] | None = None
    """The program that gives a converter's energy, area and power from `bits`, `node_m` and
    `time_s`: hwcomponents-adc (MIT, of the extra `chip`) knows the best published ones."""

    node_m: Annotated[float, Field(ge=5e-9, le=1e-6)] = 65e-9
    """The technology (m) for which the program is asked, such as 65e-9 for 65 nm."""


class Components(Spec):
    """The components of a chip. One that is left out costs nothing, and the ledger says so."""

    pulse: Component | None = None
    """A pulse on a device whose preset gives no energy of a pulse."""

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
    """A conversion of the current of one line, apart from its bits and levels. A chip that is
    `like` another and has its own converter takes none of the other's."""

    converter_step: Component | None = None
    """Each bit of a conversion, one after the other."""

    converter_level: Component | None = None
    """Each of the 2^bits - 1 levels that a flash converter compares with, all at once."""

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
    """One array with all of its lines, for what leaks."""

    initial_write: Component | None = None
    """A device that is programmed before training begins."""


class ArraySize(Spec):
    """The size of an array of devices."""

    rows: Lines
    columns: Lines


class Chip(Spec):
    """A chip that holds the crossbars of a network in arrays of one size.

    >>> load_chip("crossbar_65nm").array
    ArraySize(rows=256, columns=256)
    """

    chip: Annotated[str, Field(min_length=1), OneLine]
    """The name of the chip."""

    array: ArraySize
    """Rows are input lines. A weight of several devices takes a column for each."""

    columns: Literal["converter", "neuron"]
    """What takes the currents: a converter before a digital neuron, or an analog neuron."""

    bits: Annotated[int, Field(ge=1, le=16)] | None = None
    """The bits of a converter, which needs them; a case that was trained with `tile.reads.adc_bits`
    has converters of these bits instead."""

    lines_per_converter: Lines = 1
    """The number of lines that share a converter, one after the other."""

    reads: Literal["parallel", "serial"] = "parallel"
    """Whether all lines that spike in a slot are read at once, or each by itself."""

    writes: Literal["spikes", "parallel", "serial"] = "spikes"
    """How a slot writes. With `spikes` each forward spike puts half of the write voltage on its
    row, whether a gradient spike meets it or not. With `parallel` rows are driven only where one
    does, once for each stream. With `serial` each gradient spike writes its column by itself."""

    slot_s: Amount = 0.0
    """The shortest length (s) of a slot."""

    pulse_period_s: Amount = 0.0
    """The shortest period (s) of pulses; the device's own is kept where it is longer."""

    components: Components

    @model_validator(mode="before")
    @classmethod
    def _program_is_asked(cls, content: Any) -> Any:
        """Fills in what a program says of the converter; where keys are wrong, they say so."""
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
        if getattr(self.components, self.columns) is None:
            allowed = f"must be given, as columns: {self.columns} says"
            raise InputError("chip", f"components.{self.columns}", None, allowed)
        if self.columns == "converter" and self.bits is None:
            raise InputError("chip", "bits", None, "must be given, as columns: converter says")
        return self

    def at_bits(self, bits: int) -> "Chip":
        """Returns the chip with converters of so many bits."""
        return Chip.model_validate({**self.model_dump(exclude_none=True), "bits": bits})


def load_chip(name_or_path: str | Path) -> Chip:
    """Returns the chip of a YAML file, or a shipped one by its name.

    Raises:
        InputError: there is none, or the file is not a valid chip.
    """
    shipped = _shipped()
    path = shipped.get(str(name_or_path)) or user_path("chip", "file", name_or_path)
    if not path.is_file() and path.suffix not in (".yaml", ".yml"):
        allowed = one_of(shipped, str(name_or_path)) + ", or a YAML file"
        raise InputError("command line", "--chip", str(name_or_path), allowed)
    return validated(Chip, _like(strict_yaml.read(path), path), "", path)


def as_chip(content: object) -> object:
    """Returns the chip of a study, which has its keys or the name of a shipped one.

    Raises:
        InputError: there is none of this name, or it is neither a mapping nor a name.
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
    """Returns the keys of a chip with those of the shipped chip that it is like, for the rest.

    Raises:
        InputError: no shipped chip has this name.
    """
    if not isinstance(content, Mapping) or "like" not in content:
        return content
    if content["like"] not in list(_shipped()):
        raise InputError(where, "like", content["like"], one_of(_shipped(), str(content["like"])))
    base = load_chip(content["like"]).model_dump(exclude_none=True)
    own = {key: value for key, value in content.items() if key != "like"}
    if isinstance(parts := own.get("components", {}), Mapping):
        kept = base["components"]
        if "converter" in parts:  # one's own is not another converter's with its bits and levels
            kept = {name: part for name, part in kept.items() if not name.startswith("converter")}
        own["components"] = {**kept, **parts}
    return {**base, **own}
