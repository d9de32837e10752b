"""Loops in LLVM instructions (numba intrinsics), each with an equivalent in plain numba.

Both give the same bits (`tests/rpu_ssnn/engine/test_intrinsics.py`). The environment variable
RPU_SSNN_PLAIN selects plain numba (`rpu_ssnn.compiled`). `docs/tried.md` has the speed of both.
"""
