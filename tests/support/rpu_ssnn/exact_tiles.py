"""Makes tiles and native devices with a noiseless constant step, on which every pulse is exact."""

from collections.abc import Callable

from device_presets import get_preset
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses import Crossbar
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from support.rpu_ssnn.native_devices import native

STEP = 2.0**-10
EXACT_DEVICE = {"levels": round(2 / STEP), "w_max": 1.0, "w_min": -1.0}


def on_tile(**tile: object) -> Callable[[Crossbar], TileSynapses]:
    """Returns tiles of the noiseless constant-step device; a coincidence makes one step unless it
    is thinned."""

    def make(crossbar: Crossbar) -> TileSynapses:
        device = get_preset("ideal", EXACT_DEVICE)
        return TileSynapses(crossbar, device, TileSpec(weight_range=4.0, **tile), 1e6)

    return make


def on_native(**tile: object) -> Callable[[Crossbar], NativeSynapses]:
    """Returns the same as `on_tile`, but with native devices."""
    return lambda crossbar: native(get_preset("ideal", EXACT_DEVICE), crossbar, **tile)
