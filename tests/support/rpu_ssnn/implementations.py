"""Lists all synapses under test; a new implementation needs one line in `IMPLEMENTATIONS`."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from device_presets import get_device
from rpu_ssnn.spec import SurrogateSpec
from rpu_ssnn.spec.tile import ReadSpec, ReferenceSpec
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, RateSynapses, Synapses
from support.device_presets.charge_traps import charge_trap
from support.device_presets.jump_tables import write_table
from support.rpu_ssnn.exact_tiles import STEP, on_native, on_tile
from support.rpu_ssnn.native_devices import native


def on_trap(reference: ReferenceSpec | None = None) -> Callable[[Crossbar], Synapses]:
    """Returns identical devices that remember their pulses, without charge loss."""

    def make(crossbar: Crossbar) -> Synapses:
        device = charge_trap(levels=round(2 / STEP), loss_per_decade=0.0)
        return native(device, crossbar, reference=reference or {})

    return make


def on_table(reference: ReferenceSpec | None = None) -> Callable[[Crossbar], Synapses]:
    """Returns identical devices with measured jumps of one size."""

    def make(crossbar: Crossbar) -> Synapses:
        half = STEP * 2e-5  # The range of 4e-5 S is two units of state.
        with TemporaryDirectory() as folder:
            table = write_table(Path(folder), up=half, down=-half, spread=0.0)
            device = get_device({"table": str(table)})
        return native(device, crossbar, reference=reference or {})

    return make


IMPLEMENTATIONS: dict[str, Callable[[Crossbar], Synapses]] = {
    "rate": lambda c: RateSynapses(c, 1.0),
    "rate with surrogate noise": lambda c: RateSynapses(c, 1.0, SurrogateSpec(T_s=1e9)),
    "coincidence": lambda c: CoincidenceSynapses(c, 1.0),
    "tile": on_tile(),
    "tile, pulsed start": on_tile(initial="pulsed"),
    "tile, reference device": on_tile(reference=ReferenceSpec(scheme="reference_device")),
    "tile, differential pair": on_tile(reference=ReferenceSpec(scheme="differential_pair")),
    "tile, finite on/off ratio": on_tile(reference=ReferenceSpec(on_off_ratio=5.0)),
    "tile, reads through aihwkit": on_tile(reads=ReadSpec()),
    "native": on_native(),
    "native, pulsed start": on_native(initial="pulsed"),
    "native, reference device": on_native(reference=ReferenceSpec(scheme="reference_device")),
    "native, differential pair": on_native(reference=ReferenceSpec(scheme="differential_pair")),
    "native, finite on/off ratio": on_native(reference=ReferenceSpec(on_off_ratio=5.0)),
    "native, reads through converters": on_native(reads=ReadSpec()),
    "native, jump table": on_table(),
    "native, jump tables in pairs": on_table(ReferenceSpec(scheme="differential_pair")),
    "native, charge trap": on_trap(),
    "native, traps in pairs": on_trap(ReferenceSpec(scheme="differential_pair")),
}
