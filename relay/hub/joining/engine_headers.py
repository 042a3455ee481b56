"""Committed headers from the RPC of this node's own CometBFT, for snapshots. Blocking, for the thread that makes them."""

import httpx

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.tendermint.rpc_json import header_from_rpc
from hutong.light_clients.tendermint.types import Header
from hutong.relay.base.http import AnswerTooLarge, read_answer
from hutong.relay.hub.joining.snapshot_taker import HeaderUnavailable

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024


class EngineHeaders:
    """A `HeaderSource`. What it says is checked: the headers must be linked, and the last carry our own app hash."""

    def __init__(self, url: str) -> None:
        headers = {"accept-encoding": "identity"}
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_S, headers=headers, trust_env=False)

    def __call__(self, height: int) -> Header:
        """Raises HeaderUnavailable."""
        try:
            with self._client.stream("GET", "/header", params={"height": str(height)}) as answer:
                body = read_answer(answer, MAX_ANSWER_BYTES)
            document = parse_json(body, "answer", MAX_ANSWER_BYTES)
            result = document.get("result") if isinstance(document, dict) else None
            header = result.get("header") if isinstance(result, dict) else None
            if header is None:
                raise HeaderUnavailable(f"CometBFT does not serve header {height}")
            return header_from_rpc(header)
        except AnswerTooLarge:
            raise HeaderUnavailable(f"CometBFT's answer for header {height} is too long") from None
        except (httpx.HTTPError, MalformedInput) as error:
            raise HeaderUnavailable(f"header {height} from CometBFT: {error}") from error

    def close(self) -> None:
        """Close the connections to CometBFT; no header can be asked for after it."""
        self._client.close()
