"""Inputs of every precompile for the self-test: accepted, refused, and at the edges. Expected results are py-evm's own.

Where ours differs on purpose (MODEXP of version 3) the result is stated here.
"""

from functools import cache

from eth.precompiles.point_evaluation import TRUSTED_SETUP_PATH
from eth.vm.forks.prague.computation import PragueComputation
from py_ecc import optimized_bls12_381 as bls
from py_ecc import optimized_bn128 as bn

from hutong.light_clients.crypto import keccak256, secp256k1, sha256
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.self_test import precompile_verdict
from tests.light_clients.crypto.test_bls import G1_OUTSIDE_SUBGROUP, G2_OUTSIDE_SUBGROUP

WORD = 32
TOP = b"\xff" * WORD
BLS_FIELD = bls.field_modulus
BLS_ORDER = bls.curve_order
BLAKE_STATE = bytes.fromhex(
    "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b"
)
"""EIP-152's test vectors: the state and message of BLAKE2b-512 of "abc"."""
BLAKE_BLOCK = b"abc".ljust(128, b"\0")
BLAKE_OFFSET = (3).to_bytes(8, "little") + bytes(8)


def word(number: int) -> bytes:
    return number.to_bytes(WORD, "big")


def signatures():
    secret, digest = keccak256(b"a precompile's signer"), sha256(b"hutong")
    signed = secp256k1.sign_recoverable(secret, digest)
    r, s, v = signed[:32], signed[32:64], signed[64]
    high = word(secp256k1.ORDER - int.from_bytes(s, "big"))
    order = word(secp256k1.ORDER)
    good = digest + word(27 + v) + r + s
    yield "valid", good
    yield "the other v", digest + word(28 - v) + r + s
    yield "high s", digest + word(28 - v) + r + high
    yield "bytes that follow", good + b"\x01"
    yield "one byte short", good[:-1]
    yield "empty", b""
    yield "v = 0", digest + word(v) + r + s
    yield "v = 29", digest + word(29) + r + s
    yield "v = 27 + 2^8", digest + word(27 + 256) + r + s
    yield "r = 0", digest + word(27) + bytes(WORD) + s
    yield "s = 0", digest + word(27) + r + bytes(WORD)
    yield "r = order", digest + word(27) + order + s
    yield "s = order", digest + word(27) + r + order
    yield "no point has x = 5", digest + word(27) + word(5) + s


def hashed():
    for size in (0, 1, 31, 32, 55, 56, 64, 119, 200):
        yield f"{size} bytes", bytes(range(size))


def exponents():
    def of(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
        return word(len(base)) + word(len(exponent)) + word(len(modulus)) + base + exponent + modulus

    yield "3^2 mod 5", of(b"\3", b"\2", b"\5")
    yield "Fermat in the field of secp256k1", of(b"\3", word(2**256 - 2**32 - 978), word(2**256 - 2**32 - 977))
    yield "0^0 mod 5 with a base of one byte", of(b"\0", b"\0", b"\5")
    yield "empty base to the power of 0 mod 5", of(b"", b"", b"\5")
    yield "empty base to the power of 2 mod 5", of(b"", b"\2", b"\5")
    yield "mod 0", of(b"\3", b"\2", b"\0")
    yield "mod 1", of(b"\3", b"\0", b"\1")
    yield "empty modulus", of(b"\3", b"\2", b"")
    yield "modulus cut short", word(1) + word(1) + word(2) + b"\3\2\5"
    yield "33-byte exponent", of(b"\2", b"\1" + bytes(32), b"\xfb")
    yield "lengths alone", word(1) + word(1) + word(1)
    yield "empty", b""


def bn_1(point) -> bytes:
    x, y = bn.normalize(point)
    return word(int(x)) + word(int(y))


def bn_2(point) -> bytes:
    x, y = bn.normalize(point)
    return b"".join(word(int(part)) for part in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))


def bn_additions():
    one = bn_1(bn.G1)
    yield "two points", one + bn_1(bn.multiply(bn.G1, 2))
    yield "doubling", one + one
    yield "opposites", one + bn_1(bn.neg(bn.G1))
    yield "infinity", one + bytes(64)
    yield "empty", b""
    yield "cut short", one[:63]
    yield "off the curve", word(1) + word(1)
    yield "x not below the modulus", word(bn.field_modulus) + word(2)


def bn_products():
    one = bn_1(bn.G1)
    for name, factor in (("0", 0), ("1", 1), ("the order", bn.curve_order), ("2^256 - 1", 2**256 - 1)):
        yield f"by {name}", one + word(factor)
    yield "infinity", bytes(64) + word(7)
    yield "empty", b""
    yield "off the curve", word(1) + word(1) + word(2)


def bn_pairings():
    one, two = bn_1(bn.G1), bn_2(bn.G2)
    yield "true", one + two + bn_1(bn.neg(bn.G1)) + two
    yield "false", one + two
    yield "empty", b""
    yield "191 bytes", bytes(191)
    yield "first point off the curve", word(1) + word(1) + two
    yield "second point off the curve", one + word(1) * 4


def blake_rounds():
    def of(rounds: int, final: int) -> bytes:
        return rounds.to_bytes(4, "big") + BLAKE_STATE + BLAKE_BLOCK + BLAKE_OFFSET + bytes([final])

    yield "EIP-152 vector 4, 0 rounds", of(0, 1)
    yield "EIP-152 vector 5, 12 rounds", of(12, 1)
    yield "EIP-152 vector 6, not final", of(12, 0)
    yield "EIP-152 vector 7, 1 round", of(1, 1)
    yield "flag 2", of(12, 2)
    yield "212 bytes", of(12, 1)[:-1]
    yield "214 bytes", of(12, 1) + b"\0"
    yield "empty", b""


def evaluations():
    """The polynomials p(x) = 0 and p(x) = x, whose quotient at any point is 1."""
    with open(TRUSTED_SETUP_PATH) as file:
        lines = file.read().split()
    monomials = lines[-4096:]
    x = bytes.fromhex(monomials[1])
    one = bytes.fromhex(monomials[0])
    infinity = b"\xc0" + bytes(47)

    def of(z: int, y: int, commitment: bytes, proof: bytes) -> bytes:
        return b"\1" + sha256(commitment)[1:] + word(z) + word(y) + commitment + proof

    yield "p(3) = 3 for p(x) = x", of(3, 3, x, one)
    yield "p(3) = 4 for p(x) = x", of(3, 4, x, one)
    yield "p(0) = 0 for p = 0", of(0, 0, infinity, infinity)
    yield "z not below the order", of(BLS_ORDER, 0, infinity, infinity)
    yield "commitment is no point", of(0, 0, b"\1" * 48, infinity)
    yield "proof outside the subgroup", of(3, 3, x, G1_OUTSIDE_SUBGROUP)
    yield "another versioned hash", b"\2" + of(3, 3, x, one)[1:]
    yield "191 bytes", of(3, 3, x, one)[:-1]
    yield "193 bytes", of(3, 3, x, one) + b"\0"
    yield "empty", b""


def fp(number: int) -> bytes:
    return number.to_bytes(64, "big")


def bls_1(point) -> bytes:
    x, y = bls.normalize(point)
    return fp(int(x)) + fp(int(y))


def bls_2(point) -> bytes:
    x, y = bls.normalize(point)
    return b"".join(fp(int(part)) for part in (*x.coeffs, *y.coeffs))


@cache
def outside(group: int) -> bytes:
    """A point on the curve that is not in the subgroup: the one of the signature tests, written out."""
    from py_ecc.bls.point_compression import decompress_G1, decompress_G2

    if group == 1:
        return bls_1(decompress_G1(int.from_bytes(G1_OUTSIDE_SUBGROUP, "big")))
    halves = G2_OUTSIDE_SUBGROUP[:48], G2_OUTSIDE_SUBGROUP[48:]
    return bls_2(decompress_G2(tuple(int.from_bytes(half, "big") for half in halves)))


def bls_additions(group: int):
    encode, point = (bls_1, bls.G1) if group == 1 else (bls_2, bls.G2)
    one = encode(point)
    yield "two points", one + encode(bls.multiply(point, 2))
    yield "doubling", one + one
    yield "opposites", one + encode(bls.neg(point))
    yield "infinity", one + bytes(len(one))
    yield "outside the subgroup", one + outside(group)
    yield "off the curve", one + fp(1) * (len(one) // 64)
    yield "x not below the modulus", fp(BLS_FIELD) + one[64:] + one
    yield "top bytes not zero", b"\1" + one[1:] + one
    yield "one byte short", (one + one)[:-1]
    yield "empty", b""


def bls_sums(group: int):
    encode, point = (bls_1, bls.G1) if group == 1 else (bls_2, bls.G2)
    one = encode(point)
    yield "by 0", one + word(0)
    yield "two products", one + word(2) + encode(bls.multiply(point, 3)) + word(5)
    yield "by 2^256 - 1", one + TOP
    yield "outside the subgroup", outside(group) + word(1)
    yield "off the curve", fp(1) * (len(one) // 64) + word(1)
    yield "one byte short", (one + word(1))[:-1]
    yield "empty", b""


def bls_pairings():
    """Without a false one of two points: each node pays for these at its start, and this one takes a third of a second."""
    one, two = bls_1(bls.G1), bls_2(bls.G2)
    yield "true", one + two + bls_1(bls.neg(bls.G1)) + two
    yield "infinity", bytes(384)
    yield "first point outside the subgroup", outside(1) + two
    yield "second point outside the subgroup", one + outside(2)
    yield "first point off the curve", fp(1) * 2 + two
    yield "one byte short", (one + two)[:-1]
    yield "empty", b""


def bls_maps(group: int):
    rest = (group - 1) * 64
    yield "1", fp(1) + bytes(rest)
    yield "the largest", fp(BLS_FIELD - 1) * group
    yield "not below the modulus", fp(BLS_FIELD) + bytes(rest)
    yield "top bytes not zero", b"\1" + bytes(63 + rest)
    yield "one byte short", bytes(63 + rest)
    yield "empty", b""


INPUTS = {
    0x01: signatures,
    0x02: hashed,
    0x03: hashed,
    0x04: hashed,
    0x05: exponents,
    0x06: bn_additions,
    0x07: bn_products,
    0x08: bn_pairings,
    0x09: blake_rounds,
    0x0A: evaluations,
    0x0B: lambda: bls_additions(1),
    0x0C: lambda: bls_sums(1),
    0x0D: lambda: bls_additions(2),
    0x0E: lambda: bls_sums(2),
    0x0F: bls_pairings,
    0x10: lambda: bls_maps(1),
    0x11: lambda: bls_maps(2),
}
"""By the precompile's number."""

OF_VERSION_3 = {
    (0x05, "empty base to the power of 0 mod 5"): "01",
    **{(0x0A, name): "no precompile" for name, _ in evaluations()},
}
"""Where version 3 differs from the fork."""


def expected(rules_version: int, number: int, name: str, data: bytes) -> str:
    stated = OF_VERSION_3.get((number, name)) if rules_version >= rules_versions.BOUNDED_EXECUTION else None
    return stated or precompile_verdict(PragueComputation.get_precompiles().get(word(number)[12:]), data)


def precompile_vectors(rules_version: int) -> list[dict]:
    return [
        {
            "algorithm": "precompile",
            "name": f"precompile 0x{number:02x}: {name}",
            "rules_version": rules_version,
            "number": number,
            "data": data.hex(),
            "expected": expected(rules_version, number, name, data),
        }
        for number, inputs in INPUTS.items()
        for name, data in inputs()
    ]
