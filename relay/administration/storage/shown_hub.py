"""The hub as an auditor sees it: records that are proven from a checkpoint, and what transactions said."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import trio

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    MalformedInput,
    UnsupportedOperation,
    VerificationError,
)
from hutong.light_clients.tendermint.codec import decode_header
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.relay.archive.checkpoint import Checkpoint, encode_checkpoint
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey, encode_record_bundle
from hutong.relay.archive.shared_records import share_proofs
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.records import RecordAuditor
from hutong.relay.base.durable_files import write_durably
from hutong.relay.core.archiving.bundling.records import RecordExporter
from hutong.relay.keys import Signer
from hutong.relay.services.storage.hub.node import SPAN, StorageNode, open_storage_node
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.hub.table import HubTable
from hutong.relay.services.storage.rules.audits.answers import MAX_ANSWERS
from hutong.relay.services.storage.rules.calls import SUBMIT_ANSWERS
from hutong.relay.services.storage.rules.carried_calls import carried_calls

RECORDED: Final = keccak256(b"StorageRecorded(bytes32,bytes,bytes)")
MAX_EVENT_BYTES: Final = 256 * 1_024
EXPORT_LIMIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ProvenRecords:
    """Values by key, None for what the hub does not have, under its header of `height`; and the bundle that shows them."""

    values: dict[bytes, bytes | None]
    height: int
    bundle: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of the module: `key` was written in a transaction."""

    key: bytes
    transaction: bytes


@dataclass(frozen=True, slots=True)
class SubmittedAnswers:
    """What a transaction carries as the answers of an operator, as it stands in a call.

    `is_carried`: in the call of a contract, so that nothing says that the module took it.
    """

    operator: bytes
    epoch: int
    first: int
    count: int
    answers: bytes
    signature: bytes
    is_carried: bool = False


class ShownHub:
    """Of one auditor. A newer header that was proven is kept in time, so that the checkpoint never grows old."""

    def __init__(self, node: StorageNode, trusted: Checkpoint, kept: Path) -> None:
        self._node = node
        self._kept = kept
        self.trusted = trusted
        self.said = node.record
        """By the node's word, unproven: a hint of what to ask a proof of."""
        self.head = node.head
        self.send = node.send

    async def proven(self, keys: Sequence[bytes]) -> ProvenRecords:
        """What the hub holds under each key, shown from the checkpoint by its newest header and judged here.

        Raises:
            HubSilent: no node shows it, or what it shows does not hold.
        """
        whats = [RecordKey(key) for key in dict.fromkeys(keys)]
        try:
            # each bundle has its header in it, for readers whose checkpoint is older than ours
            exporter = await self._node.asked(RecordExporter.of_hub(self._node.chain))
            made = await self._node.asked(exporter.export(whats), EXPORT_LIMIT_S)
            bundle = share_proofs(made) if len(made.statements) > 1 else made
            encoded = encode_record_bundle(bundle)
            if bundle.height.revision_height <= self.trusted.height:
                raise HubSilent(f"no header after the believed one, {self.trusted.height}, is there yet")
            report = await trio.to_thread.run_sync(RecordAuditor(self.trusted, time.time_ns()).audit, encoded)
        except (VerificationError, UnsupportedOperation, MissingTrust) as error:
            raise HubSilent(f"the node shows what does not hold: {error}") from None
        if report.failure is not None:
            raise HubSilent(f"the node shows what does not hold: {report.failure.check.error}")
        values = {one.what.key: one.value for one in bundle.statements if isinstance(one.what, RecordKey)}
        await self._believe(bundle)
        return ProvenRecords(values, bundle.height.revision_height, encoded)

    async def _believe(self, bundle: RecordBundle) -> None:
        """Begin from this header next time, where a quarter of the trusting period has gone by."""
        encoded = bundle.chain.headers[-1].header
        header = decode_header(encoded)
        period_ns = self.trusted.trusting_period_s * NANOSECONDS_PER_SECOND
        if header.time_ns - self.trusted.time_ns < period_ns // 4:
            return
        self.trusted = replace(
            self.trusted, height=header.height, hash=header_hash(header), time_ns=header.time_ns, header=encoded
        )
        await trio.to_thread.run_sync(write_durably, self._kept, encode_checkpoint(self.trusted))

    async def recorded(self, first: int, last: int) -> list[Recorded]:
        """What transactions of these blocks wrote, by the node's word.

        Raises:
            HubSilent: it does not answer, or tells of an event that is none.
        """
        found: list[Recorded] = []
        for start in range(first, last + 1, SPAN):
            end = min(last, start + SPAN - 1)
            logs = await self._node.events(start, end, [f"0x{RECORDED.hex()}"])
            try:
                for log in logs:
                    key, _ = decode_canonical(["bytes", "bytes"], log.data, "StorageRecorded", MAX_EVENT_BYTES)
                    found.append(Recorded(key, log.transaction_hash))
            except MalformedInput as error:
                raise HubSilent(f"the node tells of an event that is none: {error}") from None
        return found

    async def answers_in(self, transaction: bytes) -> list[SubmittedAnswers]:
        """The answers that a transaction carries, whatever it called: the module, or a contract that called it.

        Raises:
            HubSilent: the node does not answer.
        """
        data, is_direct = await self._node.data_of(transaction)
        given = [
            replace(SubmittedAnswers(*one), is_carried=not is_direct) for one in carried_calls(data, SUBMIT_ANSWERS)
        ]
        return [one for one in given if 1 <= one.count <= MAX_ANSWERS]


@asynccontextmanager
async def open_shown_hub(hub: HubTable, trusted: Checkpoint, kept: Path, signer: Signer) -> AsyncIterator[ShownHub]:
    """The hub of a configuration, its identity checked, while the block lasts.

    Args:
        kept: where the newest believed header is written down.

    Raises:
        HubSilent: it does not answer, or its endpoints serve another chain.
    """
    async with open_storage_node(hub, trusted.chain_id, signer) as node:
        yield ShownHub(node, trusted, kept)
