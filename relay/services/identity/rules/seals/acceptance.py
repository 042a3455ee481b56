"""What functions of a `CredentialGate` take as their first argument, in ABI form (docs/spec/identity-seal.md)."""

from dataclasses import dataclass
from typing import Any, Final

from hutong.relay.services.identity.rules.organisations.issued import Logged
from hutong.relay.services.identity.rules.records.encoding import HASH_BYTES
from hutong.relay.services.identity.rules.records.log_record import decode_log_entry
from hutong.relay.services.identity.rules.seals.claim_tree import DISCLOSURE_TUPLE, disclose
from hutong.relay.services.identity.rules.seals.presentation import Presentation
from hutong.relay.services.identity.rules.seals.seal import SEAL_TUPLE
from hutong.relay.services.identity.rules.seals.seal_file import SealedCredential
from hutong.relay.services.identity.rules.status.chunk_tree import ChunkProof

LOG_PROOF_TUPLE: Final = "(bytes32,bytes32,uint64,bytes32[])"
ACCEPTANCE_TUPLE: Final = (
    f"({SEAL_TUPLE},bytes32,bytes,{DISCLOSURE_TUPLE}[],bytes32,bytes32[],{LOG_PROOF_TUPLE},uint256,uint64,bytes)"
)
_NOTHING: Final = bytes(HASH_BYTES)
_NOT_LOGGED: Final[tuple[bytes, bytes, int, list[bytes]]] = (_NOTHING, _NOTHING, 0, [])


@dataclass(frozen=True, slots=True)
class Shown:
    """What a wallet shows beside the seal: names of claims in the order that the contract asks for, the chunk of the status,
    and the seal's log entry where the issuer's key has ended."""

    names: tuple[str, ...]
    status: ChunkProof
    logged: Logged | None = None


def acceptance_members(
    sealed: SealedCredential, shown: Shown, presentation: Presentation, holder_signature: bytes
) -> tuple[Any, ...]:
    """The struct of ABI values, `ACCEPTANCE_TUPLE`.

    Raises:
        MalformedInput: no claim of such a name, or a log entry that is none.
        PredicateFailed: see `claims_are_distinct`.
    """
    return (
        sealed.seal.members(),
        sealed.key_thumbprint,
        sealed.signature,
        [one.members() for one in disclose(sealed.claims, shown.names)],
        shown.status.chunk,
        list(shown.status.siblings),
        _log_members(shown.logged),
        presentation.nonce,
        presentation.deadline_s,
        holder_signature,
    )


def _log_members(logged: Logged | None) -> tuple[Any, ...]:
    if logged is None:
        return _NOT_LOGGED
    credential = decode_log_entry(logged.entry).credential
    named = (_NOTHING, _NOTHING) if credential is None else (credential.key_thumbprint, credential.digest)
    return (*named, logged.index, list(logged.aunts))
