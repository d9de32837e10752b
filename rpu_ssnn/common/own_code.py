"""Runs a user's Python file, such as a device law or an update rule."""

import sys
from types import ModuleType


def run_own_code(name: str, path: str, code: bytes | str) -> ModuleType:
    """Returns the module that a file defines, from its text as it was read and digested.

    Python's own import would read the file again, and leave ``__pycache__`` beside it.

    Args:
        name: what the module is called in ``sys.modules``, where pydantic and pickle look it up.
        path: the file, for tracebacks and for numba's cache.
        code: the text of the file.

    Raises:
        Exception: whatever the code raises, or Python raises when it compiles it.
    """
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    try:
        exec(compile(code, path, "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module
