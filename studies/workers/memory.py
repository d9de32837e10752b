"""Peak memory of a worker process."""

import resource
import sys
from pathlib import Path


def reset_peak_memory() -> None:
    """Resets the peak, so that each trial of a worker has its own; on Linux only."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory_mb() -> float:
    """Peak resident memory of this process (MiB), since the last reset or the start."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        lines = []
    peak = next((line for line in lines if line.startswith("VmHWM:")), None)
    if peak is None:  # another system, or a kernel that does not tell
        scale = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**20
    return int(peak.split()[1]) / 1024
