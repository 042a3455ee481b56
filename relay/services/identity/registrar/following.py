"""Reads a hub's blocks into a registrar's shards, and compares what follows with the roots that the hub's records had.

Nothing that a node says is believed of leaves: whoever keeps back a call, or tells of another, is caught by the next root, and the
hub judges every proof that is made from the leaves besides.
"""

from collections.abc import Iterable
from typing import Final

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import VerificationError
from hutong.relay.services.identity.daemon.hub_access import IDENTITY_ADDRESS
from hutong.relay.services.identity.registrar.shards import Executed, NotOfTheseShards, Shards
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.shard_record import ShardRecord, decode_shard_record

SPAN = 2_000
"""Blocks of one question for logs."""
RECORDED: Final = keccak256(b"IdentityRecorded(bytes32,bytes,bytes)")
"""The topic of the one event that tells of records (docs/spec/identity-records.md)."""
MAX_EVENT_BYTES: Final = 200 + 4_096 + 256
"""Key, value, and what the encoding adds."""


async def follow_blocks(execution: ExecutionRpc, shards: Shards) -> None:
    """Apply every call about the registrar's persons up to the newest block, and keep what follows.

    What was applied and not kept when it raises is taken back by `Shards.back_to_mark`.

    Raises:
        NotOfTheseShards: what the node says gives other roots than the records that it tells of, or cannot be what a hub executed.
        AdapterError: the hub does not answer.
    """
    head = (await execution.latest_block()).height
    topics = [f"0x{RECORDED.hex()}", f"0x{shards.registrar.hex()}"]
    for first in range(shards.height + 1, head + 1, SPAN):
        last = min(first + SPAN - 1, head)
        logs = await execution.logs(IDENTITY_ADDRESS, first, last, topics)
        try:
            records = _records(log.data for log in logs)
            for transaction, height in dict.fromkeys((log.transaction_hash, log.height) for log in logs):
                call = await execution.mined_call(transaction)
                if call is None:
                    raise NotOfTheseShards(f"the node tells of transaction 0x{transaction.hex()} and does not have it")
                shards.apply(Executed(call.data, (await execution.block(height)).time_s))
            for number, record in records.items():
                _require_same(shards, number, record, last)
        except (VerificationError, NotOfTheseShards) as error:
            raise NotOfTheseShards(
                f"blocks {first} to {last}, as the node tells them, are not a hub's: {error}"
            ) from error
        shards.keep(last)


def _records(events: Iterable[bytes]) -> dict[int, ShardRecord]:
    """The last record of each shard that events tell of."""
    found: dict[int, ShardRecord] = {}
    for data in events:
        key, value = decode_canonical(["bytes", "bytes"], data, "IdentityRecorded", MAX_EVENT_BYTES)
        if key.startswith(keys.SHARD_PREFIX):
            found[int.from_bytes(key[-8:], "big")] = decode_shard_record(value)
    return found


def _require_same(shards: Shards, number: int, record: ShardRecord, height: int) -> None:
    file = shards.shard(number)
    if (file.root, file.count) != (record.root, record.count):
        raise NotOfTheseShards(
            f"shard {number} has another root than the hub's record after block {height}: the node kept something back, or"
            f" {shards.folder} is damaged; follow again into an empty folder, by another node"
        )
