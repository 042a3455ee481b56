"""Sending: transactions prepared for the user's own wallet, signed ones passed on, and where they are."""

import re
import time
from functools import partial
from hashlib import sha256
from typing import Annotated

import anyio.to_thread
from eth_hash.auto import keccak
from fastapi import APIRouter, Depends, Header, Response

from hutong.adapters.cosmos.chain import CosmosChain
from hutong.adapters.cosmos.transactions.transactions import transaction_hash as cosmos_hash
from hutong.adapters.ics26.chain import RouterChain
from hutong.adapters.interface import RefusedByChain
from hutong.relay.api.models.instants import instant
from hutong.relay.api.models.sending import PrepareMessage, PrepareTransfer, SubmitTransaction
from hutong.relay.api.reading.backend import Chains
from hutong.relay.api.reading.describing import summary
from hutong.relay.api.reading.public_text import optional_public_text
from hutong.relay.api.requests import ChainName, HashPath, InService, answer, known_parameters, needs, refusals
from hutong.relay.api.sending.addresses import check_receiver
from hutong.relay.api.sending.choosing import Choice, choice_of
from hutong.relay.api.sending.cosmos import prepare_on_cosmos
from hutong.relay.api.sending.evm import prepare_on_evm
from hutong.relay.api.sending.passing_on import pass_on
from hutong.relay.api.sending.peers import in_words
from hutong.relay.api.sending.receivers import warnings_about
from hutong.relay.api.sending.wishes import Made, Wish, absolute_timeout_s, prepared_route
from hutong.relay.api.service import ANSWER_LIMIT_S, Service
from hutong.relay.schemas.messages import TransactionStatus
from hutong.relay.schemas.sending import Prepared, Submitted
from hutong.relay.schemas.wire import body_of
from hutong.relay.schemas.words import TransactionState
from hutong.relay.web.api_keys import ApiKey, Scope
from hutong.relay.web.problems import ApiProblem, Code

router = APIRouter(prefix="/v1", tags=["sending"], dependencies=[Depends(known_parameters)])

SHOWN_MESSAGES = 50
_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_PREPARING = (Code.REFUSED_BY_CHAIN, Code.NOT_SUPPORTED, Code.CHAIN_UNAVAILABLE, Code.UNSUPPORTED_MEDIA_TYPE)
_SENT_NOTHING = (Code.INVALID_REQUEST, Code.NOT_SUPPORTED, Code.REFUSED_BY_CHAIN)
"""Problems after which this attempt is known to have left nothing in a pool."""


@router.post("/transfers/prepare", response_model=Prepared, responses=refusals(*_PREPARING))
async def prepare_transfer(service: InService, demand: PrepareTransfer) -> Response:
    """Transactions that send tokens: an allowance first where one is needed. Nothing is signed or sent."""
    choice = _choice(service, demand)
    wish = Wish(
        choice,
        demand.sender,
        demand.receiver,
        absolute_timeout_s(demand.timeout_s),
        token=demand.token,
        amount=int(demand.amount),
        memo=demand.memo,
    )
    return await _prepared(service, demand.source, wish)


@router.post("/messages/prepare", response_model=Prepared, responses=refusals(*_PREPARING))
async def prepare_message(service: InService, demand: PrepareMessage) -> Response:
    """A transaction that sends a message to a contract of another chain. Nothing is signed or sent."""
    choice = _choice(service, demand)
    payload = bytes.fromhex(demand.payload[2:])
    wish = Wish(
        choice,
        demand.sender,
        demand.receiver,
        absolute_timeout_s(demand.timeout_s),
        payload=payload,
        receive_gas=demand.receive_gas,
    )
    return await _prepared(service, demand.source, wish)


def _choice(service: Service, demand: PrepareTransfer | PrepareMessage) -> Choice:
    choice = choice_of(
        service.config,
        service.paths,
        demand.source,
        demand.destination,
        via=demand.via,
        client=demand.client,
        next_client=demand.next_client,
    )
    check_receiver(service.config, demand.destination, demand.receiver)
    return choice


async def _prepared(service: Service, source: str, wish: Wish) -> Response:
    async def prepare(chains: Chains) -> tuple[Made, tuple[str, ...]]:
        made = await _made(chains, source, wish)
        is_message = wish.payload is not None
        return made, await warnings_about(chains, wish.choice.destination, wish.receiver) if is_message else ()

    made, warnings = await service.backend.ask(prepare, ANSWER_LIMIT_S)
    return answer(
        Prepared(
            route=prepared_route(made.way),
            transactions=tuple(made.transactions),
            sends=made.sends,
            expires_at=instant(wish.timeout_timestamp_s * 10**9),
            warnings=warnings,
        )
    )


async def _made(chains: Chains, source: str, wish: Wish) -> Made:
    adapter = chains.adapter(source, "source")
    if isinstance(adapter, RouterChain) and adapter.kind == "evm":
        try:
            return await prepare_on_evm(adapter, wish)
        except RefusedByChain as refusal:
            raise in_words(refusal, chains.config, wish.choice) from None
    if isinstance(adapter, CosmosChain):
        return await prepare_on_cosmos(adapter, wish, int(time.time()))
    raise ApiProblem(Code.NOT_SUPPORTED, f"sending from {source}, a chain of kind {adapter.kind}")


@router.post(
    "/transactions",
    status_code=202,
    response_model=Submitted,
    responses=refusals(
        Code.FORBIDDEN, Code.CONFLICT, Code.REFUSED_BY_CHAIN, Code.NOT_SUPPORTED, Code.CHAIN_UNAVAILABLE
    ),
)
async def submit(
    service: InService,
    key: Annotated[ApiKey, Depends(needs(Scope.WRITE))],
    demand: SubmitTransaction,
    idempotency_key: Annotated[
        str | None,
        Header(max_length=256, examples=["order-4711"], description="needed: 1 to 64 of A-Z, a-z, 0-9, _ and -"),
    ] = None,
) -> Response:
    """Pass a signed transaction of the bridge on to its chain. The same key with the same body sends nothing twice."""
    if idempotency_key is None or _IDEMPOTENCY_KEY.fullmatch(idempotency_key) is None:
        raise ApiProblem(
            Code.INVALID_REQUEST,
            "the header Idempotency-Key is needed: 1 to 64 characters of A-Z, a-z, 0-9, _ and -",
            field="Idempotency-Key",
        )
    digest = sha256(f"{demand.chain}\n{demand.raw.lower()}".encode()).digest()
    store = service.idempotency
    kept = await anyio.to_thread.run_sync(store.claim, key.name, idempotency_key, digest)
    if kept is not None and kept.digest != digest:
        raise ApiProblem(Code.CONFLICT, "this Idempotency-Key was used for another request; take a new one")
    if kept is not None and kept.answer is not None:
        return Response(kept.answer, 202, {"cache-control": "no-store"}, media_type="application/json")
    # One that was cut off on its way is passed on again: a pool has one place for one transaction.
    raw = bytes.fromhex(demand.raw[2:])

    async def send(chains: Chains) -> bytes:
        return await pass_on(chains.adapter(demand.chain), raw)

    try:
        transaction_hash = await service.backend.ask(send, ANSWER_LIMIT_S)
    except ApiProblem as problem:
        if problem.code not in _SENT_NOTHING:
            raise
        if kept is None and await anyio.to_thread.run_sync(store.release, key.name, idempotency_key):
            raise
        if problem.code is not Code.REFUSED_BY_CHAIN:
            raise
        # Another request with this key was cut off, or is under way: what is refused now may be in the pool by that one.
        is_cosmos = any(chain.name == demand.chain and chain.kind == "cosmos" for chain in service.config.chains)
        name = (cosmos_hash if is_cosmos else keccak)(raw).hex()
        raise ApiProblem(
            Code.CHAIN_UNAVAILABLE,
            "the chain refuses it now, but an earlier request with this key may have reached it:"
            f" look at /v1/transactions/{demand.chain}/0x{name}",
        ) from None
    service.under_way.add(demand.chain, transaction_hash)
    submitted = Submitted(chain=demand.chain, hash=f"0x{transaction_hash.hex()}", state="pending")
    await anyio.to_thread.run_sync(partial(store.keep, key.name, idempotency_key, digest, body_of(submitted).decode()))
    return answer(submitted, 202)


@router.get(
    "/transactions/{chain}/{transaction_hash}",
    response_model=TransactionStatus,
    responses=refusals(Code.LEDGER_UNAVAILABLE, Code.CHAIN_UNAVAILABLE),
)
async def transaction(service: InService, chain: ChainName, transaction_hash: HashPath) -> Response:
    """Where a transaction is, and which messages it is about: at most 50, and where the others go on."""
    name = transaction_hash.lower()
    page = await service.ledger.read(lambda readers: readers.messages.by_transaction(name, SHOWN_MESSAGES))

    async def look(chains: Chains) -> tuple[TransactionState, int | None, str | None]:
        adapter = chains.adapter(chain)
        wanted = bytes.fromhex(name[2:])
        outcome = await adapter.outcome(wanted)
        if outcome is not None:
            end = TransactionState.INCLUDED if outcome.reverted is None else TransactionState.FAILED
            return end, outcome.height, outcome.reverted
        if isinstance(adapter, RouterChain):
            known = await adapter.execution.mined_call(wanted) is not None
        else:
            known = service.under_way.has(chain, wanted)
        return (TransactionState.PENDING if known else TransactionState.UNKNOWN), None, None

    state, height, reason = await service.backend.ask(look, ANSWER_LIMIT_S)
    return answer(
        TransactionStatus(
            chain=chain,
            hash=name,
            state=state,
            height=height,
            reason=optional_public_text(reason),
            messages=tuple(summary(record) for record in page.items),
            next=page.next,
        )
    )
