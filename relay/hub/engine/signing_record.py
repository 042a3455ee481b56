"""Whether a validator's last-signed record fits the chain beside it: what a start, a restoration and a rollback ask.

A record behind the chain is that of a key that did not sign (it joined, or was away) or an old copy, which would let it sign a
second vote: where a commit on disk has the key's signature above the record, the record is an old copy.
"""

from hutong.light_clients.tendermint.types import BlockIdFlag
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.consensus.signing import LastSigned

FLOOR_ROUND = 2**31 - 1
"""Of a record that was never a signature: nothing is signed at its height or below."""
MOST_COMMITS = 100_000
"""Looked through downwards from the tip for the key's own signatures."""


def floor_record(height: int) -> LastSigned:
    """A record by which a key signs above `height` only. Its height counts as signed, in every round."""
    return LastSigned(height, FLOOR_ROUND, ())


def is_floor(record: LastSigned) -> bool:
    """Whether the record is one of `floor_record`, and not of signatures."""
    return record.round == FLOOR_ROUND and not record.signed


def newest_own_signature(records: BlockRecords, address: bytes, above: int) -> int | None:
    """The greatest height above `above` whose commit on disk has a vote of this key, 20-byte `address`; None for none.

    A vote for no block counts. At most MOST_COMMITS heights are looked through, downwards from the newest.
    """
    height = records.latest_height()
    for at in range(height, max(above, height - MOST_COMMITS), -1):
        commit = records.commit(at)
        if commit is not None and any(
            entry.validator_address == address and entry.block_id_flag is not BlockIdFlag.ABSENT
            for entry in commit.signatures
        ):
            return at
    return None


def why_not_sign(record: LastSigned, records: BlockRecords, address: bytes) -> str | None:
    """Why signing from this record on this chain could contradict what the key signed before; None where it may sign.

    One sentence, which says what the operator can do.
    """
    height = records.latest_height()
    if is_floor(record) and height < record.height:
        return (
            f"this key signs above height {record.height} only and the chain on disk ends at {height}: catch up first"
            " (`hutong hub join --home HOME --from URL`)"
        )
    if record.height > height + 1:
        return (
            f"this key signed height {record.height} but the chain on disk ends at {height}: the database was rolled"
            " back, and going on would sign a second block; catch up first (`hutong hub join --home HOME --from URL`)"
        )
    own = newest_own_signature(records, address, record.height)
    if own is not None:
        return (
            f"the chain on disk ends at {height} and has this key's vote of height {own} but the last-signed record ends"
            f" at {record.height}: the record was rolled back, or another"
            " node signs with this key"
        )
    return None
