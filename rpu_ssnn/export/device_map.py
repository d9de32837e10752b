"""A trained network as HDF5: every device of every crossbar, not their means.

    description                       JSON: neurons, encoding, input, seed
    crossbar_1/weights                [n_in, n_out] as reads see them (threshold currents)
    crossbar_1/pulses_up, pulses_down [n_in, n_out] coincidences each weight got
    crossbar_1/tile_1/conductance     [n_in, n_out] in units of G_max, 0 to 1 within the range;
                                      conductance_0 and so on of the devices of aihwkit's cells
    crossbar_1/tile_1/reference_conductance    the same of reference devices
    crossbar_1/tile_1/state           the same in device states (nominally -1 to 1)
    crossbar_1/tile_1/lower_bound, upper_bound, step_up, step_down    of each device (states),
                                      without wear; of state + reference where devices have one

and everything else that aihwkit drew for each device, under aihwkit's names. The native simulator
counts pulses up and down together, for each device: crossbar_1/tile_1/pulses. Dimensions are named
`input` and `output`, so that xarray (engine h5netcdf) opens a group as a Dataset. Float weights
have no tiles.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rpu_ssnn.common.errors import require, require_kind
from rpu_ssnn.common.files import refuse_unwritable, user_path, write_together
from rpu_ssnn.common.optional import opened_hdf5, optional_package
from rpu_ssnn.export.description import INSTALL, description, rebuilt, weights_of
from rpu_ssnn.training import Trained

if TYPE_CHECKING:
    import h5py

UNITS = {
    "pulses": "pulses",
    "weights": "threshold currents",
    "pulses_up": "pulses",
    "pulses_down": "pulses",
}
"""The units of arrays; all others except conductances and `WITHOUT_UNIT` are in device states."""

WITHOUT_UNIT = ("decay_scales", "drift_nu", "gamma_", "slope_")
"""The beginnings of aihwkit's names of shares, exponents, and states per state."""


def write_network(path: str | Path, trained: Trained) -> Path:
    """Writes the map, whole or not at all.

    Returns:
        The path.

    Raises:
        InputError: reads have errors, h5py is not installed, or the file does not end in .h5 or
            .hdf5 or cannot be written.
    """
    require_kind("write_network", "trained", trained, Trained, ", which train returns")
    path = user_path("write_network", "path", path)
    refuse_unwritable("write_network", "path", path, (".h5", ".hdf5"))
    h5py = optional_package("h5py", INSTALL, path, "file", path.name)
    weights = weights_of(trained, path)

    def write(temporary: Path) -> None:
        content = io.BytesIO()  # on a full disk, h5py itself would end the process
        with h5py.File(content, "w") as file:
            file.attrs["description"] = description(trained)
            for place, (synapses, matrix) in enumerate(
                zip(trained.network.synapses, weights, strict=True), 1
            ):
                group = file.create_group(f"crossbar_{place}")
                _write(group, {"weights": matrix} | synapses.pulse_counts())
                for number, devices in enumerate(synapses.device_maps(), 1):
                    _write(group.create_group(f"tile_{number}"), devices)
        temporary.write_bytes(content.getvalue())

    write_together("write_network", {path: write})
    return path


def read_network(path: str | Path) -> Trained:
    """Returns the network of a map, with the weights that its devices stood for.

    It answers like the trained one (`Trained.accuracy`), but has no devices.

    Raises:
        InputError: there is no such file, or `write_network` did not write it.
    """
    path = user_path("read_network", "path", path)
    allowed = "must be a map of devices that this project wrote"
    with opened_hdf5(path, INSTALL, allowed) as file:
        require("description" in file.attrs, path, "description", None, allowed)
        crossbars = sum(name.startswith("crossbar_") for name in file)
        weights = [file[f"crossbar_{place + 1}/weights"] for place in range(crossbars)]
        return rebuilt(str(file.attrs["description"]), weights, path)


def _write(group: "h5py.Group", arrays: Mapping[str, np.ndarray]) -> None:
    shape = next(iter(arrays.values())).shape
    for name, size in zip(("input", "output"), shape, strict=True):
        group[name] = np.arange(size)
        group[name].make_scale(name)
    for name, values in arrays.items():
        made = group.create_dataset(name, data=values, compression="gzip")
        unit = "1" if name.startswith(WITHOUT_UNIT) else "device states"
        made.attrs["units"] = "G_max" if "conductance" in name else UNITS.get(name, unit)
        for axis, scale in enumerate(("input", "output")):
            made.dims[axis].attach_scale(group[scale])
