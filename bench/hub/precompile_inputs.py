"""Valid inputs of every precompile: one that is refused costs little."""

from functools import cache
from itertools import chain

import coincurve
from py_ecc import bls12_381, bn128


@cache
def precompile_input(number: int, variant: int) -> bytes:
    """For the `number`-th precompile from 0x01 on; `variant` chooses among sizes."""
    return _INPUTS[number % len(_INPUTS)](variant)


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def _signature(_: int) -> bytes:
    signature = coincurve.PrivateKey(b"\x07" * 32).sign_recoverable(b"\x0b" * 32, hasher=None)
    return b"\x0b" * 32 + _words(27 + signature[64]) + signature[:64]


def _modexp(variant: int) -> bytes:
    base, exponent, modulus = (
        (32, 32, 32),
        (256, 1, 256),
        (1, 1, 1),
        (64, 600, 64),
        (1024, 3, 1024),
        (8, 256, 8),
        (0, 0, 0),
    )[variant % 7]
    return _words(base, exponent, modulus) + b"\xff" * base + b"\xff" * exponent + b"\xfb" * modulus


def _bn_point(factor: int) -> bytes:
    point = bn128.multiply(bn128.G1, factor)
    return _words(int(point[0].n), int(point[1].n))


def _bn_pairs(variant: int) -> bytes:
    (x, y) = bn128.multiply(bn128.G2, 5)
    twisted = _words(int(x.coeffs[1]), int(x.coeffs[0]), int(y.coeffs[1]), int(y.coeffs[0]))
    return (_bn_point(3) + twisted) * (0, 1, 2, 6)[variant % 4]


def _blake(variant: int) -> bytes:
    return (1, 12, 1_000, 100_000)[variant % 4].to_bytes(4, "big") + bytes(range(208)) + b"\x01"


def _field(number: int) -> bytes:
    return number.to_bytes(64, "big")


def _g1(factor: int) -> bytes:
    point = bls12_381.multiply(bls12_381.G1, factor)
    return _field(int(point[0].n)) + _field(int(point[1].n))


def _g2(factor: int) -> bytes:
    point = bls12_381.multiply(bls12_381.G2, factor)
    return b"".join(map(_field, chain.from_iterable((int(part) for part in axis.coeffs) for axis in point)))


SCALAR = (2**255 - 19).to_bytes(32, "big")
_INPUTS = (
    _signature,
    lambda variant: b"\x02" * (0, 32, 1_000, 40_000)[variant % 4],
    lambda variant: b"\x03" * (0, 32, 1_000, 40_000)[variant % 4],
    lambda variant: b"\x04" * (0, 32, 1_000, 40_000)[variant % 4],
    _modexp,
    lambda _: _bn_point(3) + _bn_point(4),
    lambda _: _bn_point(3) + b"\xff" * 32,
    _bn_pairs,
    _blake,
    lambda _: bytes(192),
    lambda _: _g1(3) + _g1(4),
    lambda variant: (_g1(3) + SCALAR) * (1, 4, 30)[variant % 3],
    lambda _: _g2(3) + _g2(4),
    lambda variant: (_g2(3) + SCALAR) * (1, 4, 16)[variant % 3],
    lambda variant: (_g1(3) + _g2(5)) * (1, 2, 6)[variant % 3],
    lambda _: _field(7),
    lambda _: _field(7) + _field(9),
)
