"""Signatures of seals and of their presentations: by an account of secp256k1, or a seal's by a P-256 key.

65 bytes r ‖ s ‖ v, s in the lower half, v 27 or 28; of P-256 64 bytes r ‖ s, s in the lower half, over the same digest.
"""

from typing import Final

from hutong.light_clients.crypto import recover_eth_address, secp256k1
from hutong.light_clients.interface import MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, KeyRecord
from hutong.relay.services.identity.rules.seals.presentation import Presentation, presentation_digest
from hutong.relay.services.identity.rules.seals.seal import SPEC, Seal, seal_digest

SIGNATURE_BYTES: Final = 65
P256_SIGNATURE_BYTES: Final = 64
_V_OFFSET: Final = 27
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def sign_account(private_key: bytes, digest: bytes) -> bytes:
    """65 bytes r ‖ s ‖ v over a digest of 32 bytes; by an issuer or a wallet, never by a verifier.

    Raises:
        ValueError: a secret that is not 32 bytes in range, or a digest of another length.
    """
    signed = secp256k1.sign_recoverable(private_key, digest)
    return signed[:64] + bytes([signed[64] + _V_OFFSET])


def recovered_account(digest: bytes, signature: bytes) -> bytes | None:
    """The account that signed; None where the signature has another form, a high s, or recovers to nobody."""
    if len(signature) != SIGNATURE_BYTES or signature[64] not in (_V_OFFSET, _V_OFFSET + 1):
        return None
    return recover_eth_address(digest, signature[:64] + bytes([signature[64] - _V_OFFSET]))


def is_signed_by_p256(x: bytes, y: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the key with these coordinates signed the digest, with a low s.

    Raises:
        ModuleNotFoundError: the extra `identity` is not installed.
    """
    # of secp256k1 alone an auditor judges without a library of P-256
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    if len(signature) != P256_SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if s > P256_ORDER // 2:
        return False
    try:
        point = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
        point.public_key().verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(SHA256())))
    except (InvalidSignature, ValueError):
        return False
    return True


def low_s_p256(r: int, s: int) -> bytes:
    """A P-256 signature as seals have it: r ‖ s, with s or its complement, whichever is in the lower half.

    Raises:
        MalformedInput: r or s out of the order's range.
    """
    if not (0 < r < P256_ORDER and 0 < s < P256_ORDER):
        raise MalformedInput("seal.signature", "r and s are above zero and below the order of P-256")
    return r.to_bytes(32, "big") + min(s, P256_ORDER - s).to_bytes(32, "big")


@rule(SPEC)
def seal_is_signed(seal: Seal, signature: bytes, key: KeyRecord) -> bytes:
    """The issuer's key signed the seal. Returns the digest, by which the issuance log names it.

    Raises:
        PredicateFailed: it did not, or the key's algorithm signs no seals.
    """
    digest = seal_digest(seal)
    if key.key.algorithm is KeyAlgorithm.ES256:
        signed = is_signed_by_p256(key.key.x, key.key.y, digest, signature)
    else:
        signed = key.key.algorithm is KeyAlgorithm.ES256K and recovered_account(digest, signature) == key.account
    if not signed:
        raise PredicateFailed("seal_is_signed", "another key signed, or another seal", got=signature)
    return digest


@rule(SPEC)
def holder_signed(seal: Seal, presentation: Presentation, signature: bytes) -> None:
    """The holder's key signed this presentation of this seal.

    Raises:
        PredicateFailed: another seal, another gate, chain, caller, nonce, deadline or call, or another key.
    """
    if presentation.seal_digest != seal_digest(seal):
        raise PredicateFailed("holder_signed", "of another seal", presentation.seal_digest, seal_digest(seal))
    found = recovered_account(presentation_digest(presentation), signature)
    if found != seal.holder:
        raise PredicateFailed("holder_signed", "another key signed", got=found or "nobody", expected=seal.holder)
