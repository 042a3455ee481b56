"""Chains, light clients and paths as they were when they were last read."""

import time

from fastapi import APIRouter, Depends, Response

from hutong.relay.api.models.instants import instant
from hutong.relay.api.reading.describing import chain_list, client_list, path_end
from hutong.relay.api.reading.public_text import optional_public_text
from hutong.relay.api.requests import InService, answer, known_parameters, refusals
from hutong.relay.config import PathEnd
from hutong.relay.ledger import remedy_of
from hutong.relay.ledger.values.messages import OpenRoute
from hutong.relay.schemas.network import ChainList, ClientList, Direction, Path, PathList
from hutong.relay.web.problems import Code

router = APIRouter(prefix="/v1", tags=["chains"], dependencies=[Depends(known_parameters)])


@router.get("/chains", response_model=ChainList, responses=refusals())
async def chains(service: InService) -> Response:
    """Every configured chain: its newest final block, its applications, and whether it is paused."""
    return answer(chain_list(service.backend.views))


@router.get("/clients", response_model=ClientList, responses=refusals())
async def clients(service: InService) -> Response:
    """The light clients of every configured path, with their freshness and expiry."""
    return answer(client_list(service.backend.views))


@router.get("/paths", response_model=PathList, responses=refusals(Code.LEDGER_UNAVAILABLE))
async def paths(service: InService) -> Response:
    """Every configured path, and why either direction waits."""
    opened = await service.ledger.read(lambda readers: readers.messages.open_by_route())
    by_route = {one.route: one for one in opened}
    now_ns = time.time_ns()

    def direction(towards: PathEnd) -> Direction:
        return _direction(by_route.get(f"{towards.chain}:{towards.client}"), now_ns)

    return answer(
        PathList(
            tuple(
                Path(a=path_end(path.a), b=path_end(path.b), a_to_b=direction(path.b), b_to_a=direction(path.a))
                for path in service.config.paths
            )
        )
    )


def _direction(found: OpenRoute | None, now_ns: int) -> Direction:
    if found is None:
        return Direction(waiting=None, cause=None, since=None, do=None, open=0)
    state = found.state
    if state is None or state.reason is None:
        return Direction(waiting=None, cause=None, since=None, do=None, open=found.open)
    return Direction(
        waiting=optional_public_text(state.reason),
        cause=state.cause,
        since=instant(min(state.since_ns, now_ns)),
        do=remedy_of(state.cause),
        open=found.open,
    )
