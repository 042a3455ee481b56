"""The relay as a whole: status, figures, health, and what was given up."""

import time
from collections.abc import Awaitable, Callable
from importlib import metadata
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Response

from hutong.relay.api.models.instants import instant
from hutong.relay.api.models.operation import Ignore, RetryAll
from hutong.relay.api.reading.describing import summary
from hutong.relay.api.reading.public_text import optional_public_text
from hutong.relay.api.requests import (
    ChainName,
    ClientId,
    Cursor,
    InService,
    Limit,
    Sequence,
    answer,
    known_parameters,
    needs,
    refusals,
)
from hutong.relay.api.service import ANSWER_LIMIT_S, Service
from hutong.relay.core.history.letters import Chosen, Letters, NotAJob
from hutong.relay.ledger import LedgerUnavailable, newest_revision
from hutong.relay.ledger.values import messages as ledger_messages
from hutong.relay.schemas.messages import DeadLetter, DeadLetterList
from hutong.relay.schemas.operation import (
    Bucket,
    ChainCost,
    Health,
    Ignored,
    MessageCounts,
    Readiness,
    Retried,
    RetriedAll,
    RouteCount,
    Schema,
    Series,
    Status,
    Totals,
)
from hutong.relay.schemas.words import App
from hutong.relay.web.api_keys import ApiKey, Scope
from hutong.relay.web.problems import ApiProblem, Code

router = APIRouter(tags=["operations"], dependencies=[Depends(known_parameters)])

Result = TypeVar("Result")

WINDOWS: dict[str, tuple[int, int]] = {"1h": (3_600, 60), "24h": (86_400, 900), "7d": (604_800, 7_200)}
"""Seconds of the window and of each bucket."""
VERSION = metadata.version("hutong")
SCHEMA = newest_revision() or ""


@router.get("/v1/status", response_model=Status, responses=refusals())
async def status(service: InService) -> Response:
    """What answers here."""
    return answer(
        Status(
            name="hutong",
            version=VERSION,
            time=instant(time.time_ns()),
            ledger=Schema(SCHEMA),
            chains=len(service.config.chains),
            paths=len(service.config.paths),
            inside_relay=service.inside_relay,
        )
    )


@router.get("/v1/totals", response_model=Totals, responses=refusals(Code.LEDGER_UNAVAILABLE))
async def totals(service: InService) -> Response:
    """Sums over everything that the ledger keeps, at most some seconds old."""
    found, at_ns = await service.figures.get("totals", lambda readers: readers.messages.totals())
    return answer(_totals(found, at_ns))


def _totals(found: ledger_messages.Totals, at_ns: int) -> Totals:
    counts = {state.value: found.states.get(state, 0) for state in ledger_messages.MessageState}
    return Totals(
        messages=MessageCounts(total=found.total, **counts),
        routes=tuple(
            RouteCount(one.source, one.destination, App(one.app), total=one.total, open=one.open)
            for one in found.routes
        ),
        costs=tuple(
            ChainCost(
                chain=one.chain,
                deliveries=one.deliveries,
                transactions=one.transactions,
                reverted=one.reverted,
                gas_used=one.gas_used,
                fee_wei=one.fee_wei,
            )
            for one in found.costs
        ),
        as_of=instant(at_ns),
    )


@router.get("/v1/series", response_model=Series, responses=refusals(Code.LEDGER_UNAVAILABLE))
async def series(service: InService, window: Annotated[Literal["1h", "24h", "7d"], Query()] = "1h") -> Response:
    """Throughput and latency by time, oldest first."""
    window_s, bucket_s = WINDOWS[window]
    found, _ = await service.figures.get(
        f"series {window}", lambda readers: readers.messages.series(window_s, bucket_s, time.time_ns())
    )
    items = tuple(
        Bucket(instant(one.start_ns), sent=one.sent, settled=one.settled, p50_s=one.p50_s, p95_s=one.p95_s)
        for one in found
    )
    return answer(Series(window=window, bucket_s=bucket_s, items=items))


@router.get("/v1/dead-letters", response_model=DeadLetterList, responses=refusals(Code.LEDGER_UNAVAILABLE))
async def dead_letters(service: InService, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Steps that were given up, with the reason and what to do."""
    page = await service.ledger.read(lambda readers: readers.messages.dead(cursor, limit))
    return answer(
        DeadLetterList(
            items=tuple(
                DeadLetter(
                    job=one.job,
                    message=summary(one.message),
                    reason=optional_public_text(one.reason),
                    cause=one.cause,
                    do=f"{one.mend}; to try it at once: hutong relay retry --config relay.toml {one.job}",
                    at=instant(one.at_ns),
                )
                for one in page.items
            ),
            next=page.next,
        )
    )


@router.post(
    "/v1/dead-letters/{kind}/{chain}/{client}/{sequence}/retry",
    status_code=202,
    response_model=Retried,
    responses=refusals(Code.FORBIDDEN, Code.NOT_FOUND, Code.CHAIN_UNAVAILABLE),
)
async def retry(
    service: InService,
    _key: Annotated[ApiKey, Depends(needs(Scope.ADMIN))],
    kind: Annotated[Literal["receive", "acknowledge", "timeout"], Path()],
    chain: ChainName,
    client: ClientId,
    sequence: Sequence,
) -> Response:
    """Try a dead letter again, from its first attempt, as `hutong relay retry` does."""
    job = f"{kind}:{chain}/{client}/{sequence}"
    if not await service.backend.ask(lambda chains: chains.letters.retry(job), ANSWER_LIMIT_S, asks_chains=False):
        raise ApiProblem(Code.NOT_FOUND, f"there is no dead letter {job}")
    return answer(Retried(job=job), 202)


@router.post(
    "/v1/dead-letters/retry",
    status_code=202,
    response_model=RetriedAll,
    responses=refusals(Code.FORBIDDEN, Code.INVALID_REQUEST, Code.CHAIN_UNAVAILABLE),
)
async def retry_all(
    service: InService, _key: Annotated[ApiKey, Depends(needs(Scope.ADMIN))], wanted: RetryAll
) -> Response:
    """Try all dead letters of a cause, of a route, or all, as `hutong relay retry --cause … --route … --all` does."""
    if not (wanted.all or wanted.cause or wanted.route):
        raise ApiProblem(Code.INVALID_REQUEST, "say which: a cause, a route, or all", status=422)
    chosen = Chosen(wanted.cause, wanted.route)
    woken = await _letters(service, lambda letters: letters.retry_all(chosen))
    return answer(RetriedAll(retried=woken), 202)


@router.post(
    "/v1/dead-letters/{kind}/{chain}/{client}/{sequence}/ignore",
    response_model=Ignored,
    responses=refusals(Code.FORBIDDEN, Code.INVALID_REQUEST, Code.CHAIN_UNAVAILABLE),
)
async def ignore(
    service: InService,
    _key: Annotated[ApiKey, Depends(needs(Scope.ADMIN))],
    kind: Annotated[Literal["receive", "acknowledge", "timeout"], Path()],
    chain: ChainName,
    client: ClientId,
    sequence: Sequence,
    wanted: Ignore,
) -> Response:
    """Leave a job alone from now on, as `hutong relay ignore` does; the ledger keeps the reason, and `why` tells it."""
    job = f"{kind}:{chain}/{client}/{sequence}"
    await _letters(service, lambda letters: letters.ignore(job, wanted.reason))
    return answer(Ignored(job=job, ignored=True))


@router.delete(
    "/v1/dead-letters/{kind}/{chain}/{client}/{sequence}/ignore",
    response_model=Ignored,
    responses=refusals(Code.FORBIDDEN, Code.INVALID_REQUEST, Code.NOT_FOUND, Code.CHAIN_UNAVAILABLE),
)
async def heed(
    service: InService,
    _key: Annotated[ApiKey, Depends(needs(Scope.ADMIN))],
    kind: Annotated[Literal["receive", "acknowledge", "timeout"], Path()],
    chain: ChainName,
    client: ClientId,
    sequence: Sequence,
) -> Response:
    """Undo that a job is left alone: it is tried from its first attempt."""
    job = f"{kind}:{chain}/{client}/{sequence}"
    if not await _letters(service, lambda letters: letters.heed(job)):
        raise ApiProblem(Code.NOT_FOUND, f"{job} is not ignored")
    return answer(Ignored(job=job, ignored=False))


async def _letters(service: Service, work: Callable[[Letters], Awaitable[Result]]) -> Result:
    """Raises ApiProblem."""
    try:
        return await service.backend.ask(lambda chains: work(chains.letters), ANSWER_LIMIT_S, asks_chains=False)
    except NotAJob as error:
        raise ApiProblem(Code.INVALID_REQUEST, str(error), status=422) from None
    except LedgerUnavailable as error:
        raise ApiProblem(Code.LEDGER_UNAVAILABLE, str(error)) from None


@router.get("/healthz", response_model=Health)
async def healthz() -> Response:
    """The server answers."""
    return answer(Health(status="ok"))


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness, "description": "not ready"}})
async def readyz(service: InService) -> Response:
    """The ledger answers, and every chain was reached in the last minute."""
    ledger = "ok"
    try:
        await service.ledger.read(lambda readers: readers.messages.newest_change())
    except ApiProblem as problem:
        ledger = problem.detail
    away = set(service.backend.views.away())
    chains = {view.name: "away" if view.name in away else "ok" for view in service.backend.views.chains}
    ready = ledger == "ok" and not away
    return answer(Readiness(ready=ready, ledger=ledger, chains=chains), 200 if ready else 503)
