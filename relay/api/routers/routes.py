"""How to get from one chain to another, how long it takes and what it costs."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from hutong.relay.api.reading.describing import hops_of
from hutong.relay.api.reading.ways import Way, ways
from hutong.relay.api.requests import InService, answer, known_parameters, refusals, refuse_unknown_chain
from hutong.relay.ledger.values.messages import Estimate
from hutong.relay.schemas.network import Fee, Route, RouteEstimate, RouteList, Send
from hutong.relay.web.problems import Code

router = APIRouter(prefix="/v1", tags=["routes"], dependencies=[Depends(known_parameters)])

ESTIMATE_DAYS = 7


@router.get("/routes", response_model=RouteList, responses=refusals(Code.LEDGER_UNAVAILABLE))
async def routes(
    service: InService,
    from_: Annotated[str, Query(alias="from", max_length=32, examples=["alpha"])],
    to: Annotated[str, Query(max_length=32, examples=["beta"])],
) -> Response:
    """Every way of at most two hops, direct ones first, with the time and the relay's fees of the last 7 days."""
    refuse_unknown_chain(service, "from", from_)
    refuse_unknown_chain(service, "to", to)
    since_ns = time.time_ns() - ESTIMATE_DAYS * 86_400 * 10**9
    found = ways(service.config, service.paths, from_, to)
    estimate = None
    if found:
        estimate = await service.ledger.read(lambda readers: readers.messages.estimate(from_, to, since_ns))
    return answer(RouteList(tuple(_route(way, estimate) for way in found)))


def _route(way: Way, estimate: Estimate | None) -> Route:
    return Route(
        hops=hops_of(way),
        via=way.via,
        send=Send(client=way.client, next_client=way.next_client),
        estimate=RouteEstimate(samples=0, p50_s=None, p95_s=None, fees=())
        if estimate is None
        else RouteEstimate(
            samples=estimate.samples,
            p50_s=estimate.p50_s,
            p95_s=estimate.p95_s,
            fees=tuple(Fee(fee.chain, fee.fee_wei) for fee in estimate.fees),
        ),
    )
