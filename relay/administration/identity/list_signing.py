"""The key that signs a list of issuers: P-256 in a PEM file, or in a key's table in a `.toml` file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from hutong.adapters.interface import SigningFailed
from hutong.relay.administration.errors import Unusable
from hutong.relay.config import ConfigError, load_key_file, token_key_problems
from hutong.relay.config.permissions import UnsafeFile, read_private_file
from hutong.relay.keys import KeySource, KeyUnavailable, open_source
from hutong.relay.keys.documents import parse_jws_input
from hutong.relay.services.identity.rules.exports.signing import Sign

SIGN_LIMIT_S: Final = 30.0
_SCALAR_BYTES: Final = 32
_HOW: Final = ec.ECDSA(SHA256(), deterministic_signing=True)
"""RFC 6979: the same list has the same signature, so that two operators can compare files."""


@dataclass(frozen=True, slots=True)
class ListKey:
    """`public_key` is compressed, 33 bytes. `sign` makes r ‖ s as JWS has it, and raises Unusable where the key is elsewhere
    and does not sign."""

    public_key: bytes
    sign: Sign = field(repr=False)


def read_list_key(file: Path, password_file: Path | None = None) -> ListKey:
    """The key of a PEM file, whose password is in the other one, but for the line break at its end; or of a key file.

    Raises:
        Unusable: one of the files is open to others or cannot be read, or the key is not of P-256.
    """
    if file.suffix == ".toml":
        return _key_elsewhere(file, password_file)
    try:
        password = None if password_file is None else read_private_file(password_file).removesuffix(b"\n")
        key = load_pem_private_key(read_private_file(file), password)
    except UnsafeFile as error:
        raise Unusable(str(error)) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unusable(f"{file} is not a private key in PEM, or its password is another one") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Unusable(f"{file} is not a key of P-256, and lists are signed with ES256")

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, _HOW))
        return r.to_bytes(_SCALAR_BYTES, "big") + s.to_bytes(_SCALAR_BYTES, "big")

    return ListKey(_compressed(key.public_key()), sign)


def _key_elsewhere(file: Path, password_file: Path | None) -> ListKey:
    if password_file is not None:
        raise Unusable(f"{file} is a key's table, which has no password")
    try:
        config = load_key_file(file)
    except ConfigError as error:
        raise Unusable(str(error)) from None
    for problem in token_key_problems(config, "key"):
        raise Unusable(f"{file}: {problem.field} {problem.reason}; {problem.remedy}")
    try:
        source = open_source(config)
    except KeyUnavailable as error:
        raise Unusable(str(error)) from None
    return ListKey(source.public_key, lambda message: trio.run(_signed_once, source, message))


async def _signed_once(source: KeySource, message: bytes) -> bytes:
    try:
        with trio.fail_after(SIGN_LIMIT_S):
            return await source.sign(parse_jws_input(message))
    except SigningFailed as error:
        raise Unusable(str(error)) from None
    except trio.TooSlowError:
        raise Unusable(f"{source.name} gave no answer in {SIGN_LIMIT_S:g} s") from None
    finally:
        with trio.CancelScope(shield=True):
            await source.aclose()


def check_certified(key: ListKey, chain: Sequence[bytes], file: Path) -> None:
    """The first certificate is of this key.

    Raises:
        Unusable: it is of another one.
    """
    certified = x509.load_der_x509_certificate(chain[0]).public_key()
    if not isinstance(certified, ec.EllipticCurvePublicKey) or _compressed(certified) != key.public_key:
        raise Unusable(f"the first certificate of {file} is of another key than the one that signs")


def _compressed(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
