"""How much room the bodies of blocks take, and which of them go: transactions, receipts and results are what strangers fill.

Headers, commits and validators stay as long as evidence counts; they are small and no stranger makes them larger.
"""

from hutong.relay.evm.chain.block_store import prune_body as prune_evm_body
from hutong.relay.evm.store.database import KeyValueStore, KeyValueWriter, Table, WritableTable
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.chain.block_records import BlockRecords, prune_body

BODIES = b"hub-bodies/"
"""The one key `counted`: BE8 highest counted height, BE8 bytes of all whole blocks up to it."""
_COUNTED = b"counted"
LEAST_BODIES = 1_024
"""The newest stay whatever they take: peers that fell back a little ask for them, and relays for the events in them."""
COUNTED_IN_STEP = 256
BODIES_IN_STEP = 16
SAVED_EVERY = 64
"""Blocks: what was counted since is counted again after a crash."""


class BodyBudget:
    """Blocking, for the thread that applies blocks. `most_bytes` of bodies stay, and at least the newest LEAST_BODIES."""

    def __init__(
        self, store: KeyValueStore, application: HubApplication, records: BlockRecords, most_bytes: int
    ) -> None:
        self._blocks = application.blocks
        self._records = records
        self._most_bytes = most_bytes
        raw = Table(store, BODIES).get(_COUNTED)
        self._counted = -1 if raw is None else int.from_bytes(raw[:8], "big")
        self._saved = self._counted
        self.total_bytes = 0 if raw is None else int.from_bytes(raw[8:], "big")
        """Of the whole blocks that are counted."""

    def excess(self, newest: int) -> range:
        """Count up to COUNTED_IN_STEP blocks that were added up to `newest`, and say which bodies are to go.

        Returns:
            Heights of the oldest blocks, at most BODIES_IN_STEP, none of them among the newest LEAST_BODIES; empty
            while all bodies fit.
        """
        first = self._blocks.first_number()
        if self._counted > newest:  # the node was rolled back
            self._counted, self.total_bytes = -1, 0
        self._counted = max(self._counted, first - 1)
        for height in range(self._counted + 1, min(newest, self._counted + COUNTED_IN_STEP) + 1):
            self.total_bytes += self._bytes(height)
            self._counted = height
        end, left = first, self.total_bytes
        last = min(self._counted, newest - LEAST_BODIES, first + BODIES_IN_STEP - 1)
        while left > self._most_bytes and end <= last:
            left -= self._bytes(end)
            end += 1
        return range(first, end)

    def prune(self, batch: KeyValueWriter, height: int) -> None:
        """Take the body of `height` out of the sum, and delete it from both stores in `batch`."""
        self.forget(height)
        prune_body(batch, self._records, height)
        prune_evm_body(batch, self._blocks, height)

    def forget(self, height: int) -> None:
        """Take a block out of the sum that goes as a whole. It counts only where its body has not gone before."""
        if self._blocks.first_number() <= height <= self._counted:
            self.total_bytes = max(self.total_bytes - self._bytes(height), 0)

    @property
    def is_due(self) -> bool:
        """Whether SAVED_EVERY blocks were counted since the sum was last written, so that `save` is due."""
        return self._counted - self._saved >= SAVED_EVERY

    def save(self, batch: KeyValueWriter) -> None:
        """Write the sum and how far it reaches; without it the next start counts from the last `save` on."""
        counted = max(self._counted, 0)
        WritableTable(batch, BODIES).put(_COUNTED, counted.to_bytes(8, "big") + self.total_bytes.to_bytes(8, "big"))
        self._saved = self._counted

    def _bytes(self, height: int) -> int:
        return self._records.body_bytes(height) + self._blocks.body_bytes(height)
