"""A token's place as far as it can be told without asking it, and points of keys in the forms of tokens and configurations."""

from importlib.util import find_spec

from hutong.light_clients.crypto import p256, secp256k1
from hutong.relay.base.extras import install_hint
from hutong.relay.config import Pkcs11Config, UnsafeFile, check_private_file
from hutong.relay.keys.errors import KeyUnavailable
from hutong.relay.keys.source import KeyAlgorithm
from hutong.relay.keys.sources.pkcs11.process import TokenPlace


def place_in(config: Pkcs11Config) -> TokenPlace:
    """The token of a configured key."""
    return TokenPlace(config.module, config.token_label, config.token_serial, config.pin_file)


def checked_place(place: TokenPlace, name: str) -> TokenPlace:
    """The same place.

    Args:
        name: for errors.

    Raises:
        KeyUnavailable: python-pkcs11 is not installed, or library or PIN file cannot be used.
    """
    if find_spec("pkcs11") is None:
        raise KeyUnavailable(name, f"needs the extra pkcs11; {install_hint('pkcs11')}")
    if not place.module.is_file():
        raise KeyUnavailable(name, f"the library {place.module} is not there")
    try:
        check_private_file(place.pin_file)
    except UnsafeFile as error:
        raise KeyUnavailable(name, str(error)) from None
    return place


def uncompressed(algorithm: KeyAlgorithm, public_key: bytes) -> bytes:
    """The point of a compressed key as tokens have it: 65 bytes, 4 ‖ x ‖ y.

    Raises:
        ValueError: no point of the curve has this x.
    """
    if algorithm is KeyAlgorithm.P256:
        coordinates = p256.coordinates_of(public_key)
    else:
        point = secp256k1.decompress(public_key)
        coordinates = None if point is None else b"".join(number.to_bytes(32, "big") for number in point)
    if coordinates is None:
        raise ValueError(f"it is not a key of {algorithm}")
    return b"\x04" + coordinates


def compressed(algorithm: KeyAlgorithm, point: bytes) -> bytes | None:
    """Inverse of `uncompressed`; None where the point is not on the curve."""
    return p256.compress(point[1:]) if algorithm is KeyAlgorithm.P256 else secp256k1.compress(point)
