"""A node that executed a block which counts as empty: the block is taken back and applied as empty, in one write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.relay.base.durable_files import write_durably
from hutong.relay.evm.store.database import Entry, KeyValueStore, KeyValueWriter, WriteBatch
from hutong.relay.evm.vm.stack import run_with_evm_stack
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.skipped_blocks import pending_skip
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.chain.taking_off import take_off
from hutong.relay.hub.consensus.event_codec import encode_frame
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.consensus.types import HeightStarted
from hutong.relay.hub.engine.wal import WAL_FILE
from hutong.relay.hub.halting import NodeMustHalt


class SkippedHere(NodeMustHalt):
    """A certificate came of a block that this node executed: it must be started again, and then follows."""

    def __init__(self, certificate: SkipCertificate) -> None:
        self.certificate = certificate
        super().__init__(certificate)

    def __str__(self) -> str:
        return (
            f"more than two thirds could not execute {self.certificate.statement} and signed that it counts as empty; this node"
            " executed it: start it again, it takes the block back and follows"
        )


class OverlayStore:
    """A store whose batches stay in memory until they land in another, all of them at once."""

    def __init__(self, below: KeyValueStore) -> None:
        self._whole = WriteBatch(below)

    def get(self, key: bytes) -> bytes | None:
        """As the store below with every batch so far."""
        return self._whole.get(key)

    def next(self, key: bytes) -> Entry | None:
        """The entry with the least key above `key`, batches so far included."""
        return self._whole.next(key)

    def previous(self, key: bytes) -> Entry | None:
        """The entry with the greatest key below `key`, batches so far included."""
        return self._whole.previous(key)

    def items(self, start: bytes = b"", end: bytes | None = None) -> Iterator[Entry]:
        """Entries with start <= key < end in order of keys, batches so far included."""
        return self._whole.items(start, end)

    @contextmanager
    def batch(self) -> Iterator[KeyValueWriter]:
        """Writes that are seen by later reads once the context has ended without an error, in memory alone."""
        inner = WriteBatch(self._whole)
        yield inner
        _copy(inner, self._whole)

    def land(self, store: KeyValueStore) -> None:
        """Write all batches into `store`, in one batch of that.

        Raises:
            StoreFull: nothing was written.
        """
        with store.batch() as batch:
            _copy(self._whole, batch)

    def close(self) -> None:
        """What lies below is not this store's."""


def _copy(source: WriteBatch, to: KeyValueWriter) -> None:
    for key, value in source.pending():
        if value is None:
            to.delete(key)
        else:
            to.put(key, value)


def executed_certified(ledger: HubLedger, certificate: SkipCertificate) -> bool:
    """Whether the newest block is the one that `certificate` makes empty, and this ledger executed it.

    Raises:
        PredicateFailed: it is about that height, and does not hold (`SkippedBlocks.check`).
    """
    if certificate.statement.height != ledger.tip.height:
        return False
    if pending_skip(ledger.application.view()[0]) is not None:
        return False
    ledger.application.skips.check(certificate)
    return True


def follow(store: KeyValueStore, genesis: Genesis, ledger: HubLedger, certificate: SkipCertificate) -> HubLedger:
    """Take the newest block back and apply it as empty, in one write; the ledger after it.

    Raises:
        PredicateFailed: the certificate does not hold; nothing is written.
        ChainDamaged, StateDamaged: the block, its commit or the state below it is not on disk; nothing is written.
        SkipBroken: it is not the certificate of that block; nothing is written.
        StoreFull: nothing is written.
    """
    height = certificate.statement.height
    ledger.application.skips.check(certificate)
    stored, commit = ledger.records.block(height), ledger.records.commit(height)
    if stored is None or commit is None or height != ledger.tip.height:
        raise ChainDamaged(f"block {height} or its commit is not on disk: it cannot be applied again")

    def again() -> None:
        overlay = OverlayStore(store)
        with overlay.batch() as batch:
            take_off(batch, overlay, ledger, height - 1)
        HubLedger(overlay, genesis).apply(stored.block, stored.block_id, commit, certificate)
        overlay.land(store)

    run_with_evm_stack(again)
    return HubLedger(store, genesis)


def begin_log_anew(
    home: Path, ledger: HubLedger, certificate: SkipCertificate, record: LastSigned, now_ns: int
) -> None:
    """Empty the log, before the block is taken back.

    Nothing that it tells of the next height is true over the other state. What this key signed there stays signed, so
    it begins in the round after. It has no lock to keep: no block over the executed state can have had two thirds of
    the prevotes beside the certificate (docs/spec/hub-skip.md).

    Raises:
        OSError: the log cannot be written; nothing was changed.
    """
    height = certificate.statement.height + 1
    if record.height != height:
        write_durably(home / WAL_FILE, b"")
        return
    tip = ledger.tip
    started = HeightStarted(height, tip.validators, tip.time_ns, now_ns, record.round + 1)
    write_durably(home / WAL_FILE, encode_frame(started))
