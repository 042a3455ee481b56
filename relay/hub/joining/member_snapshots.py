"""State sync of an embedded node: a snapshot that members serve, under a header that light verification reached."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from hutong.light_clients.interface import PredicateFailed, VerificationError
from hutong.light_clients.tendermint import predicates
from hutong.light_clients.tendermint.hashing import commit_hash, header_hash, results_hash, validator_set_hash
from hutong.light_clients.tendermint.types import Commit, Header, ValidatorSet
from hutong.relay.evm.chain.block_store import BlockStore
from hutong.relay.evm.store.database import KeyValueStore, KeyValueWriter
from hutong.relay.hub.application.abci import ChunkVerdict, ExecTxResult, OfferVerdict, Snapshot
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.snapshot.format import FORMAT
from hutong.relay.hub.chain.block_records import (
    BlockResults,
    store_block_records,
    store_revision_genesis,
    store_validators,
)
from hutong.relay.hub.consensus.blocks import block_id_of
from hutong.relay.hub.consensus.types import Block
from hutong.relay.hub.joining.light_follow import LightFollower
from hutong.relay.hub.joining.member_rpc import Member, MemberFailed, Offer
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles
from hutong.relay.hub.joining.state_sync import StateSync

T = TypeVar("T")


class NoSnapshot(Exception):
    """No member served a snapshot that holds: one sentence."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What consensus needs beside the application's state after block `height`, all but priorities bound by header + 1."""

    next_header: Header
    block: Block
    commit: Commit
    results: tuple[ExecTxResult, ...]
    sets: tuple[ValidatorSet, ValidatorSet, ValidatorSet]
    """Of `height`, `height` + 1 and `height` + 2."""


def fetch_beside(member: Member, next_header: Header) -> Beside:
    """Ask a member for what `next_header` commits to of the block below it, and check it against that header.

    Raises:
        MemberFailed: the member does not answer, or not with what the header commits to.
    """
    height = next_header.height - 1
    blocks, commit = member.blocks(height, 1)
    results = member.results(height)
    sets = (member.validator_set(height), member.validator_set(height + 1), member.validator_set(height + 2))
    beside = Beside(next_header, blocks[0], commit, results, sets)
    try:
        check_beside(beside)
    except VerificationError as error:
        raise MemberFailed(member.url, f"block {height} and its validators", str(error)) from error
    return beside


def check_beside(beside: Beside) -> None:
    """Everything but priorities is what `next_header` commits to, and the three sets are sound.

    Whether `commit` has enough signatures is not looked at: the header commits to its hash.

    Raises:
        PredicateFailed: named for the part that is another, or `validator_set_is_sound`.
    """
    header, block = beside.next_header, beside.block
    rows = [(item.code, item.data, item.gas_wanted, item.gas_used) for item in beside.results]
    wanted = (
        ("block_is_the_next_headers_parent", block_id_of(block), header.last_block_id),
        ("commit_is_the_next_headers", commit_hash(beside.commit), header.last_commit_hash),
        ("results_are_the_next_headers", results_hash(rows), header.last_results_hash),
        ("set_is_the_headers", validator_set_hash(beside.sets[0]), block.header.validators_hash),
        ("set_is_the_headers", validator_set_hash(beside.sets[1]), header.validators_hash),
        ("set_is_the_headers", validator_set_hash(beside.sets[2]), header.next_validators_hash),
    )
    for name, got, expected in wanted:
        if got != expected:
            raise PredicateFailed(name, f"not what header {header.height} commits to", got, expected)
    for one in beside.sets:
        predicates.validator_set_is_sound(one)


@dataclass(slots=True)
class StateRestorer:
    """Tries offers newest first, members in their order. `named` is told of each member that failed, once for each reason."""

    application: HubApplication
    store: KeyValueStore
    files: SnapshotFiles
    follower: LightFollower
    now_ns: Callable[[], int]
    named: Callable[[str], None]

    def restore(self, members: Sequence[Member]) -> tuple[int, Member]:
        """Restore the newest snapshot that holds, of those that the members serve; blocking.

        Returns:
            The height that the store is at now, and the member who served the priorities of the validator sets.

        Raises:
            NoSnapshot: no member serves one that holds.
            TrustUnusable: the trusted header cannot carry; no other member helps.
            StoreFull: the disk is too small.
        """
        holders: dict[bytes, tuple[Offer, list[Member]]] = {}
        for member in members:
            try:
                for offer in member.snapshots():
                    holders.setdefault(offer.encoded, (offer, []))[1].append(member)
            except MemberFailed as error:
                self.named(str(error))
        if not holders:
            raise NoSnapshot(
                "no member serves a snapshot: a member makes them with `hutong hub start --snapshot-interval`"
            )
        for offer, serving in sorted(holders.values(), key=lambda item: -item[0].manifest.height):
            who = self._try(offer, serving)
            if who is not None:
                return offer.manifest.height, who
        raise NoSnapshot("no snapshot that the members serve holds")

    def _try(self, offer: Offer, serving: list[Member]) -> Member | None:
        # A peer that has the snapshot has its headers: no other is asked for, or blamed for, a height that was made up.
        height = offer.manifest.height
        header = self._from_any(serving, lambda member: self.follower.header(member, height + 1, self.now_ns()))
        if header is None:
            return None
        found = self._from_any(serving, lambda member: (fetch_beside(member, header), member))
        if found is None:
            return None
        beside, who = found
        genesis = self.application.genesis
        sync = StateSync(self.application, self.store, self.files, lambda batch: _store_beside(batch, beside, genesis))
        snapshot = Snapshot(
            height, FORMAT, len(offer.manifest.chunk_hashes), sha256(offer.encoded).digest(), offer.encoded
        )
        offered = sync.offer_snapshot(snapshot, beside.next_header.app_hash)
        if offered.verdict is not OfferVerdict.ACCEPT:
            self._blame(serving, f"snapshot of height {height}", offered.reason)
            return None
        return who if self._chunks(sync, offer, serving) else None

    def _chunks(self, sync: StateSync, offer: Offer, serving: list[Member]) -> bool:
        height, able = offer.manifest.height, list(serving)
        for index in range(len(offer.manifest.chunk_hashes)):
            while True:
                if not able:
                    return False
                member = able[0]
                try:
                    answer = sync.apply_snapshot_chunk(index, member.chunk(height, index), member.url)
                except MemberFailed as error:
                    self.named(str(error))
                    able.remove(member)
                    continue
                if answer.verdict is ChunkVerdict.ACCEPT:
                    break
                if answer.verdict is not ChunkVerdict.RETRY:
                    self._blame(serving, f"snapshot of height {height}", answer.reason)
                    return False
                self._blame([member], f"chunk {index} of height {height}", answer.reason)
                able.remove(member)
        return True

    def _from_any(self, members: Sequence[Member], ask: Callable[[Member], T]) -> T | None:
        for member in members:
            try:
                return ask(member)
            except MemberFailed as error:
                self.named(str(error))
        return None

    def _blame(self, members: Sequence[Member], wanted: str, reason: str) -> None:
        for member in members:
            self.named(str(MemberFailed(member.url, wanted, reason)))


def _store_beside(batch: KeyValueWriter, beside: Beside, genesis: Genesis) -> None:
    """In the batch that makes the restored version the newest. Raises PredicateFailed: `snapshot_names_the_next_block`."""
    restored = BlockStore(batch, genesis.evm_chain_id).restored()
    expected = header_hash(beside.next_header)
    if restored is None or restored.next_hash != expected:
        got = None if restored is None else restored.next_hash
        raise PredicateFailed("snapshot_names_the_next_block", "its headers are forged", got, expected)
    block, height = beside.block, beside.block.header.height
    results = BlockResults(beside.results, beside.next_header.app_hash)
    store_block_records(batch, block, block_id_of(block), beside.commit, results)
    if genesis.continues is not None:
        store_revision_genesis(batch, genesis.digest)
    for number, validators in enumerate(beside.sets):
        store_validators(batch, height + number, validators)
