"""Some of a block's transactions through the node's index, where the results of all are more than an answer may hold.

Chains whose modules do much at the end of an epoch make such blocks. What is found is hashed nowhere.
"""

from collections.abc import Collection

from hutong.adapters.cometbft.results import MAX_TRANSACTION_BASE64_CHARS, ResultReader, TransactionResult
from hutong.adapters.cometbft.rpc import base64_bytes
from hutong.adapters.rpc import Attempt, Fields

PER_PAGE = 10
MAX_FOUND = 10_000
MAX_INDEX = 2**32 - 1

Found = dict[int, tuple[bytes, TransactionResult]]


async def transactions_with(
    attempt: Attempt, height: int, events: Collection[str], attribute: str
) -> tuple[tuple[bytes, TransactionResult], ...]:
    """Transactions of a block that emitted one of `events` with `attribute`, in order, each with its result.

    What is found is the index's word: neither transactions nor results are checked against a header here.

    Raises:
        RpcRefused: the node has no index.
        BadAnswer: a transaction of another height, more than MAX_FOUND, or a malformed field.
        AttemptFailed: as `Attempt.call`.
    """
    reader, found = ResultReader(events), Found()
    for event in sorted(events):
        query = f"tx.height={height} AND {event}.{attribute} EXISTS"
        page, total = 1, 1
        while (page - 1) * PER_PAGE < total:
            total = await _page(attempt, query, page, height, reader, found)
            page += 1
    return tuple(found[index] for index in sorted(found))


async def _page(attempt: Attempt, query: str, page: int, height: int, reader: ResultReader, found: Found) -> int:
    def decode(fields: Fields) -> int:
        for entry in fields.at("txs").items(PER_PAGE):
            if entry.at("height").decimal() != height:
                raise entry.at("height").bad(f"is not the asked {height}")
            index = entry.at("index").decimal(MAX_INDEX)
            if index not in found:
                raw = base64_bytes(entry.at("tx"), MAX_TRANSACTION_BASE64_CHARS)
                found[index] = (raw, reader.result(entry.at("tx_result"))[0])
        return fields.at("total_count").decimal(MAX_FOUND)

    params = {"query": query, "prove": False, "page": str(page), "per_page": str(PER_PAGE), "order_by": "asc"}
    return await attempt.call("tx_search", params, decode)
