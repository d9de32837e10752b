"""User-defined device laws: each is one Python file, identified by the digest of its text.

The file defines ``LAW``, a `Law` whose step is a plain function; see docs/how-to/own_law.md.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import product
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numba.core.errors
import numpy as np
from jaxtyping import Float32

from rpu_ssnn.common.errors import Fault, InputError, one_of, require
from rpu_ssnn.common.files import reason
from rpu_ssnn.common.own_code import run_own_code
from rpu_ssnn.common.wording import listed
from rpu_ssnn.devices.common_parameters import RETENTION, STEP_AND_RANGE, VARIATION
from rpu_ssnn.devices.device_record import RECORD
from rpu_ssnn.devices.fit_form import OWN
from rpu_ssnn.devices.law import Law, Values, number
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.laws import LAWS
from rpu_ssnn.devices.shared import own_step

DIGEST_DIGITS = 16
"""A digest in names and rows has this many hexadecimal digits."""

MOST_HIDDEN = 2


class OwnLaw(NamedTuple):
    """Holds a user-defined law and the numbers of one device, as a tile needs them."""

    law: Law
    numbers: Float32[np.ndarray, " n"]


def find_law(where: str, name: str, digest: str | None = None) -> Law:
    """Returns the law of that name.

    Args:
        where: the place that names the law, for the error.
        name: the name of a law of the package, or the file of a user-defined law (``my_law.py``).
        digest: the digest that the file must have; None allows any.

    Raises:
        InputError: there is no such law, the file is not a law, or it has another digest.
    """
    if name in LAWS:
        return LAWS[name]
    allowed = f"{one_of(LAWS, name)}, or a file such as my_law.py"
    require(name.endswith(".py"), where, "law", name, allowed)
    file = Path(name)
    try:
        code = file.read_bytes()
    except OSError as error:
        raise InputError(where, "law", name, f"must be readable: {reason(error)}") from None
    actual = hashlib.sha256(code).hexdigest()[:DIGEST_DIGITS]
    if digest not in (None, actual):
        raise InputError(where, "law", f"{name}, sha256={actual}", f"must have sha256={digest}")
    return _read(str(file.absolute()), code, actual)


def check_own_step(law: Law, values: Values) -> None:
    """Runs the step of a user-defined law up and down, with the numbers of one device, from states
    between its bounds, without noise and with noise of four deviations.

    Raises:
        InputError: the step raises an error, returns no finite number or another one at the next
            call, changes the device, or goes against its pulse far from the bounds.
    """
    for state, noise in product((0.0, 0.5, 1.0, -0.5, -1.0), (0.0, 4.0, -4.0)):
        weight = abs(state) * number(values, "w_min" if state < 0.0 else "w_max")
        at = f"(here from state {weight:g} with noise {noise:g})"
        allowed = f"must return the change of the state by a pulse, as a finite number {at}"
        try:
            with np.errstate(all="ignore"):
                (up, down), again = (law.own_changes(values, weight, noise) for _ in range(2))
        except InputError:
            raise
        except Exception as error:
            fault = Fault(f"{type(error).__name__}: {error}")
            raise InputError(law.file, "step", fault, allowed) from error
        finite = math.isfinite(up) and math.isfinite(down)
        require(finite, law.file, "step", [up, down], allowed)
        allowed = f"must follow from its arguments alone, and draw no random number {at}"
        require((up, down) == again, law.file, "step", [up, again[0]], allowed)
        allowed = f"must raise the state by a pulse up, and lower it by a pulse down {at}"
        against = abs(state) < 1.0 and noise == 0.0 and (up < 0.0 or down > 0.0)
        require(not against, law.file, "step", [up, down], allowed)


@lru_cache(maxsize=16)
def _read(path: str, code: bytes, digest: str) -> Law:
    """Returns the law of a file, complete and compiled.

    Raises:
        InputError: the file cannot be executed, or its ``LAW`` cannot be used.
    """
    try:
        module = run_own_code(f"own_law_{digest}", path, code)
    except (Exception, SystemExit) as error:
        fault = Fault(f"{type(error).__name__}: {error}")
        allowed = "must be a Python file that can be executed"
        raise InputError(path, "file", fault, allowed) from error
    law = getattr(module, "LAW", None)
    if not isinstance(law, Law):
        raise InputError(path, "LAW", law, "must be an object of rpu_ssnn.devices.Law")
    allowed = f"must hold at most {MOST_HIDDEN} names, each with a number"
    fits = isinstance(law.hidden, Mapping) and len(law.hidden) <= MOST_HIDDEN
    fits = fits and all(isinstance(state, Real) for state in law.hidden.values())
    require(fits, path, "hidden", law.hidden, allowed)
    allowed = "must hold names, each with a LawParameter"
    require(isinstance(law.own, Mapping), path, "own", law.own, allowed)
    taken = {**STEP_AND_RANGE, **VARIATION, **RETENTION, **law.facts}
    for name, parameter in law.own.items():
        is_one = isinstance(parameter, LawParameter) and parameter.kind != "numbers"
        allowed = "must be a LawParameter of one value, under a name that not every law has"
        require(not (name in taken or not is_one), path, "own", name, allowed)
        for field in ("limits", "swept"):
            pair = getattr(parameter, field)
            fits = _is_range(pair) or (field == "swept" and pair is None)
            allowed = "must be two numbers, of which the second is larger"
            require(fits, path, f"own.{name}.{field}", pair, allowed)
        unit, allowed = parameter.unit, 'must be text, such as s, or "1" for a number without unit'
        require(isinstance(unit, str) and unit.strip(), path, f"own.{name}.unit", unit, allowed)
    fields = listed(RECORD.names or ())
    allowed = (
        "must be a function (shared, device, w, up, noise) that numba can compile; a device has "
        f"the fields {fields}"
    )
    require(hasattr(law.step, "__code__"), path, "step", law.step, allowed)
    try:
        compiled = own_step(law.step)
    except Exception as error:  # numba does not wrap all of its internal errors
        # The first line says which part of numba failed; for terminals the text has colours.
        _, _, cause = str(error).partition("\n")
        lines = re.sub(r"\x1b\[\d*m", "", cause or str(error)).strip().splitlines()
        kind = "" if isinstance(error, numba.core.errors.NumbaError) else type(error).__name__ + " "
        returned = r"No conversion from (.+) to float32 for.*"
        words = re.sub(returned, r"it returns \1, not a number", "".join(lines[:1]))
        if (place := getattr(error, "loc", None)) and words.startswith("No implementation"):
            words = f"numba cannot compile line {place.line}"
        raise InputError(path, "step", Fault(kind + words), allowed) from error
    return replace(law, file=path, digest=digest, code=OWN, compiled=compiled)


def _is_range(pair: object) -> bool:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        return False
    return all(isinstance(end, Real) for end in pair) and pair[0] < pair[1]
