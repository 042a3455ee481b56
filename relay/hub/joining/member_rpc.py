"""A member's RPC as a joining node asks it: every answer bounded in bytes and time, parsed once, believed by nobody."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.interface.json_text import parse_json
from hutong.light_clients.tendermint.codec import decode_commit, decode_validator_set
from hutong.light_clients.tendermint.rpc_json import integer, mapping, signed_header_from_rpc
from hutong.light_clients.tendermint.types import Commit, SignedHeader, ValidatorSet
from hutong.relay.base.http import AnswerTooLarge, AnswerTooSlow, read_answer
from hutong.relay.hub.application.abci import ExecTxResult
from hutong.relay.hub.application.snapshot.format import FORMAT, MAX_CHUNK_BYTES, MAX_CHUNKS, Manifest, decode_manifest
from hutong.relay.hub.consensus.blocks import MAX_BLOCK_BYTES, decode_block
from hutong.relay.hub.consensus.types import Block
from hutong.relay.hub.joining.sync_methods import MAX_BLOCKS, MAX_BLOCKS_BYTES, MAX_SNAPSHOTS

T = TypeVar("T")

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Blocks of one answer and one more of the greatest size, in base64, with room to spare."""
MAX_MANIFEST_BYTES = 128 + 32 * MAX_CHUNKS
MAX_COMMIT_BYTES = 64 * 1024
MAX_VALIDATOR_SET_BYTES = 64 * 1024
MAX_RESULTS = 100_000
ANSWER_DEADLINE_S = 60.0
"""For the whole of an answer: one that drips would hold the joining node for ever."""
SILENCE_S = 10.0


class MemberFailed(Exception):
    """A member did not give what was asked, or gave something false; the next one is asked."""

    def __init__(self, url: str, wanted: str, reason: str) -> None:
        self.url, self.wanted, self.reason = url, wanted, reason
        super().__init__(url, wanted, reason)

    def __str__(self) -> str:
        return f"{self.url}: {self.wanted}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A snapshot that a member says it has."""

    manifest: Manifest
    encoded: bytes


class Member:
    """One member's RPC; blocking. Every method raises MemberFailed where the answer is not of the form."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        # Raw bytes are counted, so none may be compressed.
        headers = {"accept-encoding": "identity"}
        self._client = httpx.Client(timeout=SILENCE_S, trust_env=False, transport=transport, headers=headers)

    def close(self) -> None:
        """Close the connections; nothing can be asked after it."""
        self._client.close()

    def latest_height(self) -> int:
        """The height that the member says it has, 0 before its first block; a claim and no more.

        Raises:
            MemberFailed: no answer, or not of the form.
        """

        def parse(result: Any) -> int:
            info = mapping(mapping(result, "status").get("sync_info"), "status.sync_info")
            return _height(info.get("latest_block_height"), "status.latest_block_height", least=0)

        return self._ask("status", {}, parse)

    def signed_header(self, height: int) -> SignedHeader:
        """The header of `height` with a commit, unverified; only that the header says this height is checked.

        Raises:
            MemberFailed: no answer, or not of the form.
        """

        def parse(result: Any) -> SignedHeader:
            found = signed_header_from_rpc(mapping(result, "commit").get("signed_header"))
            if found.header.height != height:
                raise MalformedInput("commit.height", "another height", found.header.height, height)
            return found

        return self._ask("commit", {"height": str(height)}, parse)

    def validator_set(self, height: int) -> ValidatorSet:
        """The set that votes on block `height`, with proposer and priorities, which no header commits to. Unverified.

        Raises:
            MemberFailed: no answer, or not of the form.
        """

        def parse(result: Any) -> ValidatorSet:
            text = mapping(result, "validator_set").get("validator_set")
            return decode_validator_set(_bytes(text, "validator_set", MAX_VALIDATOR_SET_BYTES))

        return self._ask("hub_validator_set", {"height": str(height)}, parse)

    def blocks(self, height: int, count: int) -> tuple[tuple[Block, ...], Commit]:
        """One to `count` consecutive blocks from `height` on, at most MAX_BLOCKS, and a commit of the last. Unverified.

        Raises:
            MemberFailed: no answer, or not of the form, or blocks of other heights.
        """

        def parse(result: Any) -> tuple[tuple[Block, ...], Commit]:
            answer = mapping(result, "blocks")
            encoded = answer.get("blocks")
            if not isinstance(encoded, list) or not 1 <= len(encoded) <= min(count, MAX_BLOCKS):
                raise MalformedInput("blocks", f"is not a list of 1 to {count}")
            blocks = tuple(decode_block(_bytes(one, "block", MAX_BLOCK_BYTES)) for one in encoded)
            for number, block in enumerate(blocks):
                if block.header.height != height + number:
                    raise MalformedInput("block.height", "another height", block.header.height, height + number)
            return blocks, decode_commit(_bytes(answer.get("commit"), "commit", MAX_COMMIT_BYTES))

        return self._ask("hub_blocks", {"height": str(height), "count": count}, parse)

    def results(self, height: int) -> tuple[ExecTxResult, ...]:
        """Results of the transactions in block `height`, without their logs: the chain commits to everything else.

        Raises:
            MemberFailed: no answer, or not of the form.
        """

        def parse(result: Any) -> tuple[ExecTxResult, ...]:
            rows = mapping(result, "block_results").get("txs_results") or []
            if not isinstance(rows, list) or len(rows) > MAX_RESULTS:
                raise MalformedInput("block_results.txs_results", f"is not a list of at most {MAX_RESULTS}")
            return tuple(_result(row, f"txs_results[{index}]") for index, row in enumerate(rows))

        return self._ask("block_results", {"height": str(height)}, parse)

    def snapshots(self) -> tuple[Offer, ...]:
        """What the member offers in the format that this node knows, newest first, at most MAX_SNAPSHOTS.

        Raises:
            MemberFailed: no answer, or not of the form.
        """

        def parse(result: Any) -> tuple[Offer, ...]:
            rows = mapping(result, "snapshots").get("snapshots")
            if not isinstance(rows, list) or len(rows) > MAX_SNAPSHOTS:
                raise MalformedInput("snapshots", f"is not a list of at most {MAX_SNAPSHOTS}")
            offers = []
            for row in rows:
                encoded = _bytes(mapping(row, "snapshot").get("manifest"), "manifest", MAX_MANIFEST_BYTES)
                if row.get("format") == FORMAT:
                    offers.append(Offer(decode_manifest(encoded), encoded))
            return tuple(sorted(offers, key=lambda offer: -offer.manifest.height))

        return self._ask("hub_snapshots", {}, parse)

    def chunk(self, height: int, index: int) -> bytes:
        """Chunk `index` (from 0) of the snapshot of `height`; whether it is the manifest's is not checked.

        Raises:
            MemberFailed: no answer, or not of the form.
        """

        def parse(result: Any) -> bytes:
            return _bytes(mapping(result, "chunk").get("chunk"), "chunk", MAX_CHUNK_BYTES)

        return self._ask("hub_snapshot_chunk", {"height": str(height), "index": index}, parse)

    def _ask(self, method: str, params: dict[str, Any], parse: Callable[[Any], T]) -> T:
        wanted = " ".join((method, *(str(value) for value in params.values())))
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            with self._client.stream("POST", self.url, json=request) as answer:
                body = read_answer(answer, MAX_ANSWER_BYTES, ANSWER_DEADLINE_S)
            document = mapping(parse_json(body, "answer", MAX_ANSWER_BYTES), "answer")
            if "result" not in document:
                raise MemberFailed(self.url, wanted, f"it answered {str(document.get('error'))[:200]}")
            return parse(document["result"])
        except (AnswerTooLarge, AnswerTooSlow) as error:
            raise MemberFailed(self.url, wanted, str(error)) from error
        except httpx.InvalidURL as error:
            raise MemberFailed(self.url, wanted, f"not a URL: {error}") from error
        except httpx.HTTPError as error:
            raise MemberFailed(self.url, wanted, f"no answer ({str(error)[:200] or type(error).__name__})") from error
        except MalformedInput as error:
            raise MemberFailed(self.url, wanted, str(error)[:500]) from error


assert MAX_ANSWER_BYTES > (MAX_BLOCKS_BYTES + MAX_BLOCK_BYTES) * 4 // 3


def _bytes(value: Any, field: str, most: int) -> bytes:
    if not isinstance(value, str) or len(value) > most * 4 // 3 + 4:
        raise MalformedInput(field, f"is not base64 of at most {most} bytes")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedInput(field, "is not base64") from None


def _height(value: Any, field: str, least: int = 1) -> int:
    height = integer(value, field)
    if height < least:
        raise MalformedInput(field, "not a height", got=height)
    return height


def _result(row: Any, field: str) -> ExecTxResult:
    entry = mapping(row, field)
    data = entry.get("data")
    return ExecTxResult(
        _height(entry.get("code"), f"{field}.code", least=0),
        b"" if data is None else _bytes(data, f"{field}.data", MAX_BLOCK_BYTES),
        "",
        _height(entry.get("gas_wanted"), f"{field}.gas_wanted", least=0),
        _height(entry.get("gas_used"), f"{field}.gas_used", least=0),
    )
