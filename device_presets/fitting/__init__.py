"""`fit_file` turns a measured pulse train into a preset, with intervals and a verdict.

>>> import tempfile
>>> from pathlib import Path
>>> rows = [(k, "up" if k <= 60 else "down", 10 + min(k, 120 - k) / 4) for k in range(121)]
>>> file = Path(tempfile.mkdtemp()) / "mine.csv"
>>> table = [f"{pulse},{way},{microsiemens}" for pulse, way, microsiemens in rows]
>>> lines = ["pulse,polarity,conductance_uS", *table]
>>> _ = file.write_text(chr(10).join(lines))
>>> fitted = fit_file(file, "my_device")
>>> fitted.measurement.size
'120 pulses in 2 sweeps, 1 device, 1 cycle'
>>> fitted.verdict.describes
True
"""

from device_presets.fitting.fit_file import fit_file
from device_presets.fitting.results.fitted_device import FittedDevice
from device_presets.fitting.results.intervals import Quantity

__all__ = ["FittedDevice", "Quantity", "fit_file"]
