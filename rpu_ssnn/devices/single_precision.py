"""Logarithm and exponential in single precision, by polynomials (Cephes), without a branch.

A loop over them becomes vector code, which a loop over the functions of `math` does not.
"""

import numpy as np

from rpu_ssnn.compiled import inner

_F = np.float32
_SQRT_HALF_BITS = np.int32(0x3F3504F3)
"""These are the bits of sqrt(1/2) as a float."""

MOST_EXPONENT = np.float32(80.0)
"""Exponents beyond this, either way, leave the range of single precision (exp(88)) or come
close."""


@inner
def logarithm(x: np.float32) -> np.float32:
    """Returns the natural logarithm of a normal positive float32, to within a rounding or two."""
    bits = np.int32(np.float32(x).view(np.int32) - _SQRT_HALF_BITS)
    e = _F(np.int32(bits >> np.int32(23)))
    m = np.int32((bits & np.int32(0x7FFFFF)) + _SQRT_HALF_BITS).view(np.float32) - _F(1.0)
    z = m * m
    y = _F(7.0376836292e-2)
    y = y * m + _F(-1.1514610310e-1)
    y = y * m + _F(1.1676998740e-1)
    y = y * m + _F(-1.2420140846e-1)
    y = y * m + _F(1.4249322787e-1)
    y = y * m + _F(-1.6668057665e-1)
    y = y * m + _F(2.0000714765e-1)
    y = y * m + _F(-2.4999993993e-1)
    y = y * m + _F(3.3333331174e-1)
    y = y * m * z + e * _F(-2.12194440e-4) - _F(0.5) * z
    return m + y + e * _F(0.693359375)


@inner
def exponential(x: np.float32) -> np.float32:
    """Returns exp(x) of a float32, to within a rounding or two, if that is a normal number."""
    n: np.float32 = np.floor(_F(1.44269504088896341) * x + _F(0.5))
    r = x - n * _F(0.693359375) - n * _F(-2.12194440e-4)
    y = _F(1.9875691500e-4)
    y = y * r + _F(1.3981999507e-3)
    y = y * r + _F(8.3334519073e-3)
    y = y * r + _F(4.1665795894e-2)
    y = y * r + _F(1.6666665459e-1)
    y = y * r + _F(5.0000001201e-1)
    y = y * r * r + r + _F(1.0)
    return y * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
