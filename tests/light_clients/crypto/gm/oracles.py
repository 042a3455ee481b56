"""Other authors' SM2: gmalg in plain Python, and Tongsuo (OpenSSL's fork) by tongsuopy. They judge ours; nothing else asks them."""

from typing import Any

import gmalg

from hutong.light_clients.crypto import gm


def gmalg_key(pair: gm.KeyPair, identifier: bytes = gm.DEFAULT_IDENTIFIER) -> gmalg.SM2:
    return gmalg.SM2(pair.private_key, identifier, b"\4" + pair.public_key)


def gmalg_verify(
    public_key: bytes, message: bytes, signature: bytes, identifier: bytes = gm.DEFAULT_IDENTIFIER
) -> bool:
    """15 a second."""
    return bool(gmalg.SM2(uid=identifier, pk=b"\4" + public_key).verify(message, signature[:32], signature[32:]))


def tongsuo_public(public_key: bytes) -> Any:
    from tongsuopy.crypto.asymciphers import ec

    x, y = (int.from_bytes(half, "big") for half in (public_key[:32], public_key[32:]))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SM2()).public_key()


def tongsuo_private(private_key: bytes) -> Any:
    from tongsuopy.crypto.asymciphers import ec

    return ec.derive_private_key(int.from_bytes(private_key, "big"), ec.SM2())


def tongsuo_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """With the standard's own identifier alone."""
    from tongsuopy.crypto import hashes
    from tongsuopy.crypto.asymciphers import ec
    from tongsuopy.crypto.exceptions import InvalidSignature

    try:
        encoded = gm.signature_to_der(signature)
        tongsuo_public(public_key).verify(encoded, message, ec.ECDSA(hashes.SM3()))
    except (InvalidSignature, ValueError):
        return False
    return True


def tongsuo_sign(private_key: bytes, message: bytes) -> bytes:
    from tongsuopy.crypto import hashes
    from tongsuopy.crypto.asymciphers import ec

    return gm.signature_from_der(tongsuo_private(private_key).sign(message, ec.ECDSA(hashes.SM3())))
