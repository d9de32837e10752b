"""The machine that a trial ran on, in words."""

import functools
import platform
import re
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")  # Linux only


@functools.cache
def machine() -> str:
    """Returns the operating system and the model of the processor.

    Sums of torch and numpy are rounded in an order that depends on the kind of processor.
    """
    return f"{platform.platform()}, {_processor()}"


def _processor() -> str:
    """Returns the model where the system tells it, else the kind."""
    try:
        named = re.search(r"^model name\s*:\s*(.+)$", _CPU_INFO.read_text(), re.MULTILINE)
    except OSError:
        named = None
    return named[1].strip() if named else platform.processor() or platform.machine()
