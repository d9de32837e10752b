"""A device law of a user's own: one file, which is found by its name, and known by its digest."""

from rpu_ssnn.common.errors import PresetError, one_of
from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.laws import LAWS


def find_law(where: str, name: str, digest: str | None = None) -> Law:
    """The law of that name.

    Args:
        where: what asks for it, for the error.
        name: of a law of the package.

    Raises:
        PresetError: there is no such law.
    """
    if name not in LAWS:
        raise PresetError(where, "law", name, one_of(LAWS, name))
    return LAWS[name]
