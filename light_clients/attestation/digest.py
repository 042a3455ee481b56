"""What an attestor signs: an EIP-712 digest that binds version, kind, both ends and the data (docs/spec/attestation.md)."""

from collections.abc import Iterable
from functools import lru_cache

from hutong.light_clients.attestation.types import SIGNATURE_BYTES, AttestationKind, ClientState, DigestForm, Scope
from hutong.light_clients.crypto import keccak256, recover_eth_address, secp256k1, sha256
from hutong.light_clients.interface import MalformedInput

FORMAT_VERSION = "1"
DOMAIN_NAME = "hutong attestation"
_SCOPE_TYPE = (
    b"Scope(string sourceChainId,bytes sourceRouter,string destinationChainId,bytes destinationRouter,"
    b"string destinationClientId)"
)
SCOPE_TYPE_HASH = keccak256(_SCOPE_TYPE)
ATTESTATION_TYPE_HASH = keccak256(b"Attestation(Scope scope,uint8 kind,bytes data)" + _SCOPE_TYPE)
DOMAIN_SEPARATOR = keccak256(
    keccak256(b"EIP712Domain(string name,string version)")
    + keccak256(DOMAIN_NAME.encode())
    + keccak256(FORMAT_VERSION.encode())
)
_V_OFFSET = 27


@lru_cache(maxsize=256)
def scope_hash(scope: Scope) -> bytes:
    """EIP-712 `hashStruct` of the scope: each field is hashed, so that no byte can move between two of them."""
    fields = (
        scope.source_chain_id.encode(),
        scope.source_router,
        scope.destination_chain_id.encode(),
        scope.destination_router,
        scope.destination_client_id.encode(),
    )
    return keccak256(SCOPE_TYPE_HASH + b"".join(map(keccak256, fields)))


def attestation_struct(scope: Scope, kind: AttestationKind, data: bytes) -> bytes:
    """EIP-712 `hashStruct` of an attestation, 32 bytes; with DOMAIN_SEPARATOR it is what is signed in the scoped form."""
    return keccak256(ATTESTATION_TYPE_HASH + scope_hash(scope) + kind.to_bytes(32, "big") + keccak256(data))


def attestation_digest(scope: Scope, kind: AttestationKind, data: bytes) -> bytes:
    """The 32 bytes that are signed in the scoped form (EIP-712), which binds both ends, the kind and the data."""
    return keccak256(b"\x19\x01" + DOMAIN_SEPARATOR + attestation_struct(scope, kind, data))


def public_digest(kind: AttestationKind, data: bytes) -> bytes:
    """What attestors of the public `attestations` client sign: SHA-256 of the kind's tag and the SHA-256 of the data.

    Source: cosmos/ibc-go modules/light-clients/attestations, solidity-ibc-eureka light-clients/attestation. It binds no
    chain, router or client: a signature is good at every client with the same keys.
    """
    return sha256(bytes([kind]) + sha256(data))


def signing_digest(client: ClientState, kind: AttestationKind, data: bytes) -> bytes:
    """The 32 bytes that this client's attestors sign.

    The public form has neither rotations nor state roots, which are always scoped.
    """
    if client.digest_form is DigestForm.PUBLIC and kind in (AttestationKind.STATE, AttestationKind.PACKETS):
        return public_digest(kind, data)
    return attestation_digest(client.scope, kind, data)


def sign_digest(private_key: bytes, digest: bytes) -> bytes:
    """65 bytes r ‖ s ‖ v over a digest of 32 bytes, low s, v 27 or 28; by an attestor, never by a verifier.

    Raises:
        ValueError: a secret that is not 32 bytes in range, or a digest of another length.
    """
    signature = secp256k1.sign_recoverable(private_key, digest)
    return signature[:-1] + bytes([signature[-1] + _V_OFFSET])


def recover_attestor(digest: bytes, signature: bytes) -> bytes | None:
    """The signer's address; None where the length is not 65, v not 27 or 28, s high, or no key fits."""
    if len(signature) != SIGNATURE_BYTES or signature[-1] not in (_V_OFFSET, _V_OFFSET + 1):
        return None
    return _recovered(digest, signature)


@lru_cache(maxsize=4096)
def _recovered(digest: bytes, signature: bytes) -> bytes | None:
    """The same signature is judged when it is asked for, brought, simulated and executed: both inputs say all of it."""
    return recover_eth_address(digest, signature[:-1] + bytes([signature[-1] - _V_OFFSET]))


def in_signer_order(digest: bytes, signatures: Iterable[bytes]) -> tuple[bytes, ...]:
    """Signatures over `digest` as an attestation carries them: ascending by signer, one of each.

    Raises:
        MalformedInput: a signature that recovers to nobody. Whether signers are attestors is not asked here.
    """
    by_signer: dict[bytes, bytes] = {}
    for signature in signatures:
        signer = recover_attestor(digest, signature)
        if signer is None:
            raise MalformedInput("signature", "is no signature r, s, v with low s and v 27 or 28", got=signature)
        by_signer.setdefault(signer, signature)
    return tuple(by_signer[signer] for signer in sorted(by_signer))
