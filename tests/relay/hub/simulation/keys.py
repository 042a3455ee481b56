"""Keys of simulated validators, and signatures that cost one hash: nothing in a schedule forges any."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256, sha512

from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.tendermint.types import KeyType, PublicKey

real_public_key_of = secp256k1.public_key_of


@cache
def secret_of(number: int) -> bytes:
    return sha256(b"simulated validator %d" % number).digest()


@cache
def public_key_of(number: int) -> PublicKey:
    return PublicKey(KeyType.SECP256K1, _public(secret_of(number)))


@cache
def _public(secret: bytes) -> bytes:
    return real_public_key_of(secret)


def _sign(secret: bytes, digest: bytes) -> bytes:
    return sha512(_public(secret) + digest).digest()


def _verify(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    return signature == sha512(public_key + digest).digest()


@contextmanager
def cheap_signatures() -> Iterator[None]:
    """Inside, `secp256k1.sign` and `verify_low_s` are hashes; everything above them is what runs on a hub."""
    before = secp256k1.sign, secp256k1.verify_low_s
    secp256k1.sign, secp256k1.verify_low_s = _sign, _verify
    try:
        yield
    finally:
        secp256k1.sign, secp256k1.verify_low_s = before
