"""Files that organisations sign under SM2, judged by proven records alone: whose key it was, and whether it counts.

Nothing dates a file: there is no log of them. So a signature is good for as long as its key is.
"""

from dataclasses import dataclass, field
from typing import Final

from hutong.light_clients.crypto import gm
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules.organisations.issued import key_counts, key_is_for
from hutong.relay.services.identity.rules.organisations.resolving import ProvenDid
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, KeyPurpose, KeyRecord, KeyState

SPEC: Final = "docs/spec/identity-records.md"


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file and r ‖ s (64 bytes) over it by a signer of this identifier."""

    content: bytes = field(repr=False)
    signature: bytes
    identifier: bytes = gm.DEFAULT_IDENTIFIER


@rule(f"{SPEC}, GB/T 32918.2")
def file_is_signed_by_the_did(signer: ProvenDid, signed: SignedFile) -> bytes:
    """One of the DID's keys of SM2, good or ended, signed it. Returns its thumbprint.

    Raises:
        PredicateFailed: none did.
        GmNotInstalled: the extra is not there.
    """
    for print_of, record in sorted(signer.keys.items()):
        key = record.key
        if key.algorithm is KeyAlgorithm.SM2 and gm.verify(
            key.x + key.y, signed.content, signed.signature, signed.identifier
        ):
            return print_of
    raise PredicateFailed(
        "file_is_signed_by_the_did", "no key of SM2 of the DID signed this file under this identifier", signer.did
    )


@rule(SPEC)
def key_has_not_ended(record: KeyRecord) -> None:
    """The key is active: nothing shows when a file was signed, so one under a key that has ended may be a thief's.

    Raises:
        PredicateFailed: it is retired or compromised.
    """
    if record.end.state is not KeyState.ACTIVE:
        raise PredicateFailed("key_has_not_ended", "nothing dates a file", record.end.state.name.lower(), "active")


def judge_signed_file(judge: Judge, signer: ProvenDid, time_s: int, signed: SignedFile) -> bytes:
    """Every rule of a file's signature, at the time of the header under which the records stand; the key's thumbprint.

    Raises:
        PredicateFailed: the first rule that does not hold.
        GmNotInstalled: the extra is not there.
    """
    print_of = judge(file_is_signed_by_the_did, signer, signed)
    record = signer.keys[print_of]
    judge(key_is_for, record, KeyPurpose.SIGNING)
    judge(key_has_not_ended, record)
    judge(key_counts, record, time_s)
    return print_of


@rule(SPEC)
def did_has_a_key_to_seal_to(reader: ProvenDid, time_s: int) -> tuple[bytes, KeyRecord]:
    """A key of SM2 for `seal` that counts at this time: the one that was added last. Returns it with its thumbprint.

    Raises:
        PredicateFailed: there is none.
    """
    found = [
        (record.added.height, print_of, record)
        for print_of, record in reader.counting_at(time_s).items()
        if record.key.algorithm is KeyAlgorithm.SM2 and record.has(KeyPurpose.SEAL)
    ]
    if not found:
        raise PredicateFailed("did_has_a_key_to_seal_to", "no key of SM2 for seal counts at this time", got=time_s)
    _, print_of, record = max(found, key=lambda one: one[:2])
    return print_of, record
