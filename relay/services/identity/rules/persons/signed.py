"""What a person signs: EIP-712 digests of a registration, a change, a recovery and its cancelling, and compact signatures.

One form of approval on the hub, so that a wallet of any make can show what it signs: the domain is that of organisations'
operations, and the names of the structs tell them apart.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from hutong.light_clients.crypto import keccak256, recover_eth_address
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.services.identity.rules.organisations.approvals import domain_separator
from hutong.relay.services.identity.rules.persons.person import SPEC, Control, Place

REGISTRATION_TYPE: Final = (
    "PersonRegistration(bytes32 registrar,uint64 shard,address account,bytes16 salt,bytes32 next,bytes32 recovery)"
)
CHANGE_TYPE: Final = "PersonChange(bytes32 registrar,uint64 shard,uint64 index,bytes32 leaf,address account,bytes32 next,bytes32 recovery)"
RECOVERY_TYPE: Final = (
    "PersonRecovery(bytes32 registrar,uint64 shard,uint64 index,bytes32 leaf,"
    "address account,bytes32 next,bytes32 recovery,uint64 expires)"
)
CANCEL_TYPE: Final = "PersonRecoveryCancel(bytes32 registrar,uint64 shard,uint64 index,bytes32 record)"
PROOF_REQUEST_TYPE: Final = "PersonProofRequest(bytes32 registrar,uint64 shard,uint64 index,uint64 expires)"
"""Asked of a registrar's service alone; the hub never sees it."""
COMPACT_BYTES: Final = 64
_REGISTRATION, _CHANGE, _RECOVERY, _CANCEL, _PROOF_REQUEST = (
    keccak256(text.encode())
    for text in (REGISTRATION_TYPE, CHANGE_TYPE, RECOVERY_TYPE, CANCEL_TYPE, PROOF_REQUEST_TYPE)
)
_TO_WORD: Final = bytes(12)


@lru_cache(maxsize=16)
def _prefix(hub: str) -> bytes:
    return b"\x19\x01" + domain_separator(hub)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _members(control: Control) -> bytes:
    return _TO_WORD + control.account + control.next_key + control.recovery


def registration_digests(hub: str, shard: tuple[bytes, int], people: Sequence[tuple[Control, bytes]]) -> list[bytes]:
    """What each of `people`, with its salt, signs to be registered in a shard (registrar's DID, number)."""
    prefix = _prefix(hub)
    head, rest = _REGISTRATION + shard[0] + _word(shard[1]) + _TO_WORD, bytes(16)
    return [
        keccak256(prefix + keccak256(b"".join((head, control.account, salt, rest, control.next_key, control.recovery))))
        for control, salt in people
    ]


def _of_place(type_hash: bytes, place: Place) -> bytes:
    return type_hash + place.registrar + _word(place.shard) + _word(place.index)


def change_digest(hub: str, place: Place, leaf: bytes, following: Control) -> bytes:
    """What is signed so that `following` takes the place of what `leaf` commits to."""
    return keccak256(_prefix(hub) + keccak256(_of_place(_CHANGE, place) + leaf + _members(following)))


def recovery_digest(hub: str, place: Place, leaf: bytes, following: Control, expires_s: int) -> bytes:
    """What guardians sign; it may begin a recovery until `expires_s`, Unix seconds."""
    struct = _of_place(_RECOVERY, place) + leaf + _members(following) + _word(expires_s)
    return keccak256(_prefix(hub) + keccak256(struct))


def cancel_digest(hub: str, place: Place, record: bytes) -> bytes:
    """What the present key signs to end a recovery that waits; `record` is the SHA-256 of its value on the hub."""
    return keccak256(_prefix(hub) + keccak256(_of_place(_CANCEL, place) + record))


def proof_request_digest(hub: str, place: Place, expires_s: int) -> bytes:
    """What is signed by whoever asks a registrar for the proof of a person, until `expires_s`, Unix seconds."""
    return keccak256(_prefix(hub) + keccak256(_of_place(_PROOF_REQUEST, place) + _word(expires_s)))


def recoverable_form(compact: bytes) -> bytes:
    """r ‖ s ‖ v of a compact signature (EIP-2098), whose length was checked."""
    return compact[:32] + bytes([compact[32] & 0x7F]) + compact[33:64] + bytes([compact[32] >> 7])


def compact_form(signature: bytes) -> bytes:
    """A low-s signature r ‖ s ‖ v, v 0 or 1, in 64 bytes (EIP-2098)."""
    return signature[:32] + bytes([signature[32] | signature[64] << 7]) + signature[33:64]


@rule(SPEC)
def signed_by(digest: bytes, compact: bytes, account: bytes) -> None:
    """The compact signature over `digest` is that of the account's key.

    Raises:
        PredicateFailed: it recovers to nobody or to another account, or has another length.
    """
    found = recover_eth_address(digest, recoverable_form(compact)) if len(compact) == COMPACT_BYTES else None
    if found != account:
        raise PredicateFailed("signed_by", "the signature is not of the key", got=found, expected=account)
