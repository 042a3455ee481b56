"""Finding logs in stored blocks, by header bloom first."""

from collections.abc import Iterator
from typing import Any

from relay.evm.block_store import BlockStore
from relay.evm.blocks import EvmBlock, bloom_may_contain
from relay.evm.execution import Log
from relay.evm.json_errors import LIMIT_EXCEEDED, JsonRpcError
from relay.evm.json_format import log_json
from relay.evm.json_params import LogCriteria

MAX_LOG_BLOCKS = 10_000
"""Blocks in one query: a third of a second of header reading."""
MAX_LOGS = 10_000


def logs_in_range(blocks: BlockStore, criteria: LogCriteria, first: int, last: int) -> list[dict[str, Any]]:
    """Matching logs of the blocks first..last in order. Raises JsonRpcError -32005 above either bound."""
    if last - first >= MAX_LOG_BLOCKS:
        raise JsonRpcError(LIMIT_EXCEEDED, f"block range of {last - first + 1} exceeds {MAX_LOG_BLOCKS} blocks")
    found: list[dict[str, Any]] = []
    for number in range(first, last + 1):
        for entry in logs_of_block(blocks, criteria, number):
            if len(found) == MAX_LOGS:
                raise JsonRpcError(
                    LIMIT_EXCEEDED, f"query returned more than {MAX_LOGS} results, narrow the block range"
                )
            found.append(entry)
    return found


def logs_of_block(blocks: BlockStore, criteria: LogCriteria, number: int) -> Iterator[dict[str, Any]]:
    stored = blocks.header(number)
    if stored is None or not _bloom_matches(criteria, stored[1].logs_bloom):
        return
    block, receipts = blocks.block(number), blocks.receipts(number)
    if block is None or receipts is None:
        return
    yield from _matching(criteria, block, [receipt.logs for receipt in receipts])


def _matching(criteria: LogCriteria, block: EvmBlock, logs: list[tuple[Log, ...]]) -> Iterator[dict[str, Any]]:
    log_index = 0
    for transaction_index, entries in enumerate(logs):
        for log in entries:
            if _log_matches(criteria, log):
                yield log_json(log, block, transaction_index, log_index)
            log_index += 1


def _log_matches(criteria: LogCriteria, log: Log) -> bool:
    if criteria.addresses and log.address not in criteria.addresses:
        return False
    if len(criteria.topics) > len(log.topics):
        return False
    return all(choices is None or topic in choices for choices, topic in zip(criteria.topics, log.topics, strict=False))


def _bloom_matches(criteria: LogCriteria, bloom: bytes) -> bool:
    if not any(bloom):
        return False
    groups = [choices for choices in (criteria.addresses, *criteria.topics) if choices]
    return all(any(bloom_may_contain(bloom, item) for item in choices) for choices in groups)
