"""The four snapshot calls of ABCI (cometbft abci/types/types.proto)."""

import logging
from collections.abc import Callable
from typing import Any

from hutong.light_clients.protobuf import abci_pb2
from hutong.relay.hub.application.abci import Snapshot
from hutong.relay.hub.joining.state_sync import StateSync

_LOGGER = logging.getLogger(__name__)


def snapshot_calls(state_sync: StateSync | None) -> dict[str, Callable[[Any], abci_pb2.Response]]:
    """The handlers by the names of their requests. Without `state_sync` no snapshot is offered, and none taken."""
    if state_sync is None:
        refused = abci_pb2.ResponseOfferSnapshot(result="ABORT")
        return {
            "list_snapshots": lambda _: abci_pb2.Response(list_snapshots={}),
            "load_snapshot_chunk": lambda _: abci_pb2.Response(load_snapshot_chunk={}),
            "offer_snapshot": lambda _: abci_pb2.Response(offer_snapshot=refused),
            "apply_snapshot_chunk": lambda _: abci_pb2.Response(apply_snapshot_chunk={"result": "ABORT"}),
        }
    calls = _SnapshotCalls(state_sync)
    return {
        "list_snapshots": calls.list_snapshots,
        "load_snapshot_chunk": calls.load_snapshot_chunk,
        "offer_snapshot": calls.offer_snapshot,
        "apply_snapshot_chunk": calls.apply_snapshot_chunk,
    }


class _SnapshotCalls:
    def __init__(self, state_sync: StateSync) -> None:
        self._state_sync = state_sync

    def list_snapshots(self, _: abci_pb2.RequestListSnapshots) -> abci_pb2.Response:
        snapshots = [
            abci_pb2.Snapshot(
                height=one.height, format=one.format, chunks=one.chunks, hash=one.hash, metadata=one.metadata
            )
            for one in self._state_sync.list_snapshots()
        ]
        return abci_pb2.Response(list_snapshots=abci_pb2.ResponseListSnapshots(snapshots=snapshots))

    def load_snapshot_chunk(self, request: abci_pb2.RequestLoadSnapshotChunk) -> abci_pb2.Response:
        chunk = self._state_sync.load_snapshot_chunk(request.height, request.format, request.chunk)
        return abci_pb2.Response(load_snapshot_chunk=abci_pb2.ResponseLoadSnapshotChunk(chunk=chunk))

    def offer_snapshot(self, request: abci_pb2.RequestOfferSnapshot) -> abci_pb2.Response:
        offer = request.snapshot
        snapshot = Snapshot(offer.height, offer.format, offer.chunks, offer.hash, offer.metadata)
        answer = self._state_sync.offer_snapshot(snapshot, request.app_hash)
        if answer.reason:
            _LOGGER.warning("the snapshot of height %d is refused: %s", snapshot.height, answer.reason)
        return abci_pb2.Response(offer_snapshot=abci_pb2.ResponseOfferSnapshot(result=answer.verdict.name))

    def apply_snapshot_chunk(self, request: abci_pb2.RequestApplySnapshotChunk) -> abci_pb2.Response:
        answer = self._state_sync.apply_snapshot_chunk(request.index, request.chunk, request.sender)
        if answer.reason:
            _LOGGER.warning("a chunk from %s is refused: %s", request.sender, answer.reason)
        return abci_pb2.Response(
            apply_snapshot_chunk=abci_pb2.ResponseApplySnapshotChunk(
                result=answer.verdict.name,
                refetch_chunks=answer.refetch_chunks,
                reject_senders=answer.reject_senders,
            )
        )
