"""Indexing the logs of blocks that were stored before there was an index."""

import trio

from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.chain.log_index import INDEXED_FROM, PROGRESS_TABLE, LogIndex, put_logs
from hutong.relay.evm.store.database import KeyValueStore, WritableTable

BLOCKS_IN_BATCH = 256
REST_S = 0.05
"""Between batches, of which each takes some hundredths of a second: a new block waits for one at most."""


async def index_older_blocks(store: KeyValueStore, chain_id: int) -> None:
    """Index until all blocks are; ends at once where they are. A crash loses one batch of work.

    Run beside the node as a task. It waits REST_S after each batch, so that blocks are made meanwhile.
    """
    while await trio.to_thread.run_sync(index_some_older_blocks, store, chain_id):  # noqa: ASYNC110  a rest, not a poll
        await trio.sleep(REST_S)


def index_some_older_blocks(store: KeyValueStore, chain_id: int, most: int = BLOCKS_IN_BATCH) -> bool:
    """Index the newest `most` blocks that are not indexed, in one batch of the store. Blocks: call it in a thread.

    Returns:
        Whether others are left; False in an empty store.
    """
    blocks = BlockStore(store, chain_id)
    head = blocks.head_number()
    if head is None:
        return False
    first = blocks.first_number()
    indexed_from = LogIndex(store).indexed_from()
    if indexed_from is not None and indexed_from <= first:
        return False
    with store.batch() as batch:
        end = head + 1 if indexed_from is None else indexed_from
        begin = max(first, end - most)
        for number in range(begin, end):
            put_logs(batch, number, blocks.receipts(number) or ())
        WritableTable(batch, PROGRESS_TABLE).put(INDEXED_FROM, begin.to_bytes(8, "big"))
    return begin > first
