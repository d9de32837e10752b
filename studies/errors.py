"""What the study harness raises."""

from rpu_ssnn.common.errors import InputError as InputError
from rpu_ssnn.common.errors import RpuSsnnError


class TrialsFailedError(RpuSsnnError):
    """Some trials failed; the rows of the others are in the output folder."""
