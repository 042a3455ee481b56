"""`/v1/…`: the operator's door. Lists, first messages, and every step of ours, each with a key of scope `admin`."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.document import Document
from hutong.relay.base.http import Receive, Send, read_body, respond
from hutong.relay.services.directory.dspace.connector import Asked, Refused, Unknown
from hutong.relay.services.directory.dspace.deciding import facts_of, use_is_permitted
from hutong.relay.services.directory.dspace.participants import Participant
from hutong.relay.services.directory.dspace.process import HeldAgreement, Process
from hutong.relay.services.directory.dspace.running import Running
from hutong.relay.services.directory.dspace.store import Rows
from hutong.relay.services.directory.rules.dspace.messages import MAX_MESSAGE_BYTES
from hutong.relay.services.directory.rules.dspace.policy_shape import check_agreement, check_offer
from hutong.relay.services.directory.rules.dspace.vocabulary import Kind, Role, State
from hutong.relay.services.directory.rules.policy.reading import policy_of
from hutong.relay.services.directory.rules.policy.vocabulary import PROFILE
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject, read_json_object
from hutong.relay.web.api_keys import Scope
from hutong.relay.web.problems import ApiProblem, Code

MAX_LISTED: Final = 500
STEPS: Final = {
    "negotiations": {
        "request": Kind.REQUEST,
        "offer": Kind.OFFER,
        "accept": Kind.ACCEPTED,
        "agree": Kind.AGREEMENT,
        "verify": Kind.VERIFICATION,
        "finalize": Kind.FINALIZED,
        "terminate": Kind.TERMINATION,
    },
    "transfers": {
        "start": Kind.TRANSFER_START,
        "suspend": Kind.TRANSFER_SUSPENSION,
        "complete": Kind.TRANSFER_COMPLETION,
        "terminate": Kind.TRANSFER_TERMINATION,
    },
}
_PLACE: Final = re.compile(r"/v1/(?P<place>negotiations|transfers|agreements)(/(?P<pid>[^/]+)(/(?P<step>[a-z]+))?)?")


class OperatorApi:
    """ASGI for everything below `/v1/`."""

    def __init__(self, running: Running) -> None:
        self._running = running

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        key = scope.get("hutong.key")
        if key is None:
            raise ApiProblem(Code.UNAUTHORIZED, "a key with scope admin is needed: send `Authorization: Bearer hk_…`")
        if Scope.ADMIN not in key.scopes:
            raise ApiProblem(Code.FORBIDDEN, "the key does not have the scope admin; use one that has")
        body = await read_body(receive, MAX_MESSAGE_BYTES)
        if body is None:
            return
        found = _PLACE.fullmatch(scope["path"])
        if found is None:
            raise ApiProblem(Code.NOT_FOUND, "there is no such address; see docs/directory/connector.md")
        try:
            shown = await self._answer(scope, found.groupdict(), body)
        except Unknown as error:
            raise ApiProblem(Code.NOT_FOUND, str(error)) from None
        except Refused as error:
            raise ApiProblem(Code.INVALID_REQUEST, f"{error.rule}: {error}", status=422) from None
        except MalformedInput as error:
            raise ApiProblem(Code.INVALID_REQUEST, str(error), field=error.field) from None
        await respond(send, 200, json.dumps(shown, ensure_ascii=False).encode())

    async def _answer(self, scope: Any, at: dict[str, str | None], body: bytes) -> object:
        place, pid, step = str(at["place"]), at["pid"], at["step"]
        if scope["method"] == "GET" and step is None:
            return await self._shown(place, pid, scope["query_string"].decode("ascii", "replace"))
        if scope["method"] != "POST" or (pid is not None and step is None):
            raise ApiProblem(
                Code.METHOD_NOT_ALLOWED, "lists and processes are read with GET, steps are taken with POST"
            )
        fields = Document(read_json_object(body or b"{}", "body", MAX_MESSAGE_BYTES), "body")
        if pid is None:
            first = {"negotiations": self._negotiate, "transfers": self._transfer, "agreements": self._import}[place]
            return await first(fields)
        kind = STEPS.get(place, {}).get(str(step))
        if kind is None:
            raise ApiProblem(Code.NOT_FOUND, f"there is no such step; there are {', '.join(STEPS.get(place, {}))}")
        return await self._step(pid, kind, fields)

    async def _shown(self, place: str, pid: str | None, query: str) -> object:
        store = self._running.store
        after = re.fullmatch(r"after=([0-9]{1,15})", query)
        if place == "agreements":
            if pid is None:
                named = await store.run(lambda rows: rows.agreements("", MAX_LISTED))
                return {"agreements": named}
            held = await store.run(lambda rows: rows.agreement(pid))
            if held is None:
                raise Unknown("there is no such agreement")
            return _held_fields(held)
        is_transfer = place == "transfers"
        if pid is None:
            first = int(after[1]) if after else 0
            listed = await store.run(lambda rows: rows.processes(first, MAX_LISTED, is_transfer=is_transfer))
            return {place: [_listed_fields(one) for one in listed]}
        process = await self._running.process(pid)
        if process is None or process.is_transfer is not is_transfer:
            raise Unknown("there is no such process")
        return _process_fields(process)

    async def _negotiate(self, fields: Document) -> object:
        with fields.members() as said:
            provider = self._participant(said["participant"].text(512))
            address = provider.url if (given := said.optional("address")) is None else given.text(2_048)
            offer = check_offer(said["offer"].value, "body.offer", has_target=True)
        connector = self._running.connector
        return await self._changed(lambda rows: connector.request(rows, provider, address, offer))

    async def _transfer(self, fields: Document) -> object:
        with fields.members() as said:
            provider = self._participant(said["participant"].text(512))
            address = provider.url if (given := said.optional("address")) is None else given.text(2_048)
            agreement, format_ = said["agreement"].text(512), said["format"].text(512)
        connector = self._running.connector
        return await self._changed(lambda rows: connector.request_transfer(rows, provider, address, agreement, format_))

    async def _import(self, fields: Document) -> object:
        """An agreement that was made elsewhere, such as by another connector of ours. It is no record of a hub."""
        with fields.members() as said:
            agreement = check_agreement(said["agreement"].value, "body.agreement")
        policy = policy_of({"profile": PROFILE, **agreement})
        own = self._running.connector.participant_id
        if own not in (policy.assigner, policy.assignee):
            raise MalformedInput("body.agreement", "is between others", got=policy.assignee, expected=own)
        role = Role.PROVIDER if policy.assigner == own else Role.CONSUMER
        other = str(policy.assignee if role is Role.PROVIDER else policy.assigner)
        canonical = read_json_object(policy.canonical, "agreement", len(policy.canonical))
        held = HeldAgreement(str(policy.id), role, self._participant(other).id, canonical, None)

        def put(rows: Rows) -> None:
            if rows.agreement(held.id) not in (None, held):
                raise Refused("agreements_have_names_of_their_own", f"agreement {held.id[:80]} is there already")
            rows.put_agreement(held)

        await self._running.store.run(put)
        return _held_fields(held)

    async def _step(self, pid: str, kind: Kind, fields: Document) -> object:
        asked, stated = _asked(fields)
        connector = self._running.connector

        def step(rows: Rows) -> Process:
            process = rows.process(pid)
            starts = kind is Kind.TRANSFER_START and process is not None and process.role is Role.PROVIDER
            # What was suspended is judged anew: the agreement may be over since.
            if starts and process is not None and process.state in (State.REQUESTED, State.SUSPENDED):
                held = rows.agreement(str(process.agreement_id))
                if held is None:
                    raise Unknown("the agreement is gone")
                use_is_permitted(held, replace(facts_of(held, process.participant), **stated))
            return connector.step(rows, pid, kind, asked)

        return await self._changed(step)

    async def _changed(self, transaction: Callable[[Rows], Process]) -> object:
        process = await self._running.store.run(transaction)
        self._running.changed()
        return _process_fields(process)

    def _participant(self, name: str) -> Participant:
        found = self._running.participants.by_id(name)
        if found is None:
            raise Unknown(f"the configuration has no participant {name[:80]}")
        return found


def _asked(fields: Document) -> tuple[Asked, dict[str, Any]]:
    """What a step says, and what is stated of the use that a transfer is for."""
    known = {"dataAddress", "offer", "code", "reason", "despite", "purpose", "spatial", "language"}
    value = fields.value
    for name in value:
        if name not in known:
            raise MalformedInput(f"body.{name[:64]}", "is not a member of a step", expected=sorted(known))
    texts = {name: value.get(name) for name in ("code", "despite", "purpose", "spatial", "language", "reason")}
    for name, text in texts.items():
        if text is not None and (not isinstance(text, str) or len(text) > 1_000):
            raise MalformedInput(f"body.{name}", "is not a text of at most 1000 characters")
    address: JsonObject | None = value.get("dataAddress")
    if address is not None and (not isinstance(address, dict) or address.get("@type") != "DataAddress"):
        raise MalformedInput("body.dataAddress", "is not a DataAddress")
    offer = check_offer(value["offer"], "body.offer") if "offer" in value else None
    reasons = () if texts["reason"] is None else (str(texts["reason"]),)
    stated = {name: texts[name] for name in ("purpose", "spatial", "language") if texts[name] is not None}
    return Asked(address, offer, texts["code"], reasons, texts["despite"]), stated


def _process_fields(process: Process) -> dict[str, Any]:
    return process.fields()


def _listed_fields(process: Process) -> dict[str, Any]:
    """Without data addresses, which hold a counterparty's secrets: whoever fetches asks for one process."""
    return {name: value for name, value in process.fields().items() if name != "data_address"}


def _held_fields(held: HeldAgreement) -> dict[str, Any]:
    return {
        "id": held.id,
        "role": held.role.value,
        "participant": held.participant,
        "policy": held.policy,
        "negotiation": held.negotiation,
        "recorded": held.recorded,
    }
