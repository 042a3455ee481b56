"""What happens, as it happens: server-sent events and a WebSocket."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Header, Query, Response, WebSocket, WebSocketDisconnect

from hutong.relay.api.reading.changes import RESET, Change, change_of
from hutong.relay.api.requests import InService, known_parameters, refusals
from hutong.relay.api.service import Service
from hutong.relay.schemas.messages import MessageSummary
from hutong.relay.web.problems import ApiProblem, Code

router = APIRouter(prefix="/v1", tags=["events"])

HEARTBEAT_S = 15.0
AT_ONCE = 64
"""Changes in one write."""
SEND_LIMIT_S = 20.0
"""A client that takes nothing for so long has lost its stream."""
REFUSED = 4_000
"""Close codes of a WebSocket: this and the status with which the same stream is refused over HTTP."""
MAX_CLOSE_REASON_BYTES = 123
_HEARTBEAT = b": still here\n\n"
_HEARTBEAT_TEXT = '{"id": null, "event": "heartbeat", "data": {}}'

After = Annotated[str | None, Query(max_length=300, description="a cursor: what changed after it comes first")]
Message = Annotated[str | None, Query(max_length=160, description="follow one message, by its packet or message id")]
LastEventId = Annotated[str | None, Header(max_length=300)]


@router.get(
    "/events",
    dependencies=[Depends(known_parameters)],
    responses={
        200: {
            "description": "`event: message` with a MessageSummary, `event: chains` with the items of /v1/chains,"
            " `event: reset`: read the lists again",
            "model": MessageSummary,
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **refusals(Code.NOT_FOUND, Code.LEDGER_UNAVAILABLE),
    },
)
async def events(
    service: InService,
    after: After = None,
    message: Message = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Server-sent events, for as long as the client reads them."""
    names = None if message is None else await _followed(service, message)
    return EventStream(service, last_event_id or after, names)


@router.websocket("/ws")
async def socket(socket: WebSocket) -> None:
    """The same over a WebSocket: a JSON text `{id, event, data}` each. What the client sends is not read."""
    service: Service = socket.app.state.service
    query = socket.query_params
    if set(query) - {"after", "message"} or any(len(value) > 300 for value in query.values()):
        await _refuse(socket, 400, "unknown query parameter; known here: after, message")
        return
    try:
        names = None if "message" not in query else await _followed(service, query["message"])
    except ApiProblem as problem:
        await _refuse(socket, problem.status, problem.detail)
        return
    await socket.accept()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_ended, socket, tasks.cancel_scope)
            async with aclosing(_told(service, socket.scope.get("hutong.client"), query.get("after"), names)) as told:
                async for changes in told:
                    with anyio.fail_after(SEND_LIMIT_S):
                        for text in [_text(change) for change in changes] or [_HEARTBEAT_TEXT]:
                            await socket.send_text(text)
            await socket.close(1000)
            tasks.cancel_scope.cancel()
    except* ApiProblem as group:
        refused = group.exceptions[0]
        assert isinstance(refused, ApiProblem)
        await socket.close(REFUSED + refused.status, _close_reason(refused.detail))
    except* (WebSocketDisconnect, TimeoutError, RuntimeError, OSError):
        pass


async def _refuse(socket: WebSocket, status: int, detail: str) -> None:
    """Taken first: of a handshake that is refused, clients show neither code nor reason."""
    await socket.accept()
    await socket.close(REFUSED + status, _close_reason(detail))


def _close_reason(detail: str) -> str:
    return detail.encode()[:MAX_CLOSE_REASON_BYTES].decode(errors="ignore")


class EventStream(Response):
    """Sends as the client takes. A client that leaves, or takes nothing for SEND_LIMIT_S, ends it."""

    media_type = "text/event-stream"

    def __init__(self, service: Service, after: str | None, names: tuple[str, ...] | None) -> None:
        super().__init__(None, 200, {"cache-control": "no-store", "x-accel-buffering": "no"})
        self.raw_headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        self._service = service
        self._after = after
        self._names = names

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        started = False
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_left, receive, tasks.cancel_scope)
                async with aclosing(_told(self._service, scope.get("hutong.client"), self._after, self._names)) as told:
                    async for changes in told:
                        if not started:
                            started = True
                            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                        with anyio.fail_after(SEND_LIMIT_S):
                            body = b"".join(map(_frame, changes)) or _HEARTBEAT
                            await send({"type": "http.response.body", "body": body, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                tasks.cancel_scope.cancel()
        except* ApiProblem as group:
            if not started:
                raise group.exceptions[0] from None
        except* (TimeoutError, OSError):
            pass


async def _told(
    service: Service, client: str | None, after: str | None, names: tuple[str, ...] | None
) -> AsyncGenerator[tuple[Change, ...], None]:
    """Changes for one stream, as many at once as wait for it; nothing where nothing happened for a while. The first one
    opens the line."""
    with service.changes.stream(client) as stream:
        found = [] if after is None else list(await service.changes.missed(after))
        # What the ledger gave may come once more over the stream, which was open before: at most MAX_MISSED messages.
        told = {change.name: change.number for change in found if change.number is not None}
        # A cursor may be newer than the settlement: without the present state such a line would never end.
        if names is not None and (now := await _present(service, names)) is not None and _is_newer(now, told):
            found.append(now)
            told[now.name] = now.number or 0
        yield ()
        told_at_s = service.clock_s()
        while True:
            chosen = [change for change in found if _concerns(change, names)]
            if chosen or service.clock_s() >= told_at_s + HEARTBEAT_S:
                told_at_s = service.clock_s()
                yield tuple(chosen)
                if names is not None and any(change.is_last for change in chosen):
                    return
            found = []
            with anyio.move_on_after(max(0.0, told_at_s + HEARTBEAT_S - service.clock_s())):
                try:
                    found.append(await stream.receive())
                    while len(found) < AT_ONCE:
                        found.append(stream.receive_nowait())
                except anyio.WouldBlock:
                    pass
                except anyio.EndOfStream:
                    if not found:
                        return
            if RESET in found:  # another ledger counts anew
                told.clear()
            found = [change for change in found if _is_newer(change, told)]


async def _followed(service: Service, name: str) -> tuple[str, ...]:
    """The ids of the message of that name."""
    record = await service.ledger.read(
        lambda readers: readers.messages.message(name) if "/" in name else readers.messages.by_message_id(name)
    )
    if record is None:
        raise ApiProblem(Code.NOT_FOUND, f"the ledger knows no message {name}", field="message")
    return change_of(record).names


async def _present(service: Service, names: tuple[str, ...]) -> Change | None:
    """How a followed message stands now: who follows needs no other request."""
    record = await service.ledger.read(lambda readers: readers.messages.message(names[0]))
    return None if record is None else change_of(record)


def _is_newer(change: Change, told: Mapping[str, int]) -> bool:
    """For its message alone: all that one transaction of the ledger changed has one number."""
    return change.number is None or change.number > told.get(change.name, -1)


def _concerns(change: Change, names: tuple[str, ...] | None) -> bool:
    if names is None or change.event == "reset":
        return True
    return change.event == "message" and bool(set(names) & set(change.names))


def _frame(change: Change) -> bytes:
    identity = b"" if change.id is None else b"id: " + change.id.encode() + b"\n"
    return b"%sevent: %s\ndata: %s\n\n" % (identity, change.event.encode(), change.data)


def _text(change: Change) -> str:
    head = json.dumps({"id": change.id, "event": change.event})
    return f'{head[:-1]}, "data": {change.data.decode()}}}'


async def _left(receive: Any, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _ended(socket: WebSocket, scope: anyio.CancelScope) -> None:
    """What a client sends is read and dropped, so that its leaving is noticed."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    scope.cancel()
