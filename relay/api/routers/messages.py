"""Messages: lists, one of them, why it waits, and what is searched."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from hutong.relay.administration.packets.told_by_chains import answer_with
from hutong.relay.api.reading.answer_cache import OPEN_FRESH_S, SETTLED_FRESH_S
from hutong.relay.api.reading.describing import message, message_list, names_of, summary, why_of
from hutong.relay.api.reading.held import held_tokens, told_of_lives
from hutong.relay.api.reading.ledger_desk import Readers
from hutong.relay.api.requests import (
    ChainName,
    ClientId,
    HashPath,
    InService,
    Sequence,
    answer,
    kept_answer,
    known_parameters,
    refusals,
    refuse_unknown_chain,
)
from hutong.relay.api.routers.message_query import MessageQuery
from hutong.relay.api.service import Service
from hutong.relay.ledger import Explanation, LifeCycle, explain, lives_of, why
from hutong.relay.ledger.values.messages import MessageRecord
from hutong.relay.schemas.messages import Message, MessageList, SearchResult, Why
from hutong.relay.schemas.words import FoundKind
from hutong.relay.web.problems import ApiProblem, Code

router = APIRouter(prefix="/v1", tags=["messages"], dependencies=[Depends(known_parameters)])

SEARCH_LIMIT = 50


@router.get("/messages", response_model=MessageList, responses=refusals(Code.LEDGER_UNAVAILABLE))
async def messages(service: InService, asked: Annotated[MessageQuery, Query()]) -> Response:
    """Messages, newest first. Every filter is exact; `since` is in the range, `until` is not."""
    wanted = asked.wanted()
    page = await service.ledger.read(lambda readers: readers.messages.page(wanted, asked.cursor, asked.limit))
    if not page.items and asked.cursor is None:  # chains that were taken from the configuration keep their history
        refuse_unknown_chain(service, "source", asked.source)
        refuse_unknown_chain(service, "destination", asked.destination)
    return answer(message_list(page))


@router.get(
    "/messages/{message_id}", response_model=Message, responses=refusals(Code.NOT_FOUND, Code.LEDGER_UNAVAILABLE)
)
async def message_by_id(request: Request, service: InService, message_id: HashPath) -> Response:
    """A message by its Mailbox id."""
    changes = service.cache.changes
    found = await service.ledger.read(
        lambda readers: _whole(readers, readers.messages.by_message_id(message_id.lower()))
    )
    return await _told(request, service, found, message_id, changes)


@router.get(
    "/messages/{chain}/{client}/{sequence}",
    response_model=Message,
    responses=refusals(Code.NOT_FOUND, Code.LEDGER_UNAVAILABLE),
)
async def message_by_packet(
    request: Request, service: InService, chain: ChainName, client: ClientId, sequence: Sequence
) -> Response:
    """A message by the packet id of any of its legs."""
    packet_id = f"{chain}/{client}/{sequence}"
    changes = service.cache.changes
    found = await service.ledger.read(lambda readers: _whole(readers, readers.messages.message(packet_id)))
    return await _told(request, service, found, packet_id, changes)


@router.get(
    "/messages/{message_id}/why", response_model=Why, responses=refusals(Code.NOT_FOUND, Code.LEDGER_UNAVAILABLE)
)
async def why_by_id(service: InService, message_id: HashPath) -> Response:
    """The sentence of `hutong why`."""

    def find(readers: Readers) -> Asked | None:
        record = readers.messages.by_message_id(message_id.lower())
        return None if record is None else _asked(readers, record.id)

    found = await service.ledger.read(find)
    if found is None:
        raise unknown_message(message_id)
    return await _answered(service, found)


@router.get(
    "/messages/{chain}/{client}/{sequence}/why",
    response_model=Why,
    responses=refusals(Code.NOT_FOUND, Code.LEDGER_UNAVAILABLE),
)
async def why_by_packet(service: InService, chain: ChainName, client: ClientId, sequence: Sequence) -> Response:
    """The sentence of `hutong why`, of exactly this packet."""
    packet_id = f"{chain}/{client}/{sequence}"
    found = await service.ledger.read(lambda readers: _asked(readers, packet_id))
    if found is None:
        raise unknown_message(packet_id)
    return await _answered(service, found)


@router.get("/search", response_model=SearchResult, responses=refusals(Code.LEDGER_UNAVAILABLE))
async def search(
    service: InService,
    q: Annotated[
        str, Query(min_length=1, max_length=256, description="a packet, message or transaction id, an address, a chain")
    ],
) -> Response:
    """At most 50 messages that the text may mean, newest first."""
    found = await service.ledger.read(lambda readers: readers.messages.search(q.strip(), SEARCH_LIMIT))
    return answer(SearchResult(tuple(summary(record) for record in found.items), FoundKind(found.kind)))


def unknown_message(name: str) -> ApiProblem:
    """The problem of a message that the ledger does not know, to be raised by the caller."""
    return ApiProblem(Code.NOT_FOUND, f"the ledger knows no message {name}")


Asked = tuple[str, Explanation, tuple[LifeCycle, ...]]
"""Of one packet: its id, what the ledger says of it, and the lives of all legs of its message, the first leg first."""


def _asked(readers: Readers, packet_id: str) -> Asked | None:
    said = why(packet_id, readers.lives, time.time_ns())
    if said is None:
        return None
    lives = (readers.lives.life(leg) for leg in readers.lives.legs(packet_id))
    return packet_id, said, tuple(life for life in lives if life is not None)


async def _answered(service: Service, asked: Asked) -> Response:
    packet_id, said, lives = asked
    told = await told_of_lives(service.config, service.backend, lives) or ()
    return answer(why_of(packet_id, answer_with(said, told, [life.packet_id for life in lives])))


Whole = tuple[MessageRecord, tuple[LifeCycle, ...], Explanation]


def _whole(readers: Readers, record: MessageRecord | None) -> Whole | None:
    if record is None:
        return None
    lives = lives_of(record, readers.lives)
    return record, lives, explain(lives[0], time.time_ns(), lives[1] if len(lives) > 1 else None)


async def _told(request: Request, service: Service, found: Whole | None, name: str, changes: int) -> Response:
    if found is None:
        raise unknown_message(name)
    record, lives, said = found
    told = await told_of_lives(service.config, service.backend, lives)
    answered = answer_with(said, told or (), [life.packet_id for life in lives])
    shown = message(record, lives, answered, None if told is None else held_tokens(told))
    is_lasting = record.settled_at_ns is not None and told is not None
    fresh_s = SETTLED_FRESH_S if is_lasting else OPEN_FRESH_S
    return kept_answer(request, service, shown, names_of(record), changes, fresh_s)
