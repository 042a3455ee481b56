"""Finding logs in stored blocks: by the index where it reaches, else by header bloom."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from eth_hash.auto import keccak

from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.chain.blocks import bloom_may_contain
from hutong.relay.evm.chain.log_criteria import LogCriteria
from hutong.relay.evm.chain.log_index import is_narrowed
from hutong.relay.evm.rpc.json_errors import LIMIT_EXCEEDED, JsonRpcError
from hutong.relay.evm.rpc.json_format import log_json
from hutong.relay.evm.vm.outcomes import Log

MAX_LOG_BLOCKS = 10_000
"""Blocks in one query that the index does not narrow: a third of a second of header reading."""
MAX_LOGS = 10_000
MAX_INDEX_READS = 200_000
MAX_QUERY_S = 5.0


class _Spent(Exception):
    """The query has used what it may."""


class _Budget:
    """Reads and time of one query. The clock is asked only now and then."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._ends_s = now_s() + MAX_QUERY_S
        self._reads = 0

    def spend(self) -> None:
        self._reads += 1
        if self._reads > MAX_INDEX_READS:
            raise _Spent(f"reads more than {MAX_INDEX_READS} index entries")
        if self._reads % 64 == 0:
            self.check_time()

    def check_time(self) -> None:
        if self._now_s() > self._ends_s:
            raise _Spent(f"takes longer than {MAX_QUERY_S:.0f} s")


def logs_in_range(
    blocks: BlockStore, criteria: LogCriteria, first: int, last: int, now_s: Callable[[], float] = time.monotonic
) -> list[dict[str, Any]]:
    """Matching logs of the blocks `first` to `last`, both included, in order, as JSON-RPC shows them.

    Blocks: call it in a thread. `now_s` is a monotonic clock in seconds.

    Raises:
        JsonRpcError: -32005, over MAX_LOGS, MAX_LOG_BLOCKS, MAX_INDEX_READS or MAX_QUERY_S; its data is the range that
            fits, if there is one.
    """
    indexed_from = blocks.log_index.indexed_from() if is_narrowed(criteria) else None
    scanned_to = last if indexed_from is None else min(last, indexed_from - 1)
    if scanned_to - first >= MAX_LOG_BLOCKS:
        reason = f"block range of {scanned_to - first + 1} exceeds {MAX_LOG_BLOCKS} blocks"
        unindexed = "" if indexed_from is None else " that are not indexed yet"
        advice = "" if is_narrowed(criteria) else ", or name an address or a topic"
        raise _too_much(f"{reason}{unindexed}", first, first + MAX_LOG_BLOCKS - 1, advice)
    budget = _Budget(now_s)
    found: list[dict[str, Any]] = []
    done = first - 1
    """Up to which block `found` is complete."""
    try:
        for number in _candidates(blocks, criteria, first, last, scanned_to, budget):
            done = max(done, number - 1)
            budget.check_time()
            for entry in logs_of_block(blocks, criteria, number):
                if len(found) == MAX_LOGS:
                    raise _Spent(f"returned more than {MAX_LOGS} results")
                found.append(entry)
            done = number
    except _Spent as spent:
        raise _too_much(f"query {spent}", first, done, ", or ask for fewer addresses and topics") from None
    return found


def _candidates(
    blocks: BlockStore, criteria: LogCriteria, first: int, last: int, scanned_to: int, budget: _Budget
) -> Iterator[int]:
    yield from range(first, scanned_to + 1)
    if scanned_to < last:
        yield from blocks.log_index.blocks_with(criteria, max(first, scanned_to + 1), last, budget.spend)


def _too_much(reason: str, first: int, fits_to: int, advice: str) -> JsonRpcError:
    if fits_to < first:
        return JsonRpcError(LIMIT_EXCEEDED, f"{reason}, narrow the criteria")
    fits = {"fromBlock": hex(first), "toBlock": hex(fits_to)}
    return JsonRpcError(
        LIMIT_EXCEEDED,
        f"{reason}, narrow the block range (this one fits: {fits['fromBlock']} to {fits['toBlock']}){advice}",
        fits,
    )


def logs_of_block(blocks: BlockStore, criteria: LogCriteria, number: int) -> Iterator[dict[str, Any]]:
    """Matching logs of one block, in order, as JSON-RPC shows them.

    Ends at once where the bloom excludes a match, and for a block that is not stored or has been pruned.
    """
    stored = blocks.header(number)
    if stored is None or not _bloom_matches(criteria, stored[1].logs_bloom):
        return
    block_hash, header = stored
    raw, receipts = blocks.raw_transactions(number), blocks.receipts(number)
    if raw is None or receipts is None:
        return
    log_index = 0
    for transaction_index, receipt in enumerate(receipts):
        transaction_hash = keccak(raw[transaction_index]) if receipt.logs else b""
        for log in receipt.logs:
            if _log_matches(criteria, log):
                yield log_json(log, block_hash, header, transaction_hash, transaction_index, log_index)
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
