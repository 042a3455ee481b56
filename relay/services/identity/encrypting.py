"""Answers encrypted to a verifier (RFC 7516): the one-time key and the nonce are drawn by the library, so this is no rule."""

from typing import Any

from joserfc import jwe
from joserfc.jwk import ECKey

from hutong.relay.services.identity.rules.jose import encode_base64url
from hutong.relay.services.identity.rules.jose.jwe import KEY_AGREEMENT, MAX_PLAINTEXT_BYTES, Encryption
from hutong.relay.services.identity.rules.openid4vp.client_metadata import EncryptionKey


def encrypt_to(recipient: EncryptionKey, plaintext: bytes, encryption: Encryption, *, party_info: bytes = b"") -> str:
    """The compact form under ECDH-ES, which `judge_jwe` takes.

    Args:
        party_info: `apu`, where the format of the credential demands one.

    Raises:
        ValueError: more than a verifier takes, a bug of the caller.
    """
    if len(plaintext) > MAX_PLAINTEXT_BYTES:
        raise ValueError(f"a plaintext of {len(plaintext)} bytes, more than {MAX_PLAINTEXT_BYTES}")
    header: dict[str, Any] = {"alg": KEY_AGREEMENT, "enc": encryption.value, "kid": recipient.kid}
    if party_info:
        header["apu"] = encode_base64url(party_info)
    registry = jwe.JWERegistry(algorithms=[KEY_AGREEMENT, encryption.value])
    key: Any = ECKey.import_key({**recipient.key.public_jwk()})  # type: ignore[dict-item]  # joserfc names each member
    return jwe.encrypt_compact(header, plaintext, key, registry=registry)
