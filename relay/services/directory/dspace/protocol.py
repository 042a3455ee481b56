"""The end points of the Dataspace Protocol 2025-1 (HTTPS binding): catalogue, negotiations, transfers, versions."""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from hutong.light_clients.interface import MalformedInput
from hutong.relay.base.http import Receive, Send, read_body, respond
from hutong.relay.services.directory.dspace.catalogue import own_dataset
from hutong.relay.services.directory.dspace.connector import Busy, Refused, Unknown
from hutong.relay.services.directory.dspace.participants import Participant
from hutong.relay.services.directory.dspace.process import Process
from hutong.relay.services.directory.dspace.running import Running
from hutong.relay.services.directory.rules.dspace.messages import (
    MAX_MESSAGE_BYTES,
    Message,
    read_catalog_request,
    read_message,
)
from hutong.relay.services.directory.rules.dspace.vocabulary import VERSION, Kind
from hutong.relay.services.directory.rules.dspace.writing import catalog_error, encode, process_error
from hutong.relay.services.directory.rules.policy.reading import policy_of
from hutong.relay.services.directory.rules.policy.vocabulary import PROFILE
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject

PREFIX: Final = "/dsp"
VERSIONS: Final = "/.well-known/dspace-version"
_POSTS: Final[tuple[tuple[str, tuple[Kind, ...]], ...]] = (
    (r"/negotiations/request", (Kind.REQUEST,)),
    (r"/negotiations/offers", (Kind.OFFER,)),
    (r"/negotiations/(?P<pid>[^/]+)/request", (Kind.REQUEST,)),
    (r"/negotiations/(?P<pid>[^/]+)/offers", (Kind.OFFER,)),
    (r"/negotiations/(?P<pid>[^/]+)/events", (Kind.ACCEPTED, Kind.FINALIZED)),
    (r"/negotiations/(?P<pid>[^/]+)/agreement", (Kind.AGREEMENT,)),
    (r"/negotiations/(?P<pid>[^/]+)/agreement/verification", (Kind.VERIFICATION,)),
    (r"/negotiations/(?P<pid>[^/]+)/termination", (Kind.TERMINATION,)),
    (r"/transfers/request", (Kind.TRANSFER_REQUEST,)),
    (r"/transfers/(?P<pid>[^/]+)/start", (Kind.TRANSFER_START,)),
    (r"/transfers/(?P<pid>[^/]+)/suspension", (Kind.TRANSFER_SUSPENSION,)),
    (r"/transfers/(?P<pid>[^/]+)/completion", (Kind.TRANSFER_COMPLETION,)),
    (r"/transfers/(?P<pid>[^/]+)/termination", (Kind.TRANSFER_TERMINATION,)),
)
_POST_ROUTES: Final = tuple((re.compile(pattern), kinds) for pattern, kinds in _POSTS)
_GET_PROCESS: Final = re.compile(r"/(?P<place>negotiations|transfers)/(?P<pid>[^/]+)")
_GET_DATASET: Final = re.compile(r"/catalog/datasets/(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `headers` after content type and length."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


class ProtocolApp:
    """ASGI for everything below PREFIX, and the versions."""

    def __init__(self, running: Running) -> None:
        self._running = running

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["path"] == VERSIONS:
            answer = _versions() if scope["method"] == "GET" else Answer(405)
        else:
            body = await read_body(receive, MAX_MESSAGE_BYTES)
            if body is None:
                return
            answer = await self._answer(scope, body)
        await respond(send, answer.status, answer.body, headers=answer.headers)

    async def _answer(self, scope: Any, body: bytes) -> Answer:
        headers = dict(scope["headers"])
        sender = self._running.participants.showing(headers.get(b"authorization"))
        path = scope["path"].removeprefix(PREFIX)
        if sender is None:
            challenge = ((b"www-authenticate", b"Bearer"),)
            said = ("unauthorized", "show the token that this connector's operator gave you")
            return Answer(401, encode(_error(path, said, None)), challenge)
        if scope["method"] == "GET":
            return await self._get(path, sender)
        if scope["method"] != "POST":
            return Answer(405, encode(_error(path, ("method", "GET and POST alone are taken"), None)))
        if path == "/catalog/request":
            return self._catalogue(body, scope["query_string"])
        for route, kinds in _POST_ROUTES:
            if found := route.fullmatch(path):
                return await self._message(sender, path, body, kinds, found.groupdict().get("pid"))
        return Answer(404, encode(_error(path, ("address", "there is no such end point"), None)))

    def _catalogue(self, body: bytes, query: bytes) -> Answer:
        try:
            wanted = read_catalog_request(body)
        except MalformedInput as error:
            return Answer(400, encode(catalog_error("message", [str(error)])))
        if wanted:
            return Answer(400, encode(catalog_error("filter", ["filters are not supported: leave filter out"])))
        pages = self._running.connector.catalogue().pages
        asked = parse_qs(query.decode("ascii", "replace")).get("page", ["0"])[-1]
        number = int(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else len(pages)
        if number >= len(pages):
            return Answer(404, encode(catalog_error("page", ["there is no such page"])))
        links = []
        for step, word in ((1, "next"), (-1, "prev")):
            if 0 <= number + step < len(pages):
                links.append(f'<{self._running.connector.endpoint}/catalog/request?page={number + step}>; rel="{word}"')
        return Answer(200, pages[number], ((b"link", ", ".join(links).encode()),) if links else ())

    async def _get(self, path: str, sender: Participant) -> Answer:
        if found := _GET_DATASET.fullmatch(path):
            shown = own_dataset(self._running.connector.catalogue(), found["name"])
            if shown is None:
                return Answer(404, encode(catalog_error("dataset", ["there is no such data set"])))
            return Answer(200, shown)
        if found := _GET_PROCESS.fullmatch(path):
            process = await self._running.process(found["pid"])
            is_transfer = found["place"] == "transfers"
            if process is None or process.participant != sender.id or process.is_transfer is not is_transfer:
                return Answer(404, encode(_error(path, ("process", "there is no such process"), None)))
            return Answer(200, encode(process.shown()))
        return Answer(404, encode(_error(path, ("address", "there is no such end point"), None)))

    async def _message(
        self, sender: Participant, path: str, body: bytes, kinds: tuple[Kind, ...], pid: str | None
    ) -> Answer:
        running, counted = self._running, self._running.metrics.received
        try:
            message = read_message(body, *kinds)
        except MalformedInput as error:
            counted.labels(kinds[0].type, "malformed").inc()
            known = None if pid is None else await running.process(pid)
            shown = known if known is not None and known.participant == sender.id else None
            return Answer(400, encode(_error(path, ("message", str(error)), shown)))
        try:
            await self._judge_record(message, sender, pid)
            process = await running.store.run(lambda rows: running.connector.receive(rows, sender, message, pid))
        except Unknown as error:
            counted.labels(message.kind.type, "unknown").inc()
            return Answer(404, encode(_error(path, ("unknown", str(error)), None)))
        except Busy as error:
            counted.labels(message.kind.type, "busy").inc()
            return Answer(429, encode(_error(path, ("busy", str(error)), None)))
        except Refused as error:
            counted.labels(message.kind.type, "refused").inc()
            return Answer(400, encode(_error(path, (error.rule, str(error)), error.process)))
        counted.labels(message.kind.type, "taken").inc()
        running.changed()
        return Answer(201 if pid is None else 200, encode(process.shown()))

    async def _judge_record(self, message: Message, sender: Participant, pid: str | None) -> None:
        """A FINALIZED whose record does not hold is not taken (decision 33)."""
        if message.kind is not Kind.FINALIZED or pid is None or not self._running.door.is_hub:
            return
        process = await self._running.process(pid)
        if process is None or process.participant != sender.id or process.agreement is None:
            return
        why = await self._running.door.judge(policy_of({"profile": PROFILE, **process.agreement}), message.record)
        if why is not None:
            raise Refused("agreement_is_on_record", why, process)


def _versions() -> Answer:
    shown: JsonObject = {"protocolVersions": [{"version": VERSION, "path": PREFIX, "binding": "HTTPS"}]}
    return Answer(200, encode(shown))


def _error(path: str, said: tuple[str, str], process: Process | None) -> JsonObject:
    """An error in the form of the part that the path belongs to."""
    code, reason = said
    if path.startswith("/catalog"):
        return catalog_error(code, [reason])
    consumer, provider = ("", "") if process is None else process.consumer_and_provider
    return process_error(consumer, provider, code, [reason], is_transfer=path.startswith("/transfers"))
