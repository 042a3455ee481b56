"""Registrations of generated persons, each with a key of its own and its signature; made before anything is timed."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from multiprocessing import get_context

from hutong.light_clients.crypto import keccak256, secp256k1
from hutong.relay.services.identity.rules.persons.person import Control
from hutong.relay.services.identity.rules.persons.registering import Registration, encode_registrations
from hutong.relay.services.identity.rules.persons.signed import compact_form, registration_digests

BATCH = 760
"""As many as fit a transaction of 128 KiB beside the edge."""


def account_of(secret: bytes) -> bytes:
    """The account of a key."""
    point = secp256k1.decompress(secp256k1.public_key_of(secret))
    if point is None:
        raise ValueError("a key without a point")
    return keccak256(b"".join(number.to_bytes(32, "big") for number in point))[-20:]


def batch_of(asked: tuple[str, bytes, int, range]) -> bytes:
    """Encoded registrations of some persons by number, with commitments of random bytes.

    Args:
        asked: hub's name, registrar's DID, shard, numbers.
    """
    hub, registrar, shard, numbers = asked
    people, secrets = [], []
    for number in numbers:
        secret, random = (sha256(b"%s of person %d" % (what, number)).digest() for what in (b"key", b"salt"))
        secrets.append(secret)
        people.append((Control(account_of(secret), sha256(secret).digest(), sha256(random).digest()), random[:16]))
    digests = registration_digests(hub, (registrar, shard), people)
    return encode_registrations(
        [
            Registration(control, salt, compact_form(secp256k1.sign_recoverable(secret, digest)))
            for (control, salt), secret, digest in zip(people, secrets, digests, strict=True)
        ]
    )


def batches(hub: str, registrar: bytes, size: int, processes: int = 2) -> Iterator[bytes]:
    """Of `size` persons of shard 0, in order."""
    asked: Sequence[tuple[str, bytes, int, range]] = [
        (hub, registrar, 0, range(first, min(first + BATCH, size))) for first in range(0, size, BATCH)
    ]
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(batch_of, asked)
