"""Batches: what a writer stores at one time, placed and signed, and appended to the logs of those who signed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.proofs.merkle import Frontier, leaf_hash
from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.storage.refusals import (
    BatchExists,
    OperatorStateForbids,
    PartIsSigned,
    UnknownMap,
)
from hutong.relay.hub.application.storage.registry import Registry, require_account
from hutong.relay.services.storage.rules.commitments.entries import encode_log_entry, next_log_entry
from hutong.relay.services.storage.rules.lifecycle.signed import (
    OperatorPart,
    WriterBatch,
    parts_hash,
    struct_is_signed_by,
)
from hutong.relay.services.storage.rules.packs.shape import PackShape
from hutong.relay.services.storage.rules.placement import group_of, placement_is_possible
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.batches import BatchRecord, LogRecord
from hutong.relay.services.storage.rules.records.members import MapRecord, PartyRole
from hutong.relay.services.storage.rules.storing import (
    batch_is_placed,
    enough_parts_are_signed,
    part_is_of_the_batch,
    parts_are_alike,
)

Logged = Callable[[bytes, int, bytes], None]
"""(operator, number in its log, log entry of 61 bytes) of what was appended."""


@dataclass(frozen=True, slots=True)
class GivenPart:
    """A part of a call with its operator's signature, empty where it has not signed."""

    part: OperatorPart
    signature: bytes


@dataclass(frozen=True, slots=True)
class NamedBatch:
    """A writer's batch: under which of its sequences, for whom, placed by which map and in which group."""

    writer: bytes
    owner: bytes
    sequence: int
    map: int = 0
    group: int = 0


def require_map(registry: Registry, number: int) -> MapRecord:
    """The newest map, or the one before it: a batch may be under way while the map changes.

    Raises:
        UnknownMap: another.
    """
    newest = registry.number(keys.MAPS_KEY)
    found = registry.find_map(number) if newest - 1 <= number <= newest else None
    if found is None:
        raise UnknownMap(number)
    return found


def store_batch(
    registry: Registry, hub: bytes, batch: NamedBatch, given: Sequence[GivenPart], signature: bytes, logged: Logged
) -> int:
    """A writer's batch, stored once enough of its group's operators have signed. Returns its number on the hub.

    Raises:
        UnknownParty, BatchExists, UnknownMap, UnknownOperator, OperatorStateForbids: as their names say.
        PredicateFailed: a rule of docs/spec/storage-calls.md.
    """
    party = registry.party(PartyRole.WRITER, batch.writer)
    _require_free(registry, batch)
    placing = require_map(registry, batch.map)
    parts = [one.part for one in given]
    hashed = parts_hash(parts)
    struct_is_signed_by(WriterBatch(hub, batch.writer, batch.sequence, hashed), signature, party.account)
    group = group_of(hub, batch.writer, batch.sequence)
    batch_is_placed(parts, placement_is_possible(placing, group))
    parts_are_alike(parts)
    shape = PackShape(placing.data, placing.parity, 0)
    enough_parts_are_signed(shape, sum(1 for one in given if one.signature))
    return _append_all(registry, replace(batch, group=group), given, hashed, logged)


def repair_batch(
    registry: Registry, batch: NamedBatch, given: Sequence[GivenPart], caller: Address, logged: Logged
) -> int:
    """Rebuilt shards of an owner's packs, for any active operators that have all signed. Returns the batch's number.

    Raises:
        UnknownParty, NotTheNamedAccount, BatchExists, UnknownOperator, OperatorStateForbids: as their names say.
        PredicateFailed: a part that its operator did not sign, or parts that are no batch.
    """
    require_account(caller, registry.party(PartyRole.REPAIRER, batch.writer).account)
    registry.party(PartyRole.WRITER, batch.owner)
    _require_free(registry, batch)
    hashed = parts_hash([one.part for one in given])
    if not all(one.signature for one in given):
        raise PredicateFailed("enough_parts_are_signed", "each part of a repair is signed", got=len(given))
    return _append_all(registry, batch, given, hashed, logged)


def sign_part(
    registry: Registry, number: int, index: int, hashes: Sequence[bytes], given: GivenPart, logged: Logged
) -> None:
    """An operator that was late accepts its part.

    Raises:
        UnknownBatch, PartIsSigned, UnknownOperator, OperatorStateForbids: as their names say.
        PredicateFailed: `part_is_of_the_batch`, `struct_is_signed_by`.
    """
    record = registry.batch(number)
    part_is_of_the_batch(hashes, index, given.part, record.parts)
    if record.signed >> index & 1:
        raise PartIsSigned(number, index)
    _append(registry, given, number, logged)
    registry.put_batch(number, replace(record, signed=record.signed | 1 << index))


def _require_free(registry: Registry, batch: NamedBatch) -> None:
    raw = registry.store.get(keys.sequence_key(batch.writer, batch.sequence))
    if raw is not None:
        raise BatchExists(batch.writer, batch.sequence, int.from_bytes(raw, "big"))


def _append_all(
    registry: Registry, batch: NamedBatch, given: Sequence[GivenPart], hashed: bytes, logged: Logged
) -> int:
    number, signed = registry.number(keys.BATCHES_KEY), 0
    for index, one in enumerate(given):
        if one.signature:
            _append(registry, one, number, logged)
            signed |= 1 << index
    names = (batch.writer, batch.owner, batch.sequence, batch.map, batch.group)
    now = registry.now
    registry.put_batch(number, BatchRecord(*names, hashed, len(given), signed, now.height, now.time_s))
    registry.set_number(keys.sequence_key(batch.writer, batch.sequence), number)
    registry.set_number(keys.BATCHES_KEY, number + 1)
    return number


def _append(registry: Registry, given: GivenPart, number: int, logged: Logged) -> None:
    part = given.part
    operator = registry.operator(part.operator)
    if not operator.is_audited:
        raise OperatorStateForbids(part.operator, operator.state)
    struct_is_signed_by(part, given.signature, operator.account)
    standing = registry.find_log(part.operator)
    entry = next_log_entry(None if standing is None else standing.operator_set, part.part, number)
    frontier = Frontier() if standing is None else standing.frontier
    encoded = encode_log_entry(entry)
    frontier.append(leaf_hash(encoded))
    registry.put_log(part.operator, LogRecord(frontier.size, entry.first + entry.leaves, frontier.peaks()))
    logged(part.operator, frontier.size - 1, encoded)
