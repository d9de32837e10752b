"""Loops written in LLVM's instructions by hand, each beside its twin in plain numba.

An intrinsic and its twin give the same bits (`tests/rpu_ssnn/engine/test_intrinsics.py`). The
environment variable RPU_SSNN_PLAIN takes the twin (`rpu_ssnn.compiled`). `docs/tried.md` says what
the intrinsic brings; what brought too little is gone.
"""
