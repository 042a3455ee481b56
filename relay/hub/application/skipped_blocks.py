"""Blocks that count as executed empty, by certificate (docs/spec/hub-skip.md): what the state says of them, and the rules of the
block after one.

The state knows that its last block was skipped, so that a node which was given the state alone judges the next block as all do.
"""

from collections.abc import Sequence
from typing import Protocol

from hutong.light_clients.interface import PredicateFailed, VerificationError
from hutong.light_clients.tendermint.skip_certificate import (
    SkipCertificate,
    SkipStatement,
    decode_certificate,
    decode_statement,
    encode_certificate,
    encode_statement,
    is_certificate,
    skip_is_about,
    skip_is_decided,
)
from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable
from hutong.relay.hub.application.abci import CODE_OK, CODE_SKIPPED, ExecTxResult
from hutong.relay.hub.application.frame import Frame
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.governance.schedule import last_height, rules_version_at
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.validators import OrderedRows, Powers, read_powers
from hutong.relay.hub.halting import NodeMustHalt
from hutong.relay.hub.state import StateView, VersionedState
from hutong.relay.hub.state.keys import SKIP_PENDING_KEY, skip_certificate_key

SKIP_TABLE = b"hub-skips/"
"""BE8 height -> certificate by which this node skipped the block: the next proposal of its own carries it."""
CERTIFICATE_RESULT = ExecTxResult(CODE_OK, b"", "", 0, 0)
SKIPPED_RESULT = ExecTxResult(CODE_SKIPPED, b"", "skipped by certificate: it had no effect and may be sent again", 0, 0)


class SkipBroken(NodeMustHalt):
    """The engine decided a block that breaks a rule of skips, or was given an unfit certificate: the node must halt."""


class Reader(Protocol):
    def get(self, key: bytes) -> bytes | None:
        """The value under a key, None where there is none."""


def pending_skip(view: Reader) -> SkipStatement | None:
    """The statement by which the last block of this state counts as empty, None where it was executed."""
    raw = view.get(SKIP_PENDING_KEY)
    return None if raw is None else decode_statement(raw)


def leading_certificate(
    pending: SkipStatement | None, transactions: Sequence[bytes], powers: Powers
) -> SkipCertificate | None:
    """What the block after a skipped one begins with; None where none is wanted and none is there.

    `pending` is the state's `pending_skip`, `powers` the set that votes on this block, by key.

    Raises:
        PredicateFailed: `skip_certificate_required`, `skip_certificate_unwanted`, and the certificate's own rules.
        MalformedInput: it does not decode.
    """
    claimed = bool(transactions) and is_certificate(transactions[0])
    if pending is None:
        if claimed:
            raise PredicateFailed("skip_certificate_unwanted", "the last block was executed")
        return None
    if not claimed:
        raise PredicateFailed("skip_certificate_required", f"{pending} was skipped and nothing says by whom")
    certificate = decode_certificate(transactions[0])
    skip_is_about(certificate, pending)
    skip_is_decided(certificate, powers)
    return certificate


def write_skip(view: StateView, batch: KeyValueWriter, certificate: SkipCertificate) -> None:
    """Write that the block of `view` counts as empty, and into `batch`, outside the state, by which certificate."""
    statement = certificate.statement
    view.set(SKIP_PENDING_KEY, encode_statement(statement))
    WritableTable(batch, SKIP_TABLE).put(statement.height.to_bytes(8, "big"), encode_certificate(certificate))


def settle_skip(view: StateView, certificate: SkipCertificate) -> None:
    """Write the certificate into the state for good, in the block after the skipped one."""
    view.delete(SKIP_PENDING_KEY)
    view.set(skip_certificate_key(certificate.statement.height), encode_certificate(certificate))


class SkippedBlocks:
    """Of one hub's application. Reads; safe from any thread."""

    def __init__(self, store: KeyValueReader, state: VersionedState, genesis: Genesis, blocks: BlockStore) -> None:
        self._own = Table(store, SKIP_TABLE)
        self._state = state
        self._genesis = genesis
        self._blocks = blocks
        self._genesis_powers = {validator.public_key.data: validator.power for validator in genesis.validators}

    def powers(self, view: OrderedRows) -> Powers:
        """Power by key of those who vote on the next height but one, by the state of `view`.

        Where the block of that state was skipped they are those of the next height too.
        """
        return read_powers(view, self._genesis_powers)

    def certificate(self, height: int) -> SkipCertificate | None:
        """The certificate by which block `height` counts as empty here; None where it was executed, or is yet to come.

        None too for a newest block that was restored from a snapshot as skipped, whose certificate the next block
        brings.
        """
        newest = self._state.latest_version()
        if newest is None or height > newest:
            return None
        view = self._state.view_at(newest)
        raw = view.get(skip_certificate_key(height))
        if raw is None:
            pending = pending_skip(view)
            raw = self._own.get(height.to_bytes(8, "big")) if pending is not None and pending.height == height else None
        return None if raw is None else decode_certificate(raw)

    def statement(self, height: int, block_hash: bytes) -> SkipStatement:
        """That block `height` with this hash counts as empty over the state before it.

        Raises:
            StateDamaged: the state before it is not stored.
        """
        return SkipStatement(self._genesis.chain_id, height, block_hash, self._state.require_root(height - 1))

    def check(self, certificate: SkipCertificate) -> None:
        """Judge a certificate of the block that follows the newest state, or of that state's own block.

        The latter only while no other block follows it. Of the former the block's hash is still to be compared with the
        decided one.

        Raises:
            PredicateFailed: `skip_beside_commit`, `skip_is_near`, `skip_in_rules`, `skip_not_last_of_revision`, and the
                certificate's own rules.
        """
        newest, statement = self._newest(), certificate.statement
        if statement.height < newest and self.certificate(statement.height) is None:
            raise PredicateFailed(
                "skip_beside_commit",
                "a block after it is committed here over the state that executing it gave",
                got=newest,
                expected=f"<= {statement.height}",
            )
        if not newest <= statement.height <= newest + 1:
            raise PredicateFailed(
                "skip_is_near",
                "this node's state is elsewhere",
                got=statement.height,
                expected=f"{newest} or {newest + 1}",
            )
        block_hash = statement.block_hash
        if statement.height == newest:
            header = self._blocks.header(newest)
            if header is None or self._state.root(newest - 1) is None:
                raise PredicateFailed("skip_is_near", "this node began with the state after that block", got=newest)
            block_hash = header[1].prev_randao
        self.require_skippable(statement.height)
        skip_is_about(certificate, self.statement(statement.height, block_hash))
        skip_is_decided(certificate, self.powers(self._state.view_at(statement.height - 1)))

    def require_skippable(self, height: int) -> None:
        """The block after `height` can carry the certificate. The state before `height`, which must be stored, decides.

        Raises:
            PredicateFailed: `skip_in_rules`, `skip_not_last_of_revision`.
        """
        view = self._state.view_at(height - 1)
        version = rules_version_at(view, height + 1, self._genesis.rules_version)
        if version < rules_versions.BOUNDED_EXECUTION:
            raise PredicateFailed(
                "skip_in_rules",
                f"block {height + 1} has rules without skips",
                got=version,
                expected=f">= {rules_versions.BOUNDED_EXECUTION}",
            )
        if last_height(view, self._genesis.base_height) == height:
            raise PredicateFailed(
                "skip_not_last_of_revision", "no block of this revision follows: not supported", got=height
            )

    def for_proposal(self) -> bytes | None:
        """The encoded certificate that the next block must begin with, as this node has it.

        None where none is needed, and where this node has none, so that its proposal would be rejected.

        Raises:
            PredicateFailed: the chain is not initialised.
        """
        newest = self._newest()
        pending = pending_skip(self._state.view_at(newest))
        return None if pending is None else self._own.get(pending.height.to_bytes(8, "big"))

    def is_pending(self) -> bool:
        """Whether the newest block counts as empty, so that the next one must bring the certificate.

        Raises:
            PredicateFailed: the chain is not initialised.
        """
        return pending_skip(self._state.view_at(self._newest())) is not None

    def without_certificate(self, transactions: Sequence[bytes]) -> Sequence[bytes]:
        """The rest of a proposed block, after the certificate that it must begin with.

        Raises:
            PredicateFailed, MalformedInput: as `leading_certificate`.
        """
        view = self._state.view_at(self._newest())
        found = leading_certificate(pending_skip(view), transactions, self.powers(view))
        return transactions if found is None else transactions[1:]

    def _newest(self) -> int:
        newest = self._state.latest_version()
        if newest is None:
            raise PredicateFailed("skip_is_near", "the chain is not initialised")
        return newest


def executed_certificate(frame: Frame, transactions: Sequence[bytes], powers: Powers) -> SkipCertificate | None:
    """As `leading_certificate`, of a decided block, and settled in the state; None before rules version 3.

    Raises:
        SkipBroken: the block breaks a rule of skips.
    """
    if frame.rules_version < rules_versions.BOUNDED_EXECUTION:
        return None
    try:
        found = leading_certificate(pending_skip(frame.view), transactions, powers)
    except VerificationError as error:
        raise SkipBroken(f"block {frame.height}: {error}") from error
    if found is not None:
        settle_skip(frame.view, found)
    return found
