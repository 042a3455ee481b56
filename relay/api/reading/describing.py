"""The ledger's and the chains' values as the API's answers."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import fields

from hutong.light_clients.interface import ClientStatus as StoredStatus
from hutong.relay.api.models.instants import instant, optional_instant
from hutong.relay.api.reading.chain_views import ChainView, ChainViews, ClientView
from hutong.relay.api.reading.public_text import optional_public_text, public_text
from hutong.relay.api.reading.ways import Way
from hutong.relay.config import PathEnd
from hutong.relay.ledger import Explanation, LifeCycle
from hutong.relay.ledger.values.messages import MessagePage, MessageRecord
from hutong.relay.schemas.messages import (
    ChainCosts,
    Event,
    HeldTokens,
    Message,
    MessageList,
    MessageSummary,
    TokenAmount,
    Why,
)
from hutong.relay.schemas.network import Apps, Chain, ChainList, Client, ClientList, End, Follows, Hop
from hutong.relay.schemas.words import App, ClientStatus, MessageStage, MessageState

_STATUSES: dict[StoredStatus, ClientStatus] = {
    StoredStatus.ACTIVE: ClientStatus.ACTIVE,
    StoredStatus.FROZEN: ClientStatus.FROZEN,
    StoredStatus.EXPIRED: ClientStatus.EXPIRED,
}


def path_end(end: PathEnd) -> End:
    """A configured end as an answer names it."""
    return End(chain=end.chain, client=end.client)


def hops_of(way: Way) -> tuple[Hop, ...]:
    """One hop, or two over a hub, as an answer names them."""
    return tuple(Hop(path_end(source), path_end(destination)) for source, destination in way.hops)


def names_of(record: MessageRecord) -> tuple[str, ...]:
    """Everything that a message is asked for by: packet ids of its legs, and Mailbox's id."""
    names = [leg.packet_id for leg in record.legs]
    names += [leg.message_id for leg in record.legs if leg.message_id is not None]
    return tuple(dict.fromkeys(names))


def summary(record: MessageRecord) -> MessageSummary:
    """A message as lists show it. Reasons have no endpoint in them."""
    first = record.legs[0]
    sent = first.sent
    token = None
    if record.denom is not None and record.amount is not None:
        token = TokenAmount(record.denom, record.amount)
    return MessageSummary(
        id=record.id,
        message_id=first.message_id,
        app=App(record.app),
        state=MessageState(record.state),
        stage=MessageStage(record.stage),
        source=End(record.source.chain, record.source.client),
        destination=End(record.destination.chain, record.destination.client),
        via=record.via,
        sender=record.sender,
        receiver=record.receiver,
        token=token,
        sent_at=None if sent is None else optional_instant(sent.time_ns),
        updated_at=instant(record.updated_at_ns),
        settled_at=optional_instant(record.settled_at_ns),
        timeout_at=instant(first.timeout_timestamp_s * 10**9),
        sent_transaction=None if sent is None else sent.hash,
        legs=tuple(leg.packet_id for leg in record.legs),
        waiting=optional_public_text(record.waiting),
    )


def message_list(page: MessagePage) -> MessageList:
    """A page of messages, in its order; damaged rows are left out and not named."""
    return MessageList(tuple(summary(record) for record in page.items), page.next)


def why_of(packet_id: str, answer: Explanation) -> Why:
    """The sentence of `hutong why` as an answer, without endpoints in it.

    Args:
        packet_id: of the packet that was asked for.
    """
    return Why(
        id=packet_id,
        settled=answer.settled,
        waits_for=public_text(answer.waits_for),
        do=answer.remedy,
        sentence=public_text(str(answer)),
    )


def message(
    record: MessageRecord,
    lives: Sequence[LifeCycle],
    answer: Explanation,
    held: tuple[HeldTokens, ...] | None,
) -> Message:
    """A message with its timeline and costs.

    Args:
        lives: in the order of the legs.
        answer: why it is where it is.
        held: what chains keep for its owner; None where that is not known.
    """
    events = [event for number, life in enumerate(lives, start=1) for event in _events(life, number)]
    shown = summary(record)
    return Message(
        **{field.name: getattr(shown, field.name) for field in fields(shown)},
        why=why_of(record.id, answer),
        timeline=tuple(sorted(events, key=lambda event: (event.first_at, event.leg))),
        costs=_costs(lives),
        held=held,
    )


def _events(life: LifeCycle, number: int) -> Iterable[Event]:
    paid = {(one.kind, f"0x{one.transaction_hash.hex()}"): one for one in life.deliveries}
    for step in life.steps:
        delivery = paid.get((step.kind, step.transaction_hash or "")) if step.step == "included" else None
        yield Event(
            packet_id=life.packet_id,
            leg=1 if number == 1 else 2,
            kind=step.kind,
            step=step.step,
            chain=step.chain,
            at=instant(step.at_ns),
            first_at=instant(step.first_at_ns),
            count=step.count,
            height=step.height,
            block_time=optional_instant(step.block_time_ns),
            transaction=step.transaction_hash,
            reason=optional_public_text(step.reason),
            gas_used=None if delivery is None else delivery.gas_used,
            fee_wei=None if delivery is None else delivery.fee_wei,
        )


def _costs(lives: Sequence[LifeCycle]) -> tuple[ChainCosts, ...]:
    sums: dict[str, list[int]] = {}
    for life in lives:
        for delivery in life.deliveries:
            total = sums.setdefault(delivery.chain, [0, 0, 0])
            total[0] += 1
            total[1] += delivery.gas_used
            total[2] += delivery.fee_wei
    return tuple(ChainCosts(chain, *total) for chain, total in sorted(sums.items()))


def _chain(view: ChainView, now_ns: int) -> Chain:
    return Chain(
        name=view.name,
        kind=view.kind,
        chain_id=view.chain_id,
        router=view.router,
        apps=Apps(transfer=view.transfer, mailbox=view.mailbox),
        height=view.height,
        time=optional_instant(view.time_ns),
        age_s=None if view.time_ns is None else max(0.0, round((now_ns - view.time_ns) / 1e9, 1)),
        paused=view.paused,
        error=optional_public_text(view.error),
    )


def chain_list(views: ChainViews) -> ChainList:
    """Every chain as last read; the age of a block is told by this host's clock."""
    now_ns = time.time_ns()
    return ChainList(tuple(_chain(view, now_ns) for view in views.chains))


def _client(view: ClientView, now_ns: int) -> Client:
    info = view.info
    # A client without a trusting period never expires.
    trusting_ns = None if info is None or not info.trusting_period_ns else info.trusting_period_ns
    expires_ns = None if info is None or trusting_ns is None else info.latest_timestamp_ns + trusting_ns
    return Client(
        chain=view.end.chain,
        client=view.end.client,
        client_type=None if info is None else info.client_type,
        follows=Follows(chain=view.opposite.chain, chain_id=view.followed),
        status=ClientStatus.UNKNOWN if info is None or view.error else _STATUSES[info.status],
        latest_height=None if info is None else str(info.latest_height),
        latest_time=None if info is None else instant(info.latest_timestamp_ns),
        trusting_period_s=None if trusting_ns is None else trusting_ns // 10**9,
        expires_at=optional_instant(expires_ns),
        seconds_to_expiry=None if expires_ns is None else (expires_ns - now_ns) // 10**9,
        counterparty=path_end(view.opposite),
        error=optional_public_text(view.error),
    )


def client_list(views: ChainViews) -> ClientList:
    """Every light client as last read; a client without a trusting period never expires."""
    now_ns = time.time_ns()
    return ClientList(tuple(_client(view, now_ns) for view in views.clients))
