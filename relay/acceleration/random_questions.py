"""Questions for a differential run: good signatures, one change each, and hashes of any length. By seed and number.

What random inputs never meet (small order, scalars at their bounds) is in the known answers.
"""

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256, shake_256
from typing import Final

from hutong.light_clients.crypto import bls, ed25519, gm, secp256k1
from hutong.light_clients.crypto.engines import Question

MAX_HASHED_BYTES: Final = 2_000
_CHANGED: Final = 64
"""Of 256 first bytes so many give a question with one change: a refusal, nearly always."""


def question(algorithm: str, seed: int, number: int) -> Question:
    """One question of `algorithm`, a name of ALGORITHMS; the same for the same seed and number, but for SM2, which is random.

    Raises:
        KeyError: no differential run is offered for it.
        GmNotInstalled: it is of SM2, whose extra is not there.
    """
    return MADE[algorithm](sha256(f"hutong accel {algorithm} {seed} {number}".encode()).digest())


def _flipped(data: bytes, drawn: bytes) -> bytes:
    at = int.from_bytes(drawn[4:8], "big") % (8 * len(data))
    changed = bytearray(data)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def _is_changed(drawn: bytes) -> bool:
    return drawn[0] < _CHANGED


def _edge(signature: bytes, drawn: bytes) -> bytes:
    """One change of r ‖ s: a bit, a half that is zero or at the order, s negated, or the halves swapped."""
    r, s, order = signature[:32], signature[32:64], secp256k1.ORDER
    kinds = (
        lambda: _flipped(signature[:64], drawn),
        lambda: bytes(32) + s,
        lambda: r + bytes(32),
        lambda: r + (order - int.from_bytes(s, "big")).to_bytes(32, "big"),
        lambda: order.to_bytes(32, "big") + s,
        lambda: r + order.to_bytes(32, "big"),
        lambda: s + r,
        lambda: _flipped(signature[:64], drawn),
    )
    return kinds[drawn[1] % len(kinds)]() + signature[64:]


def _secp256k1_verify(drawn: bytes) -> Question:
    secret, digest = sha256(drawn).digest(), sha256(b"digest" + drawn).digest()
    signature = secp256k1.sign(secret, digest)
    if _is_changed(drawn):
        signature = _edge(signature, drawn)
    return secp256k1.public_key_of(secret), digest, signature


def _secp256k1_recover(drawn: bytes) -> Question:
    secret, digest = sha256(drawn).digest(), sha256(b"digest" + drawn).digest()
    signature = secp256k1.sign_recoverable(secret, digest)
    return digest, _edge(signature, drawn) if _is_changed(drawn) else signature


def _ed25519(drawn: bytes) -> Question:
    secret, message = sha256(drawn).digest(), shake_256(drawn).digest(drawn[2])
    signature = ed25519.sign(secret, message)
    if _is_changed(drawn):
        signature = _flipped(signature, drawn)
    return ed25519.public_key_of(secret), message, signature


def _bls(drawn: bytes) -> Question:
    secrets = [b"\0" + sha256(bytes([number]) + drawn).digest()[1:] for number in range(1 + drawn[2] % 2)]
    signature = bls.sign_aggregate(secrets, drawn)
    if _is_changed(drawn):
        signature = _flipped(signature, drawn)
    return b"".join(map(bls.public_key_of, secrets)), drawn, signature


@cache
def _sm2_key() -> gm.KeyPair:
    return gm.new_key_pair()


def _sm2(drawn: bytes) -> Question:
    key = _sm2_key()
    signature = gm.sign(key, drawn)
    return key.public_key, drawn, _flipped(signature, drawn) if _is_changed(drawn) else signature


def _hashed(drawn: bytes) -> Question:
    return (shake_256(drawn).digest(int.from_bytes(drawn[:2], "big") % MAX_HASHED_BYTES),)


MADE: Final[Mapping[str, Callable[[bytes], Question]]] = {
    "secp256k1 verify": _secp256k1_verify,
    "secp256k1 recover": _secp256k1_recover,
    "ed25519 verify": _ed25519,
    "bls12-381 verify": _bls,
    "sm2 verify": _sm2,
    "keccak256": _hashed,
    "sha256": _hashed,
    "ripemd160": _hashed,
    "sm3": _hashed,
}
"""By algorithm, of 32 drawn bytes."""
