"""Public keys as configurations pin them: what signs with another key is refused."""

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

from hutong.light_clients.crypto import secp256k1

_COMPRESSED = re.compile(r"0[23][0-9a-f]{64}", re.ASCII)

Curve: TypeAlias = Literal["secp256k1", "p256"]
"""Accounts and validators have keys of secp256k1; who issues credentials, and who asks for them, has one of P-256."""


def check_public_key(text: str, curve: Curve) -> str:
    """66 hex digits in lower case, without 0x, of a compressed key.

    Raises:
        ValueError: it is no point of the curve.
    """
    digits = text.removeprefix("0x").lower()
    if _COMPRESSED.fullmatch(digits) is None or not _is_point(bytes.fromhex(digits), curve):
        name = "P-256" if curve == "p256" else curve
        raise ValueError(f"must be a compressed key of {name}: 02 or 03 and 64 hex digits")
    return digits


def _is_point(key: bytes, curve: Curve) -> bool:
    if curve == "secp256k1":
        return secp256k1.decompress(key) is not None
    # Late: only who issues credentials has such a key, and the library of this curve costs every command time.
    from hutong.light_clients.crypto import p256

    return p256.coordinates_of(key) is not None


PublicKeyText = Annotated[str, AfterValidator(lambda text: check_public_key(text, "secp256k1"))]
"""66 hex digits in lower case, without 0x, of a key of secp256k1."""
