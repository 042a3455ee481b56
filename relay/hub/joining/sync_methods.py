"""What a member serves to nodes that join, beside CometBFT's methods: snapshots, exact validator sets, encoded blocks.

A joining node believes none of it: chunks are bound by an app hash, sets by headers, blocks by the commits that follow.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from hutong.light_clients.tendermint.codec import encode_commit, encode_validator_set
from hutong.relay.hub.chain.block_records import BlockRecords
from hutong.relay.hub.consensus.blocks import encode_block
from hutong.relay.hub.consensus.types import Block
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles
from hutong.relay.hub.rpc.cometbft_parameters import Arguments, internal_error, invalid_params

MAX_SNAPSHOTS = 4
"""The newest ones; a manifest takes up to half a MiB."""
MAX_BLOCKS = 64
MAX_BLOCKS_BYTES = 4 * 1024 * 1024
"""Of one answer; the first block is served whatever its size."""


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class SyncMethods:
    """Blocking, for worker threads."""

    def __init__(self, records: BlockRecords, files: SnapshotFiles | None) -> None:
        self._records = records
        self._files = files
        self.table: Mapping[str, tuple[tuple[str, ...], Callable[[Arguments], Any]]] = {
            "hub_snapshots": ((), self._snapshots),
            "hub_snapshot_chunk": (("height", "index"), self._chunk),
            "hub_validator_set": (("height",), self._validator_set),
            "hub_blocks": (("height", "count"), self._blocks),
        }

    def _snapshots(self, _: Arguments) -> Any:
        found = () if self._files is None else self._files.list()
        return {
            "snapshots": [
                {"height": str(one.height), "format": one.format, "manifest": _b64(one.metadata)}
                for one in found[:MAX_SNAPSHOTS]
            ]
        }

    def _chunk(self, arguments: Arguments) -> Any:
        height, index = _natural(arguments, "height"), _natural(arguments, "index")
        chunk = b"" if self._files is None else self._files.chunk(height, 1, index)
        if not chunk:
            raise internal_error(f"no chunk {index} of a snapshot of height {height}")
        return {"chunk": _b64(chunk)}

    def _validator_set(self, arguments: Arguments) -> Any:
        height = _natural(arguments, "height")
        validators = self._records.validators(height)
        if validators is None:
            raise internal_error(f"no validators at height {height}")
        return {"height": str(height), "validator_set": _b64(encode_validator_set(validators))}

    def _blocks(self, arguments: Arguments) -> Any:
        """Consecutive blocks and the commit of the last of them: what vouches for the others is in their successors."""
        height, count = _natural(arguments, "height"), _natural(arguments, "count")
        if not 1 <= count <= MAX_BLOCKS:
            raise invalid_params(f"count is 1 to {MAX_BLOCKS}")
        blocks: list[str] = []
        last: Block | None = None
        room = MAX_BLOCKS_BYTES
        while len(blocks) < count and (stored := self._records.block(height + len(blocks))) is not None:
            encoded = encode_block(stored.block)
            room -= len(encoded)
            if blocks and room < 0:
                break
            blocks.append(_b64(encoded))
            last = stored.block
        if last is None:
            raise internal_error(f"no block at height {height}")
        following = self._records.block(last.header.height + 1)
        commit = self._records.commit(last.header.height) if following is None else following.block.last_commit
        if commit is None:
            raise internal_error(f"no commit at height {last.header.height}")
        return {"blocks": blocks, "commit": _b64(encode_commit(commit))}


def _natural(arguments: Arguments, name: str) -> int:
    value = arguments.integer(name)
    if value is None or value < 0:
        raise invalid_params(f"{name} is a number from 0 on")
    return value
