"""Transactions of `eth_sendRawTransaction` into CometBFT's pool, by its RPC's `broadcast_tx_sync`.

CometBFT asks this very process for its verdict (CheckTx), so a refusal comes back as the error that it is.
"""

import base64
import json
from typing import Any, Self

import httpx
import trio

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.relay.base.http import AnswerTooLarge, read_answer
from hutong.relay.evm.chain.mempool import SenderAccount
from hutong.relay.evm.errors import InvalidReason, InvalidTransaction
from hutong.relay.evm.vm.transaction import SignedTransaction
from hutong.relay.hub.abci.pool import PoolMirror

MAX_ANSWER_BYTES = 64 * 1024
TIMEOUT_S = 20.0
"""CometBFT holds its pool while a block executes, which at the worst takes 9 s (docs/spec/hub-genesis.md)."""
MAX_CONNECTIONS = 16
MAX_SHOWN_CHARS = 200

_HEADERS = {"content-type": "application/json", "accept-encoding": "identity"}
_KNOWN = "tx already exists in cache"
_FULL = "mempool is full"
"""cometbft mempool/errors.go"""


class CometBftPool:
    """Use as a context. Calls block worker threads: httpx's own trio streams cannot be left half-read."""

    def __init__(self, url: str, mirror: PoolMirror) -> None:
        self._url = url
        self._mirror = mirror
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
        self._client = httpx.Client(timeout=TIMEOUT_S, limits=limits, trust_env=False)
        self._callers = trio.CapacityLimiter(MAX_CONNECTIONS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    async def pass_on(self, transaction: SignedTransaction, sender: SenderAccount) -> None:
        """Offer a transaction to CometBFT's pool, which asks this very process for its verdict; waits for the answer.

        At most MAX_CONNECTIONS wait at once. `sender` is the account as the newest state has it.

        Raises:
            InvalidTransaction: this process's own refusal, the pool has it already or is full, or CometBFT does not
                answer.
        """
        if transaction.nonce < sender.nonce:
            # CometBFT remembers what was in blocks and would answer that it has it.
            raise InvalidTransaction(InvalidReason.NONCE_TOO_LOW, "", transaction.nonce, sender.nonce)
        self._mirror.expect(transaction.hash)
        try:
            answer = await trio.to_thread.run_sync(
                self._broadcast, transaction.raw, limiter=self._callers, abandon_on_cancel=True
            )
        finally:
            refusal = self._mirror.refusal(transaction.hash)
        error, result = answer.get("error"), answer.get("result")
        if isinstance(error, dict):
            detail = f"{error.get('message', '')}: {error.get('data', '')}"[:MAX_SHOWN_CHARS]
            if _KNOWN in detail:
                raise InvalidTransaction(InvalidReason.ALREADY_KNOWN, "", transaction.hash)
            if _FULL in detail:
                raise InvalidTransaction(InvalidReason.POOL_FULL, "CometBFT's")
            raise InvalidTransaction(InvalidReason.NOT_PASSED_ON, detail)
        if not isinstance(result, dict) or type(result.get("code")) is not int:
            raise InvalidTransaction(InvalidReason.NOT_PASSED_ON, "CometBFT's answer is not one of broadcast_tx_sync")
        if result["code"] != 0:
            raise refusal or InvalidTransaction(InvalidReason.NOT_PASSED_ON, str(result.get("log"))[:MAX_SHOWN_CHARS])

    def _broadcast(self, raw: bytes) -> dict[str, Any]:
        call = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "broadcast_tx_sync",
            "params": {"tx": base64.b64encode(raw).decode()},
        }
        try:
            with self._client.stream("POST", self._url, content=json.dumps(call), headers=_HEADERS) as response:
                body = read_answer(response, MAX_ANSWER_BYTES)
            document = parse_json(body, "answer", MAX_ANSWER_BYTES)
        except httpx.HTTPError as error:
            detail = f"CometBFT's RPC does not answer ({type(error).__name__})"
            raise InvalidTransaction(InvalidReason.NOT_PASSED_ON, detail) from error
        except (AnswerTooLarge, MalformedInput) as error:
            raise InvalidTransaction(InvalidReason.NOT_PASSED_ON, f"CometBFT's RPC: {error}") from error
        return document if isinstance(document, dict) else {}
