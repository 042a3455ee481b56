"""What holds an observation up, in one sentence for the operator, by what both chains say now."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.adapters.interface import AdapterError, ChainAdapter
from hutong.light_clients.interface import ClientStatus, VerificationError
from hutong.light_clients.records import Observation
from hutong.relay.core.observing.due import Reason
from hutong.relay.core.observing.looking import Look, Sight, look, observing_hub
from hutong.relay.core.observing.watched import Watched


@dataclass(frozen=True, slots=True)
class Explained:
    """An observation as it stands. `value_now` is None where nothing is there, or where it was not read (`is_read`).

    `held_up_by` is None where the record is good.
    """

    watched: Watched
    record: Observation | None
    is_current: bool
    is_read: bool
    value_now: bytes | None
    due_because: str | None
    held_up_by: str | None


async def explain(
    source: ChainAdapter, hub: ChainAdapter, client_id: str, watched: Sequence[Watched], accounts: Sequence[str]
) -> tuple[Explained, ...]:
    """All that is observed over one client; a chain that does not answer is what holds them up, and no error.

    Args:
        accounts: by which the relay sends on the hub; empty where they are not known.
    """
    try:
        head = await source.head()
        seen = await look(source, hub, client_id, head, watched, every=True)
    except (AdapterError, VerificationError) as error:
        return await _without_source(hub, client_id, watched, str(error))
    room = await _room(hub, accounts)
    return tuple(_explained(seen, sight, room) for sight in seen.sights)


async def _without_source(
    hub: ChainAdapter, client_id: str, watched: Sequence[Watched], reason: str
) -> tuple[Explained, ...]:
    records: Sequence[Observation | None] = [None] * len(watched)
    number = 0
    try:
        records = await observing_hub(hub).observations([one.key for one in watched])
        epoch = await observing_hub(hub).epoch(client_id)
        number = 0 if epoch is None or not epoch.is_readable else epoch.number
    except AdapterError as error:
        reason = str(error)
    return tuple(
        Explained(one, record, record is not None and record.epoch == number, False, None, None, reason)
        for one, record in zip(watched, records, strict=True)
    )


async def _room(hub: ChainAdapter, accounts: Sequence[str]) -> int | None:
    """How many more keys one of the accounts may open, at most; None: as many as they like, or it is not known."""
    found = [await observing_hub(hub).may_open(account) for account in accounts]
    known = [one for one in found if one is not None]
    return max(known) if known and len(known) == len(found) else None


def _explained(seen: Look, sight: Sight, room: int | None) -> Explained:
    record, epoch = sight.record, seen.epoch
    is_current = record is not None and epoch is not None and epoch.is_readable and record.epoch == epoch.number
    due = None if sight.reason is None else str(sight.reason)
    value = sight.value
    return Explained(
        sight.watched,
        record,
        is_current,
        value is not None,
        None if value is None else value.word,
        due,
        _held_up_by(seen, sight, room),
    )


def _held_up_by(seen: Look, sight: Sight, room: int | None) -> str | None:
    info = seen.info
    if info.status is not ClientStatus.ACTIVE:
        return f"client {info.client_id} is {info.status}: the hub's members recover it"
    if sight.unreadable is not None:
        return sight.unreadable
    if sight.record is None and room == 0:
        return "the relay's account may open no more keys on the hub: hutong hub name-writer ADDRESS --keys N"
    if sight.reason is None:
        return None
    if sight.reason is Reason.FIRST:
        return "it is not written yet: does the relay run?"
    return f"{sight.reason}, and it is not written yet: does the relay run?"
