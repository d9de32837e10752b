"""How a device array holds the weights of one network, as validated, frozen data."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.devices.device_source import DeviceSource, loses_charge
from rpu_ssnn.spec import InSingle, Spec
from rpu_ssnn.spec.array_physics import (
    SLOWEST_S,
    ArrayPhysics,
    DeviceReadNoiseSpec,
    HalfSelectSpec,
    LineSpreadSpec,
    LinesSpec,
    PulseNoiseSpec,
    ReadDisturbSpec,
    RetentionSpec,
    WearSpec,
)

# Ranges: wider than any array, and within what single precision holds. They are assumptions.
ConverterBound = Annotated[float, Field(ge=1e-6, le=1e6)]
Noise = Annotated[float, Field(ge=0.0, le=1e6), InSingle]
SlotSeconds = Annotated[float, Field(ge=1e-15, le=10.0)]
"""A slot holds one pulse; the longest pulses of published synaptic devices last seconds
(electrochemical ones)."""

Seconds = Annotated[float, Field(ge=0.0, le=1e12), InSingle]


class ReadSpec(Spec):
    """Describes reads through aihwkit's converters and noise, one in each slot with a spike.

    Everything else is exact: there is no bound or noise management and no input noise, and a
    reference line is read without error except for `lines`. Inputs are spikes (0, 1, and -1 in the
    transposed read), which any DAC of two bits or more represents exactly.
    """

    dac_bits: Annotated[int, Field(ge=2, le=16)] | None = None
    """The resolution of the DACs; null means exact inputs."""

    adc_bits: Annotated[int, Field(ge=2, le=16)] | None = None
    """The resolution of the ADCs over +-adc_bound, which it needs; null means exact outputs."""

    adc_bound: ConverterBound | None = None
    """The largest current that an ADC resolves, in device states (a device at its upper end adds
    1); null means no bound."""

    adc_bound_transposed: ConverterBound | None = None
    """The bound of transposed reads; null means `adc_bound`."""

    read_noise: Noise = 0.0
    """The standard deviation of the output noise of one read, in device states."""

    @model_validator(mode="after")
    def _bits_have_a_range(self) -> Self:
        if self.adc_bits is not None and self.adc_bound is None:
            raise ValueError("adc_bits needs adc_bound, the range that the bits divide")
        return self


class ReferenceSpec(Spec):
    """Says how a conductance becomes a signed weight."""

    scheme: Literal[
        "ideal_reference", "reference_device", "symmetry_point", "differential_pair"
    ] = "ideal_reference"
    """Subtract the exact mid conductance, or that of a reference device for each weight (with
    spread), which with `symmetry_point` is where the steps up and down of the weight's device are
    equal; or use two devices per weight, one of which goes up when the other goes down."""

    spread: Noise = 0.05
    """The standard deviation of the conductance of a reference device, as a share of the middle of
    the range, wherever a symmetry point lies."""

    on_off_ratio: Annotated[float, Field(ge=1.000001, le=1e15)] | None = None
    """G_max / G_min; null means an infinite ratio. The weight range stands for 0 to G_max, so a
    finite ratio narrows the usable window and enlarges the error of a reference."""

    @model_validator(mode="after")
    def _spread_is_of_reference_devices(self) -> Self:
        default = type(self).model_fields["spread"].default
        allowed = f"must be left out, since the scheme {self.scheme} has no reference devices"
        unread = self.spread != default and not self.has_devices
        require(not unread, "tile", "spread", self.spread, allowed)
        return self

    @property
    def has_devices(self) -> bool:
        """Returns whether every weight has its own reference device."""
        return self.scheme in ("reference_device", "symmetry_point")

    @property
    def off(self) -> float:
        """Returns the conductance at the lower end of the range over that at the upper end."""
        return 1.0 / self.on_off_ratio if self.on_off_ratio else 0.0

    @property
    def zero(self) -> float:
        """Returns the conductance of state 0, in states; the conductance of state w is proportional
        to w + zero."""
        return (1.0 + self.off) / (1.0 - self.off)


NEEDS_PULSES = (
    "must be aihwkit for a cell with transfers, refreshes or a digital sum; the native simulator "
    "has only devices alone, in pairs and in parallel"
)
"""The native simulator refuses cells that it does not simulate with these words."""

NO_DELAYED_READS = (
    "must be 0 with tile.read_disturb, which counts forward spikes when they meet the gradient and "
    "not when they are read"
)
"""Read disturb counts the forward spikes in the blocks of pulses, and refuses a delay with these
words."""

WeightRange = Annotated[float, Field(ge=1e-3, le=1e3)]


class TileSpec(Spec):
    """Says how a device array holds the weights of one network (the device itself is a preset).

    >>> TileSpec(slot_seconds=0.5).batch_seconds(batch=4, slots=100)
    200.0
    """

    weight_range: WeightRange = 8.0
    """The weight at the upper end of the device's nominal range of +-1, in standard deviations of
    He initialisation (which are theta sqrt(2 / n_in))."""

    reference: ReferenceSpec = ReferenceSpec()
    reads: ReadSpec | None = None
    """The errors of reads; null means exact reads."""

    initial: Literal["programmed", "pulsed"] = "programmed"
    """Initial weights are written exactly (`programmed`), or by open-loop pulses onto a fresh
    device (`pulsed`). Only devices of a user's law count these pulses, for their step and wear."""

    slot_seconds: SlotSeconds = 5e-7
    """The physical length of a slot (s); 500 ns is the pulse period of Li 2018."""

    idle_seconds: Seconds = 0.0
    """The physical time (s) between two presentations in which nothing is read or pulsed: devices
    lose charge, and training takes longer."""

    storage_seconds: Seconds = 0.0
    """The physical time (s) between the end of training and the test, in which devices lose charge
    (devices that lose none refuse it); the accuracies of a row are measured after it."""

    simulator: Literal["aihwkit", "native"] = "aihwkit"
    """The simulator `native` is this package's own. It is seeded, so that rows repeat bit for bit,
    faster than aihwkit's tiles, and exact where devices remember their pulses."""

    stuck_share: Annotated[float, Field(ge=0.0, le=1.0), InSingle] = 0.0
    """The share of devices that neither pulse nor write moves."""

    stuck_at: Literal["low", "high", "anywhere"] = "anywhere"
    """Where in its own range a stuck device rests."""

    half_select: HalfSelectSpec = HalfSelectSpec()
    read_disturb: ReadDisturbSpec = ReadDisturbSpec()
    line_spread: LineSpreadSpec = LineSpreadSpec()
    pulse_noise: PulseNoiseSpec = PulseNoiseSpec()
    wear: WearSpec = WearSpec()
    lines: LinesSpec = LinesSpec()
    device_read_noise: DeviceReadNoiseSpec = DeviceReadNoiseSpec()
    retention: RetentionSpec = RetentionSpec()

    def batch_seconds(self, batch: int, slots: int, shortest_slot_s: float = 0.0) -> float:
        """Returns the physical time of a batch of presentations (s), idle time included.

        Args:
            batch: the number of presentations.
            slots: the number of slots of a presentation.
            shortest_slot_s: the shortest slot (s) that the device allows.
        """
        return batch * (slots * max(self.slot_seconds, shortest_slot_s) + self.idle_seconds)

    @model_validator(mode="after")
    def _array_physics_is_native(self) -> Self:
        for name in ARRAY_PHYSICS:
            if getattr(self, name).acts and self.simulator != "native":
                raise ValueError(f"{name} needs simulator: native, since aihwkit's tiles lack it")
        return self


ARRAY_PHYSICS: Mapping[str, type[ArrayPhysics]] = {
    name: field.annotation
    for name, field in TileSpec.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, ArrayPhysics)
}
"""The fields of `TileSpec` that only native devices have."""


_NOT_ON_TILES = (
    "needs tile: {simulator: native}, since aihwkit's tiles have neither tables of measured jumps "
    "nor laws of your own, and their devices do not remember their pulses"
)
_NO_POINT = "needs tile: {simulator: native}, since aihwkit's tiles lack it"
_NO_DISTURB = (
    "must be left out for a device that remembers its pulses, since its memory after a disturbance "
    "is not known"
)
_NO_LINES = "must be left out: it is for weights on two lines, a device and its reference or a pair"
_ONE_LOSS = (
    "must be left out for a device that already loses charge, unless you override its "
    "leak_time_constant_s by .inf, or its loss_per_decade by 0"
)
_TOO_LONG = f"must be at most {SLOWEST_S:g} s at the temperature where the loss was given"
_NEEDS_LOSS = (
    "needs a device that loses charge: a finite leak_time_constant_s, charge_trap_pulsed, or "
    "tile.retention"
)
_TOO_FAST = (
    "must be at least {:.3g} s, the time of a batch, in which the noise is frozen; noise with a "
    "shorter memory is more like white_of_range"
)


def needs_native(device: DeviceSource) -> bool:
    """Returns whether only the native simulator has the device: it has tables of measured jumps, a
    user-defined law, or a memory of its pulses."""
    physics = device.pulse_physics
    alone = device.jump_tables is not None or device.own_law is not None
    return alone or (physics is not None and physics.remembers)


def check_device(device: DeviceSource, spec: TileSpec, batch: int, slots: int) -> None:
    """Refuses settings that do not fit the device, or that its simulator cannot simulate.

    Args:
        device, spec: the device and its array.
        batch: the number of presentations in a batch.
        slots: the number of slots of a presentation.

    Raises:
        InputError: only the other simulator has the device or the reference; a device that
            remembers its pulses is disturbed; a law of loss is given to a device that has its own;
            a device that loses no charge is stored or heated; slow noise is faster than a batch.
            The field is a path within the tile's settings.
    """
    physics, retention, noise = device.pulse_physics, spec.retention, spec.device_read_noise
    loses = loses_charge(device)
    shortest = 0.0 if physics is None else physics.shortest_slot_s
    frozen = spec.batch_seconds(batch, slots, shortest)
    on_aihwkit, keeps = spec.simulator == "aihwkit", not (retention.has_law or loses)
    fixed = physics or (device.own_law is not None and device.own_law.law.hidden)
    scheme = spec.reference.scheme
    cell = device.cell
    more_lines = cell.in_parallel > 1 or (cell.pair and spec.reference.has_devices)
    heat, too_fast = retention.temperature_k, noise.is_slow and noise.slow_time_s < frozen
    too_long = retention.has_law and spec.storage_seconds * retention.acceleration > SLOWEST_S
    refusals = (
        ("simulator", spec.simulator, not on_aihwkit and not cell.native, NEEDS_PULSES),
        ("simulator", spec.simulator, on_aihwkit and needs_native(device), _NOT_ON_TILES),
        ("reference.scheme", scheme, on_aihwkit and scheme == "symmetry_point", _NO_POINT),
        ("half_select", spec.half_select, spec.half_select.acts and fixed, _NO_DISTURB),
        ("read_disturb", spec.read_disturb, spec.read_disturb.acts and fixed, _NO_DISTURB),
        ("lines", spec.lines, spec.lines.acts and more_lines, _NO_LINES),
        ("retention", retention, retention.has_law and loses, _ONE_LOSS),
        ("storage_seconds", spec.storage_seconds, keeps and spec.storage_seconds, _NEEDS_LOSS),
        ("storage_seconds", spec.storage_seconds, too_long, _TOO_LONG),
        ("retention.temperature_k", heat, keeps and heat, _NEEDS_LOSS),
        ("device_read_noise.slow_time_s", noise.slow_time_s, too_fast, _TOO_FAST.format(frozen)),
    )
    for path, value, refused, allowed in refusals:
        if refused:
            shown = value.model_dump(exclude_defaults=True) if isinstance(value, Spec) else value
            raise InputError("tile", path, shown, allowed)
