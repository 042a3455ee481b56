"""A batch of registrations: each person shows that it holds its key, and the shard grows by their leaves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hutong.light_clients.crypto import recover_eth_address
from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.relay.services.identity.rules.persons.person import SALT_BYTES, SPEC, Control, Person, leaf_of
from hutong.relay.services.identity.rules.persons.shard_tree import (
    DEPTH,
    append_leaves,
    edge_leads_to_root,
    nodes_are_whole,
    root_of_edge,
)
from hutong.relay.services.identity.rules.persons.signed import COMPACT_BYTES, recoverable_form, registration_digests
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES, ShardRecord

REGISTRATION_BYTES: Final = 20 + SALT_BYTES + 32 + 32 + COMPACT_BYTES
MAX_REGISTRATIONS: Final = 1_024
"""Of one batch: more do not fit a transaction."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A person as it is first, and its signature (EIP-2098) over that."""

    control: Control
    salt: bytes
    signature: bytes

    @property
    def person(self) -> Person:
        """What the leaf commits to."""
        return Person(self.control, self.salt)


def encode_registrations(entries: Sequence[Registration]) -> bytes:
    """`account ‖ salt ‖ next ‖ recovery ‖ signature`, 164 bytes each, one after the other."""
    return b"".join(
        entry.control.account + entry.salt + entry.control.next_key + entry.control.recovery + entry.signature
        for entry in entries
    )


def decode_registrations(data: bytes) -> tuple[Registration, ...]:
    """Inverse of `encode_registrations`.

    Raises:
        MalformedInput: not a number of entries from 1 to `MAX_REGISTRATIONS`, or an account of zero.
    """
    count, rest = divmod(len(data), REGISTRATION_BYTES)
    if rest or not 1 <= count <= MAX_REGISTRATIONS:
        raise MalformedInput(
            "registrations", f"1 to {MAX_REGISTRATIONS} entries of {REGISTRATION_BYTES} bytes", len(data)
        )
    return tuple(
        Registration(
            Control(data[at : at + 20], data[at + 36 : at + 68], data[at + 68 : at + 100]),
            data[at + 20 : at + 36],
            data[at + 100 : at + REGISTRATION_BYTES],
        )
        for at in range(0, len(data), REGISTRATION_BYTES)
    )


@rule(SPEC)
def shard_has_room(count: int, more: int) -> None:
    """The shard holds as many more leaves.

    Raises:
        PredicateFailed: it does not.
    """
    if count + more > MAX_LEAVES:
        raise PredicateFailed("shard_has_room", "the shard ends", got=count + more, expected=MAX_LEAVES)


@rule(SPEC)
def people_are_distinct(entries: Sequence[Registration]) -> None:
    """No two of a batch have one salt or one key.

    Raises:
        PredicateFailed: two have.
    """
    salts, accounts = {entry.salt for entry in entries}, {entry.control.account for entry in entries}
    if min(len(salts), len(accounts)) != len(entries):
        raise PredicateFailed("people_are_distinct", "a salt or key twice", len(salts), len(entries))


@rule(SPEC)
def people_hold_their_keys(digests: Sequence[bytes], entries: Sequence[Registration]) -> None:
    """Each signature is of the key whose account stands beside it.

    Raises:
        PredicateFailed: one is not; `got` is its number in the batch.
    """
    for number, (digest, entry) in enumerate(zip(digests, entries, strict=True)):
        if recover_eth_address(digest, recoverable_form(entry.signature)) != entry.control.account:
            raise PredicateFailed("people_hold_their_keys", "a signature is not of the key beside it", got=number)


def judge_registrations(
    judge: Judge, hub: str, shard: tuple[bytes, int], record: ShardRecord, batch: tuple[Sequence[bytes], bytes]
) -> ShardRecord:
    """The record after a batch; its moment stays, and is the caller's to set.

    Args:
        hub: chain id without its revision.
        shard: DID of the registrar, number.
        record: of the shard; of no leaves where it begins.
        batch: edge of the shard as it stands, and encoded registrations.

    Raises:
        MalformedInput: entries of another form.
        PredicateFailed: the first rule that does not hold.
    """
    edge, data = batch
    entries = decode_registrations(data)
    judge(shard_has_room, record.count, len(entries))
    judge(nodes_are_whole, edge, DEPTH)
    judge(edge_leads_to_root, record.root, record.count, edge)
    judge(people_are_distinct, entries)
    digests = registration_digests(hub, shard, [(entry.control, entry.salt) for entry in entries])
    judge(people_hold_their_keys, digests, entries)
    grown = append_leaves(record.count, edge, [leaf_of(entry.person) for entry in entries])
    count = record.count + len(entries)
    return replace(record, root=root_of_edge(count, grown), count=count, version=record.version + 1)
