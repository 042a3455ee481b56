"""The token registry."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from hutong.relay.api.requests import InService, answer, known_parameters, refusals, refuse_unknown_chain
from hutong.relay.schemas.network import TokenList
from hutong.relay.web.problems import Code

router = APIRouter(prefix="/v1", tags=["tokens"], dependencies=[Depends(known_parameters)])


@router.get("/tokens", response_model=TokenList, responses=refusals(Code.LEDGER_UNAVAILABLE))
async def tokens(
    service: InService, chain: Annotated[str | None, Query(max_length=32, examples=["alpha"])] = None
) -> Response:
    """Every token that was seen in a transfer, at its home and as vouchers; with `chain` those that it has."""
    refuse_unknown_chain(service, "chain", chain)
    return answer(await service.tokens.tokens(chain))
