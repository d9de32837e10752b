"""Compiled random numbers by counter: each depends on a key and a counter, and on nothing else.

Draws of one device depend neither on those of another nor on their order, so threads, blocks and
restarts change no number. The words are those of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) at
the position given by the counter. Normal numbers come from the inverse of the distribution in
single precision (Giles, GPU Computing Gems 2, 2011), with a polynomial logarithm (Cephes) and
without branches, so that loops over them become vector code.
"""

import math

import numpy as np

from rpu_ssnn.compiled import inner
from rpu_ssnn.devices.single_precision import logarithm

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""The state of SplitMix64 grows by this number from one output to the next."""

_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_F = np.float32
_TO_UNIT = _F(2.0**-32)
_SQRT_2 = _F(math.sqrt(2.0))


@inner
def random_word(key: np.uint64, counter: np.uint64) -> np.uint64:
    """Returns 64 random bits: the output of SplitMix64 `counter` steps after the state `key`."""
    return mixed(key + counter * GOLDEN)


@inner
def mixed(z: np.uint64) -> np.uint64:
    """Returns the output of SplitMix64 in the state z."""
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@inner
def device_word(key: np.uint64, device: int | np.uint64, number: int | np.uint64) -> np.uint64:
    """Returns 64 random bits for event `number` of a device (both below 2^32)."""
    return random_word(key, (np.uint64(device) << np.uint64(32)) | np.uint64(number))


@inner
def uniform(word: np.uint64) -> np.float64:
    """Returns a number inside (0, 1), in double precision, from the upper half of a word."""
    return (np.float64(word >> np.uint64(32)) + 0.5) * 2.0**-32


@inner
def normal(word: np.uint64) -> np.float32:
    """Returns a standard normal number, within +-6.3, from the upper half of a word."""
    return normal_of_bits(upper_half(word))


@inner
def upper_half(word: np.uint64) -> np.int32:
    """Returns the upper 32 bits of a word."""
    return np.int32(np.int64(word) >> np.int64(32))


@inner
def normal_of_bits(bits: np.int32) -> np.float32:
    """Returns a standard normal number from the upper half of a word, as `normal` does."""
    tail = np.int32(bits ^ (bits >> np.int32(31)))  # the distance from the nearer end
    t = (_F(tail) + _F(0.5)) * _TO_UNIT
    w = -logarithm(_F(4.0) * t * (_F(1.0) - t))
    c = w - _F(2.5)
    p = _F(2.81022636e-08)
    p = p * c + _F(3.43273939e-07)
    p = p * c + _F(-3.5233877e-06)
    p = p * c + _F(-4.39150654e-06)
    p = p * c + _F(0.00021858087)
    p = p * c + _F(-0.00125372503)
    p = p * c + _F(-0.00417768164)
    p = p * c + _F(0.246640727)
    p = p * c + _F(1.50140941)
    c = np.sqrt(max(w, _F(0.0))) - _F(3.0)
    q = _F(-0.000200214257)
    q = q * c + _F(0.000100950558)
    q = q * c + _F(0.00134934322)
    q = q * c + _F(-0.00367342844)
    q = q * c + _F(0.00573950773)
    q = q * c + _F(-0.0076224613)
    q = q * c + _F(0.00943887047)
    q = q * c + _F(1.00167406)
    q = q * c + _F(2.83297682)
    far = (p if w < _F(5.0) else q) * (_F(1.0) - _F(2.0) * t) * _SQRT_2
    return far if bits >= np.int32(0) else -far
