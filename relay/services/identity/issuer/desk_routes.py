"""What departments ask: offers made, credentials revoked, the state of it all. With keys of scope `issue`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from hutong.light_clients.interface import MalformedInput
from hutong.relay.services.identity.daemon.requests import json_body, needs
from hutong.relay.services.identity.issuer.context import Issuer
from hutong.relay.services.identity.issuer.deferring import release
from hutong.relay.services.identity.issuer.offering import OfferWish, checked_reference, make_offer
from hutong.relay.services.identity.issuer.revoking import Revocation, revoke
from hutong.relay.services.identity.issuer.settings import IssuerConfig
from hutong.relay.services.identity.rules.jose import JsonObject, JsonValue
from hutong.relay.web.api_keys import Scope
from hutong.relay.web.problems import ApiProblem, Code, refused_field


class StrictModel(BaseModel):
    """Of an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OfferAnswer(StrictModel):
    """An offer: hand on the link, and the transaction code by another way."""

    id: str
    offer_uri: str
    link: str
    transaction_code: str | None
    expires_at_s: int


class RevocationAnswer(StrictModel):
    """How many credentials were revoked by this; those that were so already do not count."""

    revoked: int


class ReleaseAnswer(StrictModel):
    """How many offers were released by this."""

    released: int


class StateAnswer(StrictModel):
    """What the issuer has done. `refusal` says why nothing is issued, if so."""

    issued: int
    lists: int
    free: Annotated[int, Field(description="indices that can still be drawn in open lists")]
    refusal: str | None


def wish_of(config: IssuerConfig, body: JsonObject, now_s: int) -> OfferWish:
    """A department's wish as it is read.

    Raises:
        MalformedInput: an unknown member or type, or claims that the type does not have.
    """
    known = {"type", "claims", "reference", "transaction_code", "by_login", "expires_in_s", "hold"}
    if unknown := sorted(body.keys() - known):
        raise MalformedInput(unknown[0][:40], "is no member of an offer", expected=sorted(known))
    named = body.get("type")
    found = next((one for one in config.credentials if one.id == named), None)
    if found is None:
        raise MalformedInput("type", "is no type of this issuer", expected=[one.id for one in config.credentials][:16])
    claims = body.get("claims")
    if not isinstance(claims, dict):
        raise MalformedInput("claims", "is not an object")
    longest_s = config.offer_hours * 3_600
    expires_in_s = body.get("expires_in_s", longest_s)
    if type(expires_in_s) is not int or not 0 < expires_in_s <= longest_s:
        raise MalformedInput("expires_in_s", f"is not 1 to {longest_s} seconds", got=expires_in_s)
    return OfferWish(
        found,
        found.checked(claims),
        checked_reference(body.get("reference")),
        _flag(body, "transaction_code", default=True),
        _flag(body, "by_login", default=False),
        now_s + expires_in_s,
        _held(body),
    )


def _held(body: JsonObject) -> bool:
    held = _flag(body, "hold", default=False)
    if held and body.get("reference") is None:
        raise MalformedInput("reference", "is needed for what is held, so that it can be released")
    return held


def _flag(body: JsonObject, name: str, *, default: bool) -> bool:
    value: JsonValue = body.get(name, default)
    if not isinstance(value, bool):
        raise MalformedInput(name, "is neither true nor false", got=value)
    return value


def desk_router(issuer: Issuer) -> APIRouter:
    """`/v1/issuer/…`."""
    router = APIRouter(prefix="/v1/issuer", tags=["issuer"], dependencies=[Depends(needs(Scope.ISSUE))])

    @router.post("/offers", response_model=OfferAnswer, status_code=201)
    async def offers(request: Request) -> dict[str, Any]:
        """Offer a credential: `type`, `claims`, and if wanted `reference`, `transaction_code` (true), `by_login` (false),
        `expires_in_s`, `hold` (false: credentials come when the reference is released)."""
        with_body = await _body(request)
        try:
            wish = wish_of(issuer.config, with_body, issuer.common.now_s())
        except MalformedInput as error:
            raise refused_field(error.field, f"{error.reason}") from None

        def make(connection: Connection) -> dict[str, Any]:
            return make_offer(connection, issuer.identifier, wish, issuer.common.random_bytes).fields()

        return await issuer.ledger.database.run(make)

    @router.post("/revocations", response_model=RevocationAnswer)
    async def revocations(request: Request) -> dict[str, int]:
        """Revoke what was issued under a `reference`, whose offers end, or one credential by `list` and `index`. Nothing takes
        it back."""
        body = await _body(request)
        try:
            revocation = Revocation.of(body)
        except MalformedInput as error:
            raise refused_field(error.field, error.reason) from None
        revoked = await issuer.ledger.database.run(lambda connection: revoke(connection, revocation))
        if revoked.refusal is not None:
            raise ApiProblem(Code.NOT_FOUND, revoked.refusal)
        issuer.ledger.wake()
        return {"revoked": revoked.risen}

    @router.post("/releases", response_model=ReleaseAnswer)
    async def releases(request: Request) -> dict[str, int]:
        """Release what is held under a `reference`: wallets that ask again get their credentials."""
        body = await _body(request)
        try:
            if body.keys() != {"reference"} or (reference := checked_reference(body["reference"])) is None:
                raise MalformedInput("body", "names a reference, and nothing else")
        except MalformedInput as error:
            raise refused_field(error.field, error.reason) from None
        now_s = issuer.common.now_s()
        released = await issuer.ledger.database.run(lambda connection: release(connection, reference, now_s))
        if released == 0:
            raise ApiProblem(Code.NOT_FOUND, "nothing is held so")
        return {"released": released}

    @router.get("/state", response_model=StateAnswer)
    async def state() -> dict[str, Any]:
        """How much was issued, over how many lists, and whether anything stands against issuing."""
        ledger = issuer.ledger
        free = sum(one.size - one.used for one in ledger.book if one.is_open)
        return {"issued": ledger.log.size, "lists": len(ledger.book), "free": free, "refusal": ledger.refusal}

    return router


async def _body(request: Request) -> JsonObject:
    try:
        return await json_body(request)
    except MalformedInput as error:
        raise ApiProblem(Code.INVALID_REQUEST, str(error), field="body") from None
