"""JSON-RPC 2.0: a body in, a body out, whatever the body holds."""

import json
import logging
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from hutong.relay.evm.chain.chain import EvmChain
from hutong.relay.evm.rpc.call_executor import CallExecutor
from hutong.relay.evm.rpc.eth_methods import EthMethods
from hutong.relay.evm.rpc.json_errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    LIMIT_EXCEEDED,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    JsonRpcError,
)
from hutong.relay.evm.rpc.json_params import Method, Params

MAX_BODY_BYTES = 1024 * 1024
"""Room for the largest transaction in hex (256 KiB) four times over."""
MAX_BATCH = 100
MAX_RESPONSE_BYTES = 32 * 1024 * 1024
"""Of a batch: what is left is answered with an error."""

MAX_NESTING = 32
"""Depth of the body: a batch of filters needs 6. The parser recurses in C, and how deep it may is not ours alone to
set."""
MAX_CONTAINERS = 20_000
"""Lists and objects in one body: a batch of the largest access lists stays below."""

Session: TypeAlias = Callable[[str, Params], Awaitable[Any]]
"""Answers methods of one connection (subscriptions); raises KeyError for all others."""

# Possessive, and an unclosed string matches to the end: a retry at every quote would be quadratic.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")

_LOGGER = logging.getLogger(__name__)


class JsonRpcService:
    """Add the owner's methods by `extra_methods`; they take parsed positional parameters and return JSON. `executor`
    runs the calls of others; None runs them in threads of this process."""

    def __init__(
        self,
        chain: EvmChain,
        extra_methods: Mapping[str, Method] | None = None,
        executor: CallExecutor | None = None,
    ) -> None:
        self.chain = chain
        self._methods: dict[str, Method] = {**EthMethods(chain, executor).methods(), **(extra_methods or {})}

    @property
    def method_names(self) -> tuple[str, ...]:
        """What is answered on every connection, sorted; `eth_subscribe` belongs to one connection and is not there."""
        return tuple(sorted(self._methods))

    async def answer(self, body: bytes, session: Session | None = None) -> bytes | None:
        """Answer one body: a request or a batch (JSON-RPC 2.0). Never raises for any body.

        A defect of a method is logged and answered as -32603; only a cancellation comes through.

        Args:
            body: of any length: what is over MAX_BODY_BYTES, MAX_NESTING or MAX_BATCH is answered with an error.
            session: the methods of one connection, asked first.

        Returns:
            The response body in ASCII; None where there is nothing to answer (notifications).
        """
        if len(body) > MAX_BODY_BYTES:
            return _encode(_failure(None, JsonRpcError(INVALID_REQUEST, f"body exceeds {MAX_BODY_BYTES} bytes")))
        try:
            _check_nesting(body)
            parsed = json.loads(body, parse_int=_parse_int, parse_float=_parse_float, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return _encode(_failure(None, JsonRpcError(PARSE_ERROR, "parse error")))
        if not isinstance(parsed, list):
            response = await self._answer_one(parsed, session)
            return None if response is None else _encode(response)
        if not parsed:
            return _encode(_failure(None, JsonRpcError(INVALID_REQUEST, "empty batch")))
        if len(parsed) > MAX_BATCH:
            return _encode(_failure(None, JsonRpcError(INVALID_REQUEST, f"batch exceeds {MAX_BATCH} requests")))
        responses: list[bytes] = []
        room = MAX_RESPONSE_BYTES
        for request in parsed:
            response = await self._answer_one(request, session)
            if response is None:
                continue
            encoded = _encode(response)
            if len(encoded) > room:
                too_large = JsonRpcError(LIMIT_EXCEEDED, "response of the batch is too large")
                encoded = _encode(_failure(response["id"], too_large))
            room -= len(encoded)
            responses.append(encoded)
        return b"[" + b",".join(responses) + b"]" if responses else None

    async def _answer_one(self, request: Any, session: Session | None) -> dict[str, Any] | None:
        identifier = request.get("id") if isinstance(request, dict) else None
        if not isinstance(identifier, str | int | float | None) or isinstance(identifier, bool):
            return _failure(None, JsonRpcError(INVALID_REQUEST, "id is not a string or number"))
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _failure(identifier, JsonRpcError(INVALID_REQUEST, "invalid request"))
        is_notification = "id" not in request
        try:
            result = await self._call(request["method"], request.get("params"), session)
        except JsonRpcError as error:
            return None if is_notification else _failure(identifier, error)
        except Exception:
            # Only here: a defect of one method must not take the node's door down, and nothing of it goes to the caller.
            _LOGGER.exception("JSON-RPC method %s failed", request["method"][:64])
            return None if is_notification else _failure(identifier, JsonRpcError(INTERNAL_ERROR, "internal error"))
        return None if is_notification else {"jsonrpc": "2.0", "id": identifier, "result": result}

    async def _call(self, name: str, params: Any, session: Session | None) -> Any:
        if params is None:
            params = []
        if not isinstance(params, list):
            raise JsonRpcError(INVALID_PARAMS, "params are positional: a list")
        if session is not None:
            try:
                answer = session(name, Params(params))
            except KeyError:
                pass
            else:
                return await answer
        method = self._methods.get(name)
        if method is None:
            raise JsonRpcError(METHOD_NOT_FOUND, f"the method {name[:64]} does not exist/is not available")
        return await method(Params(params))


def notification(subscription: str, result: Any) -> bytes:
    """An `eth_subscription` message in ASCII; `result` must be JSON, and its size is not bounded here."""
    return _encode(
        {"jsonrpc": "2.0", "method": "eth_subscription", "params": {"subscription": subscription, "result": result}}
    )


def _failure(identifier: Any, error: JsonRpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identifier, "error": error.as_json()}


def _encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _check_nesting(body: bytes) -> None:
    opened = body.count(b"[") + body.count(b"{")
    if opened <= MAX_NESTING:
        return
    if opened > MAX_CONTAINERS:
        raise ValueError("too many lists and objects")
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_NESTING:
            raise ValueError("nested too deep")


def _parse_int(text: str) -> int:
    """No parameter is that long, and Python refuses to print some that are."""
    if len(text) > 100:
        raise ValueError("number is too long")
    return int(text)


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number is out of range")
    return number


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
