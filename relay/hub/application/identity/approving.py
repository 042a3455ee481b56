"""Whether those who control a DID approve a call, which is counted once."""

from dataclasses import dataclass, replace

from hutong.light_clients.crypto import keccak256
from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.identity.refusals import NotApproved, WrongSequence
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.services.identity.rules.organisations.approvals import (
    Operation,
    approvals_of,
    operation_digest,
    signatures_are_whole,
    signers_ascend,
)


@dataclass(frozen=True, slots=True)
class Approval:
    """What a caller shows for one call: the DID's sequence, signatures, itself, and what is approved.

    `call` is the Keccak-256 of the selector and of what follows the approval in the call.
    """

    did: bytes
    sequence: int
    signatures: tuple[bytes, ...]
    caller: Address
    call: bytes


def call_hash(selector: bytes, rest: bytes) -> bytes:
    """What `Operation.call` holds: of the selector, and the ABI encoding of the arguments after the approval."""
    return keccak256(selector + rest)


def require_approval(
    registry: Registry, hub_name: str, approval: Approval, quorum: tuple[int, tuple[bytes, ...]]
) -> None:
    """Count an operation that `quorum` (threshold, accounts) approves: the DID's record with its next sequence is written.

    Raises:
        UnknownDid, DidDeactivated, WrongSequence, NotApproved: as their names say.
        VerificationError: a signature of another form, or signers out of order.
    """
    record = registry.did(approval.did)
    if approval.sequence != record.sequence:
        raise WrongSequence(approval.did, approval.sequence, record.sequence)
    signatures_are_whole(approval.signatures)
    operation = Operation(approval.did, record.registered.height, record.sequence, approval.call)
    signers = signers_ascend(operation_digest(hub_name, operation), approval.signatures)
    threshold, accounts = quorum
    count = approvals_of(accounts, signers, approval.caller)
    if count < threshold:
        raise NotApproved(approval.did, count, threshold)
    registry.put_did(approval.did, replace(record, sequence=record.sequence + 1))
