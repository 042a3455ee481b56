"""`/v1/registrar/…`: persons by their signatures, offices by keys of scope `register`.

Whoever a request is about stands in its body alone, so that no address that a proxy logs names anybody.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection

from hutong.adapters.interface import AdapterError
from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.daemon.requests import needs
from hutong.relay.services.identity.registrar import requests as forms
from hutong.relay.services.identity.registrar.desk import (
    AnotherShard,
    NobodyThere,
    NotFollowed,
    PersonsDesk,
)
from hutong.relay.services.identity.registrar.door import RegistrarDoor
from hutong.relay.services.identity.registrar.invitations import (
    TooManyInvitations,
    add_invitations,
    spend_invitation,
)
from hutong.relay.services.identity.registrar.operations import (
    Kind,
    Operation,
    OperationState,
    PersonIsWaiting,
    TooManyWaiting,
    operation_of,
)
from hutong.relay.services.identity.registrar.shards import Shards
from hutong.relay.services.identity.rules.jose import encode_base64url
from hutong.relay.services.identity.rules.persons.asking import judge_asking
from hutong.relay.services.identity.rules.persons.person import person_id
from hutong.relay.services.identity.rules.persons.person_proof import PersonProof, encode_person_proof
from hutong.relay.services.identity.rules.records.keys import shard_key
from hutong.relay.services.identity.rules.records.shard_record import MAX_LEAVES
from hutong.relay.web.api_keys import Scope
from hutong.relay.web.problems import ApiProblem, Code, refused_field

INVITATION_BYTES = 16
DAY_S = 86_400
NOT_THERE = "nobody stands there"


class InvitationRefused(Exception):
    """It is over, of somebody else, or none."""


@dataclass(slots=True)
class OpenDoor:
    """The hub while it is reached; None at other times."""

    door: RegistrarDoor | None = None

    async def record(self, key: bytes) -> bytes | None:
        """A record of the hub, by the node's word.

        Raises:
            ApiProblem: the hub does not answer.
        """
        try:
            if self.door is not None:
                return await self.door.record(key)
        except AdapterError:
            pass
        raise ApiProblem(Code.CHAIN_UNAVAILABLE, "the hub does not answer; ask again later")


def registrar_router(desk: PersonsDesk, hub: OpenDoor) -> APIRouter:
    """What persons, guardians and offices call."""
    router = APIRouter(prefix="/v1/registrar", tags=["registrar"])
    router.include_router(_office_router(desk))
    router.include_router(_reading_router(desk, hub))
    router.include_router(_recovery_router(desk, hub))

    @router.get("", response_model=forms.RegistrarAnswer)
    async def registrar() -> dict[str, Any]:
        """Who registers, and for which shard a registration is signed now."""
        async with judging(desk) as shards:
            number, shard = shards.last()
            return {
                "did": desk.config.hub.did,
                "hub": desk.hub,
                "shard": number,
                "free": MAX_LEAVES - shard.count,
                "height": shards.height,
                "collect_s": desk.config.collect_s,
            }

    @router.post("/registrations", response_model=forms.TakenAnswer, status_code=202)
    async def registrations(wanted: forms.OwnRegistration) -> dict[str, str]:
        """Register oneself, by an invitation of the registrar's office and the key's own signature."""
        async with judging(desk):
            (operation,) = desk.registrations(wanted.shard, [bytes.fromhex(wanted.registration)])

        def spend(connection: Connection, taken: Sequence[Operation]) -> None:
            if not spend_invitation(connection, wanted.invitation, taken[0].receipt, desk.common.now_s()):
                raise InvitationRefused

        return (await taken(desk, [operation], spend))[0]

    @router.post("/changes", response_model=forms.TakenAnswer, status_code=202)
    async def changes(wanted: forms.WantedChange) -> dict[str, str]:
        """Let the committed next key take over, or where there is none the present key name another."""
        async with judging(desk):
            operation = desk.change(wanted.shard, bytes.fromhex(wanted.change))
        return (await taken(desk, [operation]))[0]

    return router


def _reading_router(desk: PersonsDesk, hub: OpenDoor) -> APIRouter:
    router = APIRouter()

    @router.post("/proofs", response_model=forms.ProofAnswer)
    async def proofs(wanted: forms.WantedProof, request: Request) -> dict[str, Any]:
        """Opening and path of a person, for itself, its guardians and offices."""
        async with judging(desk) as shards:
            person, place = desk.person(wanted.shard, wanted.index), desk.place(wanted.shard, wanted.index)
            if request.scope.get("hutong.key") is not None:
                needs(Scope.REGISTER)(request)
            elif wanted.signature is None or wanted.expires is None:
                raise ApiProblem(Code.UNAUTHORIZED, "sign the request, or send a key with scope register")
            else:
                policy = None if wanted.policy is None else bytes.fromhex(wanted.policy)
                said = (wanted.expires, bytes.fromhex(wanted.signature), policy)
                judge_asking(VERIFY, desk.hub, (place, person), said, desk.common.now_s())
            path, height = shards.shard(wanted.shard).path(wanted.index), shards.height
        recovery = await hub.record(desk.recovery_key(wanted.shard, wanted.index))
        return {
            "did": did_of(desk, wanted.shard, wanted.index, person.salt),
            "proof": encode_person_proof(PersonProof(place, person, path)).hex(),
            "record": shard_key(desk.registrar, wanted.shard).hex(),
            "height": height,
            "recovery": None if recovery is None else recovery.hex(),
        }

    @router.post("/receipts", response_model=forms.StandingAnswer)
    async def receipts(shown: forms.ReceiptShown) -> dict[str, Any]:
        """What came of something that was asked."""
        found = await desk.database.run(lambda connection: operation_of(connection, shown.receipt))
        if found is None:
            raise ApiProblem(Code.NOT_FOUND, "nothing was taken by this receipt, or it was forgotten since")
        is_registered = found.kind is Kind.REGISTRATION and found.state is OperationState.DONE
        did = None
        if is_registered and found.index is not None:
            async with judging(desk):
                did = did_of(desk, found.shard, found.index, desk.person(found.shard, found.index).salt)
        return {
            "receipt": found.receipt,
            "kind": found.kind,
            "state": found.state,
            "shard": found.shard,
            "index": found.index if is_registered or found.kind is not Kind.REGISTRATION else None,
            "did": did,
            "reason": found.reason,
            "effective_at_s": found.effective_s,
        }

    return router


def _office_router(desk: PersonsDesk) -> APIRouter:
    router = APIRouter(dependencies=[Depends(needs(Scope.REGISTER))])

    @router.post("/invitations", response_model=forms.InvitationsAnswer, status_code=201)
    async def invitations(wanted: forms.InvitationsWanted) -> dict[str, Any]:
        """Codes for persons of whom the office has seen who they are; a code lets in one registration."""
        codes = [encode_base64url(desk.common.random_bytes(INVITATION_BYTES)) for _ in range(wanted.count)]
        expires_s = desk.common.now_s() + wanted.days * DAY_S
        try:
            await desk.database.run(lambda connection: add_invitations(connection, codes, expires_s))
        except TooManyInvitations:
            raise ApiProblem(Code.BUSY, "too many invitations stand unused; some must end first") from None
        return {"invitations": codes, "expires_at_s": expires_s}

    @router.post("/batches", response_model=forms.ManyTakenAnswer, status_code=202)
    async def batches(wanted: forms.ManyRegistrations) -> dict[str, Any]:
        """Register many at once; all are taken, or none."""
        async with judging(desk):
            operations = desk.registrations(wanted.shard, [bytes.fromhex(one) for one in wanted.registrations])
        return {"taken": await taken(desk, operations)}

    return router


def _recovery_router(desk: PersonsDesk, hub: OpenDoor) -> APIRouter:
    router = APIRouter(prefix="/recoveries")

    async def standing(shard: int, index: int) -> bytes:
        raw = await hub.record(desk.recovery_key(shard, index))
        if raw is None:
            raise ApiProblem(Code.NOT_FOUND, "no recovery stands there")
        return raw

    @router.post("", response_model=forms.TakenAnswer, status_code=202)
    async def recoveries(wanted: forms.WantedRecovery, request: Request) -> dict[str, str]:
        """Begin a recovery: by guardians' signatures until `expires`, or without any as the registrar, by an office's key."""
        approval = None
        if wanted.expires is None or not wanted.signatures:
            needs(Scope.REGISTER)(request)
            if wanted.expires is not None or wanted.signatures:
                raise refused_field("expires", "and signatures come together, or neither")
        else:
            approval = wanted.expires, [bytes.fromhex(one) for one in wanted.signatures]
        following, policy = bytes.fromhex(wanted.following), bytes.fromhex(wanted.policy)
        async with judging(desk):
            operation = desk.recovery((wanted.shard, wanted.index), following, policy, approval)
        return (await taken(desk, [operation]))[0]

    @router.post("/cancel", response_model=forms.TakenAnswer, status_code=202)
    async def cancel(wanted: forms.WantedCancellation) -> dict[str, str]:
        """End a recovery within its delay, by the present key."""
        raw = await standing(wanted.shard, wanted.index)
        async with judging(desk):
            operation = desk.cancellation((wanted.shard, wanted.index), bytes.fromhex(wanted.signature), raw)
        return (await taken(desk, [operation]))[0]

    @router.post("/complete", response_model=forms.TakenAnswer, status_code=202)
    async def complete(wanted: forms.WantedCompletion) -> dict[str, str]:
        """Let a recovery take effect whose delay is over."""
        raw = await standing(wanted.shard, wanted.index)
        async with judging(desk):
            operation = desk.completion((wanted.shard, wanted.index), raw)
        return (await taken(desk, [operation]))[0]

    return router


@asynccontextmanager
async def judging(desk: PersonsDesk) -> AsyncIterator[Shards]:
    """The shards as of a block; what the rules refuse in the block is a problem of the request.

    Raises:
        ApiProblem: see there.
    """
    try:
        async with desk.followed() as shards:
            yield shards
    except NotFollowed as error:
        raise ApiProblem(Code.CHAIN_UNAVAILABLE, str(error)) from None
    except NobodyThere:
        raise ApiProblem(Code.NOT_FOUND, NOT_THERE) from None
    except AnotherShard as error:
        raise refused_field("shard", f"is not filled now: sign for shard {error.number}") from None
    except MalformedInput as error:
        raise refused_field(error.field, error.reason) from None
    except PredicateFailed as error:
        raise ApiProblem(Code.REFUSED_BY_CHAIN, f"{error.predicate}: {error.reason}") from None


async def taken(
    desk: PersonsDesk,
    operations: Sequence[Operation],
    also: Callable[[Connection, Sequence[Operation]], None] = lambda _connection, _taken: None,
) -> list[dict[str, str]]:
    """Receipts of what is kept from now on.

    Raises:
        ApiProblem: the queue is full, another operation of the person waits, or the invitation does not let it in.
    """
    try:
        states = await desk.take(operations, also)
    except TooManyWaiting:
        raise ApiProblem(
            Code.BUSY, "too much waits for the hub; ask again later", headers={"Retry-After": "60"}
        ) from None
    except PersonIsWaiting:
        raise ApiProblem(
            Code.BUSY, "something of this person waits for the hub; ask again when it is settled"
        ) from None
    except InvitationRefused:
        raise ApiProblem(
            Code.FORBIDDEN, "the invitation is over, used, or none: ask the registrar's office for one"
        ) from None
    return [{"receipt": one.receipt, "state": state} for one, state in zip(operations, states, strict=True)]


def did_of(desk: PersonsDesk, shard: int, index: int, salt: bytes) -> str:
    """The DID of whoever stands at a place."""
    return f"did:hutong:{desk.hub}:{person_id(desk.hub, desk.place(shard, index), salt).hex()}"
