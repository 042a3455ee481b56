"""The key by which a role signs tokens under ES256: a PEM file's in this process, or that of a source elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import trio
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hutong.adapters.interface import SignerUnavailable, SigningFailed
from hutong.light_clients.crypto import p256
from hutong.relay.config import AnyKeyConfig, read_private_file, token_key_problems
from hutong.relay.keys import KeyAlgorithm, KeySource, KeyUnavailable, open_source
from hutong.relay.keys.documents import parse_jws_input
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.rules.jose.jwk import ecdsa_numbers

SIGN_LIMIT_S = 15.0
"""For one signature of a key elsewhere, whatever its source allows itself."""
_ECDSA = ec.ECDSA(SHA256())
_COORDINATE_BYTES = 32
Made = TypeVar("Made")


class TokenKey(Protocol):
    """Signs tokens of JOSE."""

    @property
    def coordinates(self) -> bytes:
        """x ‖ y of its public key, 64 bytes."""

    @property
    def problem(self) -> str | None:
        """Why the last signature was not made; None after one that was."""

    def sign(self, message: bytes) -> bytes:
        """r ‖ s of a signing input. Blocks: see `signed`.

        Raises:
            SigningFailed: the key is elsewhere, and what holds it does not sign.
        """

    async def signed(self, make: Callable[[], Made]) -> Made:
        """What `make` makes by `sign`: in a thread where the key is elsewhere, so that nobody waits for it.

        Raises:
            SigningFailed: as `sign`.
        """

    async def aclose(self) -> None:
        """Let go of what asks elsewhere."""


class TokenKeyInMemory:
    """A key of P-256 in this process."""

    problem = None

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._key = private_key
        numbers = private_key.public_key().public_numbers()
        self.coordinates = b"".join(number.to_bytes(_COORDINATE_BYTES, "big") for number in (numbers.x, numbers.y))

    def sign(self, message: bytes) -> bytes:
        """See `TokenKey`."""
        return ecdsa_numbers(self._key.sign(message, _ECDSA))

    async def signed(self, make: Callable[[], Made]) -> Made:
        """See `TokenKey`. At once: a thread would take longer than the signature."""
        return make()

    async def aclose(self) -> None:
        """Nothing is open."""


class TokenKeyElsewhere:
    """A source's key. `sign` is called in threads that trio started; the source is asked in trio's own."""

    def __init__(self, source: KeySource) -> None:
        """Raises ValueError where the source's key is not of P-256."""
        coordinates = p256.coordinates_of(source.public_key) if source.algorithm is KeyAlgorithm.P256 else None
        if coordinates is None:
            raise ValueError(f"{source.name} has no key of P-256")
        self.coordinates = coordinates
        self.problem: str | None = None
        self._source = source

    def sign(self, message: bytes) -> bytes:
        """See `TokenKey`."""
        return trio.from_thread.run(self._ask, message)

    async def signed(self, make: Callable[[], Made]) -> Made:
        """See `TokenKey`."""
        return await trio.to_thread.run_sync(make)

    async def aclose(self) -> None:
        """See `TokenKey`."""
        await self._source.aclose()

    async def _ask(self, message: bytes) -> bytes:
        try:
            with trio.fail_after(SIGN_LIMIT_S):
                signature = await self._source.sign(parse_jws_input(message))
        except trio.TooSlowError:
            error = SignerUnavailable(self._source.name, f"gave no answer in {SIGN_LIMIT_S:g} s")
            self.problem = str(error)
            raise error from None
        except SigningFailed as error:
            self.problem = str(error)
            raise
        self.problem = None
        return signature


def read_p256_key(path: Path, field_name: str) -> ec.EllipticCurvePrivateKey:
    """A private key in PEM.

    Raises:
        RoleUnusable: no such key.
    """
    try:
        key = load_pem_private_key(read_private_file(path), None)
    except (ValueError, TypeError, OSError, UnsupportedAlgorithm) as error:
        raise RoleUnusable(f"{field_name}: {path} is not a private key in PEM: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RoleUnusable(f"{field_name}: {path} is not a key on P-256")
    return key


def open_token_key(key: Path | AnyKeyConfig, field_name: str) -> TokenKey:
    """The key that a configuration names. Blocks; what holds a key elsewhere is not asked, and may be away.

    Args:
        field_name: the key's place in the configuration, such as `issuer.key`.

    Raises:
        RoleUnusable: a file that is none, or a key that signs no tokens.
    """
    if isinstance(key, Path):
        return TokenKeyInMemory(read_p256_key(key, field_name))
    for problem in token_key_problems(key, field_name):
        raise RoleUnusable(f"{problem.field} {problem.reason}; {problem.remedy}")
    try:
        return TokenKeyElsewhere(open_source(key))
    except (KeyUnavailable, ValueError) as error:
        raise RoleUnusable(f"{field_name}: {error}") from None
