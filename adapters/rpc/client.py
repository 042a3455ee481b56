"""The JSON-RPC client that serves every adapter: several endpoints, none of them trusted."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from json import dumps
from random import Random
from typing import Any, TypeVar

import trio

from hutong.adapters.interface import (
    AdapterError,
    BadAnswer,
    EndpointError,
    EndpointMismatch,
    EndpointStatistics,
    EndpointUnavailable,
    HeightUnavailable,
    RpcRefused,
)
from hutong.adapters.rpc.bounded_json import parse_json
from hutong.adapters.rpc.endpoint import Endpoint, named_endpoints, statistics_of
from hutong.adapters.rpc.fields import Fields
from hutong.adapters.rpc.http_answer import AttemptFailed
from hutong.adapters.rpc.options import RpcOptions
from hutong.adapters.rpc.pacing import backoff_s
from hutong.adapters.rpc.transport import HttpClient, new_http_client, post

Answer = TypeVar("Answer")
Decoder = Callable[[Fields], Answer]

MAX_ERROR_MESSAGE_CHARS = 2_048
MAX_REQUEST_BYTES = 2 * 1024 * 1024
MOST_IN_A_BATCH = 10
"""Requests in one HTTP exchange: CometBFT's default `max_request_batch_size`."""

METHOD_NOT_FOUND = -32601
PRUNED_HISTORY = 4444
"""EIP-4444 as geth answers it, and a hub node that began from a snapshot: this endpoint has not got blocks so old."""

_TRY_ANOTHER_CODES = frozenset({-32700, -32600, METHOD_NOT_FOUND, -32603, -32005})
"""Parse error, invalid request, unknown method, internal error, limit exceeded: about the endpoint, not the chain."""

_CHAIN_MAY_REFUSE = frozenset({"eth_call", "eth_estimateGas", "eth_sendRawTransaction", "eth_getLogs"})
"""Where an error can be what the chain's rules say, or that the caller asked for too wide a range. Of anything else it
only says that this endpoint does not answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """`params` is a list (execution API) or an object (CometBFT)."""

    method: str
    params: Sequence[Any] | dict[str, Any]


def parse_answer(data: bytes, request_id: int, method: str, max_bytes: int) -> Fields:
    """The `result` of a JSON-RPC 2.0 answer.

    Raises:
        BadAnswer: not an answer to this request.
        RpcRefused: a well-formed error object.
    """
    return _result(Fields(method, parse_json(data, method, max_bytes), "answer"), request_id, method)


def parse_batch(data: bytes, first_id: int, count: int, method: str, max_bytes: int) -> list[Fields]:
    """The results of a batch of requests `first_id` and up, in their order; a server may answer in any.

    Raises:
        BadAnswer: not one answer to each.
        RpcRefused: an error object, of one or of the whole.
    """
    whole = Fields(method, parse_json(data, method, max_bytes), "answers")
    if isinstance(whole.value, dict):
        _result(whole, first_id, method)
        raise whole.bad("is one answer to a batch")
    by_id: dict[int, Fields] = {}
    for answer in whole.items(count):
        request_id = answer.at("id").value
        if type(request_id) is not int or not first_id <= request_id < first_id + count or request_id in by_id:
            raise answer.at("id").bad("is not of one request of the batch")
        by_id[request_id] = _result(answer, request_id, method)
    if len(by_id) != count:
        raise whole.bad(f"are not {count}")
    return [by_id[request_id] for request_id in range(first_id, first_id + count)]


def _result(answer: Fields, request_id: int, method: str) -> Fields:
    if answer.at("jsonrpc").value != "2.0":
        raise answer.at("jsonrpc").bad("is not 2.0")
    error = answer.get("error")
    if error is not None:
        code = error.at("code").value
        if isinstance(code, bool) or not isinstance(code, int):
            raise error.at("code").bad("is not an integer")
        message = error.at("message").value
        if not isinstance(message, str):
            raise error.at("message").bad("is not a string")
        raise RpcRefused(method, code, message[:MAX_ERROR_MESSAGE_CHARS], error.value.get("data"))
    if isinstance(answer.at("id").value, bool) or answer.at("id").value != request_id:
        raise answer.at("id").bad(f"is not the request's {request_id}")
    if "result" not in answer.value:
        raise answer.bad("has neither result nor error")
    return Fields(method, answer.value["result"])


def parse_resource(data: bytes, operation: str, max_bytes: int) -> Any:
    """The JSON of a REST API, which refuses with an object of `code` and `message`.

    Raises:
        BadAnswer: not JSON in these bounds.
        RpcRefused: a refusal, `code` being the HTTP status.
    """
    value = parse_json(data, operation, max_bytes)
    if isinstance(value, dict) and "code" in value and "data" not in value:
        code, message = value["code"], value.get("message")
        if isinstance(code, bool) or not isinstance(code, int) or not isinstance(message, str):
            raise BadAnswer(operation, "body", "is neither an answer nor a refusal")
        raise RpcRefused(operation, code, message[:MAX_ERROR_MESSAGE_CHARS])
    return value


class RpcClient:
    """Calls go to the best usable endpoint; a silent, malformed, lagging or foreign one is left for the next.

    `identify` checks one endpoint before its first use, and again after every failure and distrust: one request (it
    raises EndpointMismatch). Whoever took over the port of a node that died is not believed.
    Decoders run inside the attempt, so that a malformed answer costs the endpoint its place, not the caller the call.
    """

    def __init__(
        self,
        chain: str,
        urls: Sequence[str],
        http: HttpClient,
        random: Random,
        options: RpcOptions,
        identify: Callable[["Attempt"], Awaitable[None]] | None = None,
    ) -> None:
        self.chain = chain
        self.options = options
        self._endpoints = named_endpoints(urls, options)
        self._http = http
        self._random = random
        self._identify = identify
        self._identifying = {endpoint.name: trio.Lock() for endpoint in self._endpoints}
        self._limiter = trio.CapacityLimiter(options.max_concurrency)
        self._next_id = 0

    async def call(
        self,
        method: str,
        params: Sequence[Any] | dict[str, Any],
        decode: Decoder[Answer],
        *,
        at_height: int = 0,
    ) -> Answer:
        """Ask one endpoint after another until one gives an answer that `decode` takes.

        Args:
            params: positional as a sequence, named as a dict.
            decode: raises BadAnswer to leave the endpoint for the next.
            at_height: endpoints that have not reached this block are asked last.

        Raises:
            RpcRefused: an endpoint answered with a JSON-RPC error, which is an answer.
            HeightUnavailable: all endpoints say that they no longer keep `at_height`.
            EndpointUnavailable: no endpoint gave a usable answer; it names each attempt.
        """
        return await self.run(method, lambda attempt: attempt.call(method, params, decode), at_height=at_height)

    async def run(
        self, operation: str, work: Callable[["Attempt"], Awaitable[Answer]], *, at_height: int = 0
    ) -> Answer:
        """Do `work` on one endpoint after the other until it succeeds: several calls that must agree go in one work.

        Endpoints known to be below `at_height` are asked last.

        Raises:
            RpcRefused: the chain's own refusal, or the endpoints' when all refuse.
            HeightUnavailable: all endpoints say that they have not got there, or no longer keep it. That is no fault.
            EndpointUnavailable: nobody gave a usable answer in `rounds` rounds.
        """
        reasons: dict[str, str] = {}
        refusal: RpcRefused | None = None
        absent: dict[str, HeightUnavailable] = {}
        foreign: set[str] = set()
        for round_number in range(self.options.rounds):
            await self._pause_before(round_number)
            for endpoint in self._ranked(at_height):
                absent.pop(endpoint.name, None)
                foreign.discard(endpoint.name)
                try:
                    return await self._attempt(endpoint, work)
                except RpcRefused as error:
                    if error.code == PRUNED_HISTORY:
                        absent[endpoint.name] = HeightUnavailable(self.chain, at_height, error.message)
                        reasons[endpoint.name] = str(error)
                        continue
                    if error.method in _CHAIN_MAY_REFUSE and error.code not in _TRY_ANOTHER_CODES:
                        endpoint.answered()
                        raise
                    if error.code != METHOD_NOT_FOUND:
                        endpoint.failed(kind_of(error), str(error), trio.current_time())
                    refusal, reasons[endpoint.name] = error, str(error)
                except EndpointMismatch as error:
                    endpoint.distrusted(EndpointError.FOREIGN, str(error), trio.current_time())
                    reasons[endpoint.name] = str(error)
                    foreign.add(endpoint.name)
                except HeightUnavailable as error:
                    absent[endpoint.name], reasons[endpoint.name] = error, str(error)
                except (AttemptFailed, BadAnswer) as error:
                    endpoint.failed(kind_of(error), str(error), trio.current_time())
                    reasons[endpoint.name] = str(error)
            if len(absent) == len(self._endpoints) and self._is_past(at_height):
                break
            if refusal is not None and refusal.code == METHOD_NOT_FOUND and len(reasons) == len(self._endpoints):
                raise refusal
        if absent and absent.keys() == reasons.keys():
            raise next(iter(absent.values()))
        if refusal is not None:
            raise refusal
        everywhere = len(foreign) == len(self._endpoints)
        raise EndpointUnavailable(self.chain, operation, self._reasons(reasons), everywhere)

    async def _pause_before(self, round_number: int) -> None:
        if round_number:
            options = self.options
            await trio.sleep(backoff_s(round_number - 1, options.backoff_first_s, options.backoff_most_s, self._random))

    def _is_past(self, height: int) -> bool:
        """So far below the heads seen that no later round finds it where it is missing now."""
        heads = [endpoint.head for endpoint in self._endpoints]
        return 0 < height < min(heads) - self.options.max_lag_blocks

    async def ask_each(
        self, operation: str, work: Callable[["Attempt"], Awaitable[Answer]]
    ) -> list[tuple[Endpoint, Answer]]:
        """Do `work` on every usable endpoint at once; who fails, or is much slower than the first, is left out.

        Those are struck. `straggler_grace_s` is how long the others are waited for after the first answer.

        Raises:
            EndpointUnavailable: nobody succeeded in `rounds` rounds.
        """
        answers: list[tuple[Endpoint, Answer]] = []
        reasons: dict[str, str] = {}
        foreign: set[str] = set()
        options = self.options

        async def ask(endpoint: Endpoint, scope: trio.CancelScope) -> None:
            foreign.discard(endpoint.name)
            try:
                answers.append((endpoint, await self._attempt(endpoint, work)))
                scope.deadline = min(scope.deadline, trio.current_time() + options.straggler_grace_s)
            except EndpointMismatch as error:
                endpoint.distrusted(EndpointError.FOREIGN, str(error), trio.current_time())
                reasons[endpoint.name] = str(error)
                foreign.add(endpoint.name)
            except (RpcRefused, AttemptFailed, BadAnswer, HeightUnavailable) as error:
                endpoint.failed(kind_of(error), str(error), trio.current_time())
                reasons[endpoint.name] = str(error)

        for round_number in range(options.rounds):
            await self._pause_before(round_number)
            asked = self._ranked(0)
            asked = [endpoint for endpoint in asked if endpoint.usable(trio.current_time())] or asked
            async with trio.open_nursery() as nursery:
                for endpoint in asked:
                    nursery.start_soon(ask, endpoint, nursery.cancel_scope)
            if answers:
                heard = {endpoint.name for endpoint, _ in answers} | reasons.keys()
                for endpoint in asked:
                    if endpoint.name not in heard:
                        endpoint.failed(EndpointError.SLOW, "much slower than the others", trio.current_time())
                return answers
        everywhere = len(foreign) == len(self._endpoints)
        raise EndpointUnavailable(self.chain, operation, self._reasons(reasons), everywhere)

    async def ask_one(
        self, endpoint: Endpoint, operation: str, work: Callable[["Attempt"], Awaitable[Answer]]
    ) -> Answer:
        """Do `work` on this endpoint alone, in up to `rounds` rounds. It is not struck: what a failure means is for the
        caller to say.

        Raises:
            EndpointUnavailable: it gave no answer, or refused, in each round.
            BadAnswer: it gave an answer that `work` does not take.
        """
        reason = "not asked"
        for round_number in range(self.options.rounds):
            await self._pause_before(round_number)
            try:
                return await self._attempt(endpoint, work)
            except (RpcRefused, EndpointMismatch, HeightUnavailable, AttemptFailed) as error:
                reason = str(error)
        raise EndpointUnavailable(self.chain, operation, ((endpoint.name, reason),))

    def leave(self, endpoint: Endpoint, reason: str) -> None:
        """Stop asking an endpoint that was caught lying, for `mismatch_quarantine_s`; it is then identified anew.

        Args:
            reason: kept as its last failure, which metrics and errors show.
        """
        endpoint.distrusted(EndpointError.DISTRUSTED, reason, trio.current_time())

    def heads_seen(self, heads: Sequence[tuple[Endpoint, int]]) -> int:
        """Record each endpoint's head; those that lag by more than `max_lag_blocks` rank last from now on.

        Returns:
            The highest of these heads.

        Raises:
            ValueError: `heads` is empty.
        """
        for endpoint, height in heads:
            endpoint.head = height
        return max(height for _, height in heads)

    def distrust(self, reason: str) -> None:
        """What the preferred endpoint served failed verification: leave it, if there is another.

        Which one served it is not known here: it is taken to be the one that would be asked next.
        """
        ranked = self._ranked(0)
        if len(ranked) > 1:
            ranked[0].distrusted(EndpointError.DISTRUSTED, reason, trio.current_time())

    def statistics(self, api: str = "rpc") -> tuple[EndpointStatistics, ...]:
        """A snapshot of every endpoint, in configured order; asks nobody.

        Args:
            api: what they serve, such as `rpc` or `consensus_rpc`.
        """
        return statistics_of(self._endpoints, api, trio.current_time())

    def _reasons(self, reasons: dict[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple(
            (endpoint.name, reasons.get(endpoint.name, endpoint.last_failure or "not asked"))
            for endpoint in self._endpoints
        )

    def _ranked(self, at_height: int) -> list[Endpoint]:
        """Configured order among the healthy; laggards, then quarantined ones as a last resort.

        Those caught lying only if nobody else is left: one bad answer of a lone endpoint must not stop its chain. They
        are identified anew first, so that one of another chain is never used, and what they say is checked as ever.
        """
        now_s = trio.current_time()
        best_head = max((e.head for e in self._endpoints if e.usable(now_s)), default=0)

        def rank(endpoint: Endpoint) -> tuple[bool, bool]:
            behind = endpoint.head != 0 and endpoint.head < at_height
            return (not endpoint.usable(now_s), behind or endpoint.lags(best_head))

        trusted = [endpoint for endpoint in self._endpoints if not endpoint.never_now(now_s)]
        return sorted(trusted or self._endpoints, key=rank)

    async def _attempt(self, endpoint: Endpoint, work: Callable[["Attempt"], Awaitable[Answer]]) -> Answer:
        attempt = Attempt(self, endpoint)
        if self._identify is None:
            endpoint.is_of_its_chain(endpoint.doubts)
        elif not endpoint.identified:
            async with self._identifying[endpoint.name]:
                if not endpoint.identified:
                    doubts = endpoint.doubts
                    try:
                        await self._identify(attempt)
                    except RpcRefused as error:
                        raise AttemptFailed(f"cannot be identified: {error}") from error
                    endpoint.is_of_its_chain(doubts)
        answer = await work(attempt)
        endpoint.answered()
        return answer

    async def _exchange(self, endpoint: Endpoint, request: Request, decode: Decoder[Answer]) -> Answer:
        body, request_id = self._document(request)
        data = await self._posted(endpoint, request.method, dumps(body, separators=(",", ":")).encode())
        return decode(parse_answer(data, request_id, request.method, self.options.max_answer_bytes))

    async def _exchange_batch(
        self, endpoint: Endpoint, requests: Sequence[Request], decode: Callable[[int, Fields], Answer]
    ) -> list[Answer]:
        method = requests[0].method
        documents = [self._document(request) for request in requests]
        body = dumps([document for document, _ in documents], separators=(",", ":")).encode()
        data = await self._posted(endpoint, method, body)
        first_id, count, most = documents[0][1], len(documents), self.options.max_answer_bytes
        return [decode(index, fields) for index, fields in enumerate(parse_batch(data, first_id, count, method, most))]

    def _document(self, request: Request) -> tuple[dict[str, Any], int]:
        self._next_id += 1
        params = request.params if isinstance(request.params, dict) else list(request.params)
        return {"jsonrpc": "2.0", "id": self._next_id, "method": request.method, "params": params}, self._next_id

    async def _posted(self, endpoint: Endpoint, method: str, body: bytes) -> bytes:
        if len(body) > MAX_REQUEST_BYTES:
            raise ValueError(f"a request of {len(body)} bytes: callers bound what they send")
        return await self._timed(
            endpoint, lambda: post(self._http, endpoint, method, body, self.options.max_answer_bytes)
        )

    async def _fetch(self, endpoint: Endpoint, path: str, operation: str, max_bytes: int) -> Any:
        data = await self._timed(endpoint, lambda: self._http.get(endpoint, path, operation, max_bytes))
        return parse_resource(data, operation, max_bytes)

    async def _fetch_bytes(self, endpoint: Endpoint, path: str, operation: str, max_bytes: int) -> bytes:
        return await self._timed(endpoint, lambda: self._http.get(endpoint, path, operation, max_bytes))

    async def _timed(self, endpoint: Endpoint, exchange: Callable[[], Awaitable[bytes]]) -> bytes:
        """One exchange within its turn and time. What a cancelled one took says nothing of the endpoint."""
        await endpoint.bucket.acquire()
        data: bytes | None = None
        async with self._limiter:
            started_s = trio.current_time()
            try:
                with endpoint.asked(started_s), trio.move_on_after(self.options.attempt_timeout_s):
                    data = await exchange()
            except (AttemptFailed, BadAnswer):
                endpoint.took(trio.current_time() - started_s)
                raise
            endpoint.took(trio.current_time() - started_s)
        if data is None:
            raise AttemptFailed(f"no answer in {self.options.attempt_timeout_s} s", EndpointError.TIMEOUT)
        return data


def kind_of(error: AdapterError) -> EndpointError:
    """Under what a failed attempt is counted in metrics."""
    if isinstance(error, AttemptFailed):
        return error.kind
    if isinstance(error, HeightUnavailable):
        return EndpointError.BEHIND
    if isinstance(error, BadAnswer) and error.field == "status":
        return EndpointError.STATUS
    return EndpointError.REFUSED if isinstance(error, RpcRefused) else EndpointError.MALFORMED


class Attempt:
    """Calls on one endpoint, without retries: what `identify` gets."""

    def __init__(self, client: RpcClient, endpoint: Endpoint) -> None:
        self._client = client
        self._endpoint = endpoint

    @property
    def endpoint_name(self) -> str:
        """As errors and metrics name the endpoint: without path, query or user."""
        return self._endpoint.name

    async def call(self, method: str, params: Sequence[Any] | dict[str, Any], decode: Decoder[Answer]) -> Answer:
        """One exchange with this endpoint alone.

        Raises:
            AttemptFailed: no answer, or none in time.
            BadAnswer: an answer that `decode` does not take.
            RpcRefused: a JSON-RPC error.
            ValueError: a request of more than MAX_REQUEST_BYTES, which its caller should have bounded.
        """
        return await self._client._exchange(self._endpoint, Request(method, params), decode)

    async def call_each(
        self, method: str, params: Sequence[Any], decode: Callable[[int, Fields], Answer]
    ) -> list[Answer]:
        """At most `MOST_IN_A_BATCH` requests of one method in one exchange; `decode` gets each one's index.

        For servers known to take batches, which not every provider does. Raises as `call`.
        """
        if len(params) == 1:
            return [await self.call(method, params[0], lambda fields: decode(0, fields))]
        return await self._client._exchange_batch(self._endpoint, [Request(method, each) for each in params], decode)

    async def get(self, path: str, operation: str, max_bytes: int) -> Any:
        """The JSON at a path of a REST API (the Beacon API), of at most `max_bytes`.

        Args:
            path: below the endpoint's URL, whose query is kept.
            operation: named in errors.

        Raises:
            AttemptFailed: no answer, or none in time.
            BadAnswer: too long, or not JSON.
            RpcRefused: the API's own refusal.
        """
        return await self._client._fetch(self._endpoint, path, operation, max_bytes)

    async def get_bytes(self, path: str, operation: str, max_bytes: int) -> bytes:
        """What lies at a path below the endpoint's URL, as it is: of a static file server, at most `max_bytes`.

        A refusal whose body is a JSON object comes as that body: what is read of it must be judged.

        Raises:
            AttemptFailed: no answer, or none in time.
            BadAnswer: too long, or a status that is no success.
        """
        return await self._client._fetch_bytes(self._endpoint, path, operation, max_bytes)


@asynccontextmanager
async def open_rpc_client(
    chain: str,
    urls: Sequence[str],
    random: Random,
    options: RpcOptions | None = None,
    identify: Callable[[Attempt], Awaitable[None]] | None = None,
) -> AsyncIterator[RpcClient]:
    """A client of several endpoints that serve the same chain. Its connections close with the block.

    Args:
        chain: named in errors and metrics.
        urls: in the order in which they are preferred.
        random: draws the jitter of backoffs.
        identify: raises EndpointMismatch for an endpoint of another chain; run before an endpoint's first answer
            counts, and again after each of its failures.
    """
    options = options or RpcOptions()
    async with new_http_client(options.max_concurrency, options.access) as http:
        yield RpcClient(chain, urls, http, random, options, identify)
