"""What every kind of source does with a signature that something else made: low s, the recovery id, and a check of it.

Tokens and clouds return either s (SoftHSM2 and AWS KMS a high one half of the time) and no recovery id. Sources:
EIP-2 (homestead), SEC 1 section 4.1.6 (recovery).
"""

from hutong.adapters.interface.errors import DocumentUnsupported, SignerFaulty
from hutong.light_clients.crypto import secp256k1
from hutong.relay.keys.documents import JwsInput, SigningDocument
from hutong.relay.keys.source import KeyAlgorithm

_SCALAR_BYTES = 32
_OF_TOKENS = {KeyAlgorithm.SECP256K1: "ES256K", KeyAlgorithm.P256: "ES256", KeyAlgorithm.ED25519: "EdDSA"}


def check_signable(source: str, algorithm: KeyAlgorithm, document: SigningDocument) -> None:
    """Let a document pass that a key of this curve signs: tokens by the algorithm that they name, and nothing else where the
    curve is not that of accounts.

    Args:
        source: its name, for the error.

    Raises:
        DocumentUnsupported: another document, or a token that names another algorithm.
    """
    if not isinstance(document, JwsInput):
        if algorithm is not KeyAlgorithm.SECP256K1:
            raise DocumentUnsupported(source, f"a key of {algorithm} does not sign a {document.kind}")
    elif document.algorithm != _OF_TOKENS[algorithm]:
        raise DocumentUnsupported(source, f"a key of {algorithm} does not sign {document.algorithm[:40]}")


def finished_signature(source: str, public_key: bytes, digest: bytes, r_and_s: bytes) -> bytes:
    """65 bytes r ‖ s ‖ v with low s and v 0 or 1, which recover to `public_key`.

    Args:
        source: its name, for the error.
        public_key: compressed, 33 bytes, of secp256k1.
        digest: 32 bytes.
        r_and_s: 64 bytes, as the signer gave them.

    Raises:
        SignerFaulty: it is not a signature of this key over this digest.
    """
    if len(r_and_s) != 2 * _SCALAR_BYTES:
        raise SignerFaulty(source, f"gave {len(r_and_s)} bytes for a signature, expected {2 * _SCALAR_BYTES}")
    s = int.from_bytes(r_and_s[_SCALAR_BYTES:], "big")
    if secp256k1.HALF_ORDER < s < secp256k1.ORDER:
        r_and_s = r_and_s[:_SCALAR_BYTES] + (secp256k1.ORDER - s).to_bytes(_SCALAR_BYTES, "big")
    for v in (0, 1):
        recovered = secp256k1.recover_public_key(digest, r_and_s + bytes([v]))
        if recovered is not None and secp256k1.compress(recovered) == public_key:
            return r_and_s + bytes([v])
    raise SignerFaulty(source, "gave a signature that is not its key's over this document")


def checked_p256_signature(source: str, public_key: bytes, document: SigningDocument, r_and_s: bytes) -> bytes:
    """The 64 bytes r ‖ s, verified over the document. Of P-256 either s is taken (RFC 7518 §3.4).

    Args:
        source: its name, for the error.
        public_key: compressed, 33 bytes, of P-256.
        r_and_s: 64 bytes, as the signer gave them.

    Raises:
        SignerFaulty: it is not a signature of this key over this document.
    """
    # Late: accounts have keys of another curve, and this library costs every command time.
    from hutong.light_clients.crypto import p256

    if not p256.verify(public_key, document.preimage, r_and_s):
        raise SignerFaulty(source, "gave a signature that is not its key's over this document")
    return r_and_s
