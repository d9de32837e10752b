"""Synapses in simulated devices, in the simulator that the tile's settings ask for."""

from rpu_ssnn.common.errors import require_kind
from rpu_ssnn.devices.device_source import DeviceSource, find_device
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import SynapsesFactory
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses


def device_synapses(
    device: DeviceSource | str, spec: TileSpec, learning_rate: float
) -> SynapsesFactory:
    """Makes synapses in devices for every crossbar of a network.

    Args:
        device: a preset of `device_presets`, for example, or the name of one.
        spec: the simulator, weight range, reference, reads, initial writing, further physics.
        learning_rate: the equivalent of the rate of float weights, which thinning realises.

    Raises:
        InputError: there is no such device, or an argument has another type. The function that is
            returned raises it if the simulator refuses the device (`spec.tile.check_device`).

    >>> import rpu_ssnn
    >>> from device_presets import get_preset
    >>> tile = rpu_ssnn.TileSpec(weight_range=4.0, simulator="native")
    >>> factory = rpu_ssnn.device_synapses(get_preset("capacitor"), tile, learning_rate=4.0)
    >>> network, training = rpu_ssnn.NetworkSpec(hidden=(8,), T=10), rpu_ssnn.TrainingSpec(epochs=1)
    >>> data = rpu_ssnn.load_dataset("digits", n_train=50, n_test=10, validation_share=0.1, seed=0)
    >>> with rpu_ssnn.train(network, training, factory, data, seed=0) as trained:
    ...     trained.statistics()["devices_total"]
    592.0
    """
    source = find_device(device)
    require_kind("device_synapses", "spec", spec, TileSpec)
    synapses = NativeSynapses if spec.simulator == "native" else TileSynapses
    return lambda crossbar: synapses(crossbar, source, spec, learning_rate)
