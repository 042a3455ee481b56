"""What the hub says, read into the ledger and put together: batches, logs, maps, and what operators are worth."""

from collections.abc import Hashable, Mapping
from typing import Final, TypeVar

import trio

from hutong.adapters.rpc import all_of
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.repairer.hub_door import LoggedEntry, RepairHub
from hutong.relay.services.storage.repairer.ledger import KnownBatch, Ledger, LedgerUnusable, NewBatch
from hutong.relay.services.storage.repairer.plan import Known
from hutong.relay.services.storage.repairer.standing import standing_of
from hutong.relay.services.storage.rules.commitments.entries import BatchPart
from hutong.relay.services.storage.rules.commitments.placed import shown_set
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart, parts_hash
from hutong.relay.services.storage.rules.records.batches import BatchRecord, decode_batch_record, decode_log_record
from hutong.relay.services.storage.rules.records.keys import (
    CLOCK_KEY,
    MAPS_KEY,
    batch_key,
    log_key,
    map_key,
    operator_key,
    verdict_key,
)
from hutong.relay.services.storage.rules.records.members import (
    MapRecord,
    OperatorRecord,
    decode_map_record,
    decode_operator_record,
)
from hutong.relay.services.storage.rules.records.rounds import decode_clock_record
from hutong.relay.services.storage.rules.records.values import Outcome, decode_verdict_record

ASKED_AT_ONCE: Final = 16
Name = TypeVar("Name", bound=Hashable)


async def followed(hub: RepairHub, ledger: Ledger, hub_id: bytes) -> None:
    """Take up all that the hub logged until now.

    Raises:
        HubSilent: see there.
        LedgerUnusable: see `Ledger.take_up`.
    """
    while True:
        found = await hub.logged(ledger.followed)
        if found.height == ledger.followed:
            return
        by_batch: dict[int, list[LoggedEntry]] = {}
        for one in found.entries:
            by_batch.setdefault(one.entry.batch, []).append(one)
        new = [
            await _batch(hub, hub_id, number, logged)
            for number, logged in by_batch.items()
            if not await trio.to_thread.run_sync(ledger.knows, number)
        ]
        await trio.to_thread.run_sync(ledger.take_up, found.height, found.entries, new)


async def _batch(hub: RepairHub, hub_id: bytes, number: int, logged: list[LoggedEntry]) -> NewBatch:
    value = await hub.record(batch_key(number))
    if value is None:
        raise HubSilent(f"the node tells of batch {number} and has no record of it")
    try:
        record = decode_batch_record(value)
    except MalformedInput as error:
        raise HubSilent(f"the record of batch {number} cannot be read: {error}") from None
    said = await hub.parts_said(hub_id, record, logged[0].transaction)
    parts = said if said is not None and _are_its_parts(record, said) else _parts_logged(hub_id, record, logged)
    return NewBatch(number, record, parts)


def _parts_logged(hub_id: bytes, record: BatchRecord, logged: list[LoggedEntry]) -> tuple[OperatorPart, ...]:
    """The parts out of the logs, where all operators signed; none where some are not there."""
    parts = tuple(
        OperatorPart(
            hub_id,
            record.writer,
            record.sequence,
            one.operator,
            BatchPart(one.entry.leaves, one.entry.entries, one.entry.root),
        )
        for one in sorted(logged, key=lambda one: one.operator)
    )
    return parts if _are_its_parts(record, parts) else ()


def _are_its_parts(record: BatchRecord, parts: tuple[OperatorPart, ...]) -> bool:
    try:
        return parts_hash(parts) == record.parts
    except PredicateFailed:
        return False


async def known_of(hub: RepairHub, ledger: Ledger, misses: int) -> Known:
    """The ledger, judged by the hub's records of each log, with maps and standings.

    Raises:
        HubSilent: see there; or the node's events do not give the logs that its records are of.
        LedgerUnusable: see `Ledger.logs`.
    """
    batches = await trio.to_thread.run_sync(ledger.batches)
    logs = await trio.to_thread.run_sync(ledger.logs)
    try:
        records_of_logs = await _records(hub, {operator: log_key(operator) for operator in logs})
        for operator, entries in logs.items():
            value = records_of_logs.get(operator)
            at = None if value is None else decode_log_record(value)
            # The node may be a block further than its events were.
            if at is None or at.size < len(entries):
                raise LedgerUnusable(f"the hub has another log of operator {operator.hex()[:16]}: it is another hub")
            if at.size == len(entries) and shown_set(entries) != at.operator_set:
                raise HubSilent(f"the node's events do not give the log of operator {operator.hex()[:16]}")
        maps = await _maps(hub, batches)
        newest = maps[max(maps)] if maps else None
        operators = set(logs) | {one.operator for one in (newest.candidates if newest else ())}
        records = await _operators(hub, operators)
        outcomes = await _outcomes(hub, operators, misses)
    except MalformedInput as error:
        raise HubSilent(f"a record of the hub cannot be read: {error}") from None
    standings = {operator: standing_of(records.get(operator), outcomes[operator], misses) for operator in operators}
    return Known(batches, logs, maps, standings, {operator: record.account for operator, record in records.items()})


async def _maps(hub: RepairHub, batches: list[KnownBatch]) -> dict[int, MapRecord]:
    newest = int.from_bytes(await hub.record(MAPS_KEY) or b"", "big")
    found = {}
    for number in sorted({batch.record.map for batch in batches} | {newest}):
        value = await hub.record(map_key(number)) if number else None
        if value is not None:
            found[number] = decode_map_record(value)
    return found


async def _operators(hub: RepairHub, operators: set[bytes]) -> dict[bytes, OperatorRecord]:
    values = await _records(hub, {operator: operator_key(operator) for operator in operators})
    return {operator: decode_operator_record(value) for operator, value in values.items()}


async def _outcomes(hub: RepairHub, operators: set[bytes], misses: int) -> dict[bytes, list[Outcome]]:
    """Of the newest audits of each, the newest first."""
    value = await hub.record(CLOCK_KEY)
    newest = 0 if value is None else decode_clock_record(value).epoch
    # The present epoch may have no verdict yet, and one in which nothing was asked of it has none ever.
    epochs = range(newest, max(0, newest - misses - 1), -1)
    wanted = {(operator, epoch): verdict_key(operator, epoch) for operator in operators for epoch in epochs}
    values = await _records(hub, wanted)
    return {
        operator: [
            decode_verdict_record(values[operator, epoch]).outcome for epoch in epochs if (operator, epoch) in values
        ]
        for operator in operators
    }


async def _records(hub: RepairHub, wanted: Mapping[Name, bytes]) -> dict[Name, bytes]:
    """Values by name, of those keys that have one: some at once, so that a slow node is waited for once and not a hundred times."""
    found: dict[Name, bytes] = {}
    left = iter(wanted.items())

    async def ask(_: int) -> None:
        for name, key in left:
            value = await hub.record(key)
            if value is not None:
                found[name] = value

    await all_of([(ask, number) for number in range(min(ASKED_AT_ONCE, len(wanted)))])
    return found
