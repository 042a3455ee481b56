"""A node joins a hub whose first revision has ended: by state sync only, and across the joint where nothing is linked by hash."""

import time
from dataclasses import replace

import pytest

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.tendermint.codec import decode_header, encode_header
from hutong.light_clients.tendermint.types import BlockId, PartSetHeader
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application.abci import ChunkVerdict, OfferVerdict
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.application.snapshot.format import RecordKind, header_count
from hutong.relay.hub.chain.ledger import ChainDamaged, HubLedger
from hutong.relay.hub.chain.pruning import Pruner, Retention
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.joining import joining
from hutong.relay.hub.joining.joining import join_hub, prepare_home
from hutong.relay.hub.joining.light_follow import TrustedHash
from hutong.relay.hub.joining.member_rpc import Member
from hutong.relay.hub.joining.snapshot_files import SnapshotFiles
from hutong.relay.hub.joining.snapshot_taker import SnapshotSchedule, SnapshotTaker, headers_of_records
from hutong.relay.hub.joining.state_sync import StateSync
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.application.governance.governed_hub import GovernedHub
from tests.relay.hub.application.governance.test_hub_next_revision import at_its_end, restarted
from tests.relay.hub.joining.joining_members import Crash, JoiningStore, member, run_join
from tests.relay.hub.joining.snapshot_chain import RECORDER_INIT, Taken, maker_of, recorder_call

BLOCKS = 20
"""Of the second revision."""


class Continued:
    """A chain of two revisions: the second ends at its tip, and has a snapshot a few blocks above the joint."""

    def __init__(self, directory) -> None:
        first = GovernedHub((10, 10, 10, 10))
        first.advance(first.raw(None, RECORDER_INIT))
        self.recorder = first.application.blocks.receipts(first.height)[0].contract_address
        first.advance(time_s=int(time.time()) - 200)
        first.advance()
        self.joint = at_its_end(first)
        self.first, self.hub = first, restarted(first)
        for height in range(self.joint + 1, self.joint + BLOCKS):
            # The hash of an ancestor at the joint, below it and above it goes into the state.
            assert self.hub.advance(self.hub.raw(self.recorder, recorder_call(height - self.joint + height % 3)))[0].ok
        self.snapshot_height = self.joint + 8
        self.files = SnapshotFiles(directory)
        self.files.write(self.snapshot_height, maker_of(self.hub, self.snapshot_height))

    def genesis_file(self, directory):
        path = directory / "genesis.json"
        path.write_bytes(encode_genesis(self.hub.genesis))
        return path

    def trust(self, height):
        stored = self.hub.ledger.records.block(height)
        return ("--trust-height", str(height), "--trust-hash", stored.block_id.hash.hex())

    def serving(self, files=None):
        return member(self.files if files is None else files, ledger=self.hub.ledger)


@pytest.fixture(scope="module")
def continued(tmp_path_factory):
    return Continued(tmp_path_factory.mktemp("snapshots"))


@pytest.mark.long
def test_a_node_joins_a_later_revision_runs_on_and_lets_others_join(tmp_path, continued):
    hub, genesis = continued.hub, continued.genesis_file(tmp_path)
    at = continued.snapshot_height
    with continued.serving() as url:
        code, output = run_join(tmp_path / "home", genesis, url, options=continued.trust(hub.height - 2))
    assert code == 0, output
    assert f"restored the state after block {at}" in output
    assert f"at block {hub.height}: {hub.height - at} blocks verified" in output
    node = open_node(tmp_path / "home")
    assert node.ledger.tip == hub.ledger.tip
    assert node.ledger.application.oldest_state() == at
    assert node.ledger.records.revision_genesis() == hub.genesis.digest
    # In its turn it makes a snapshot within reach of the joint, with headers that it got with its own.
    later = SnapshotFiles(tmp_path / "later")
    taker = SnapshotTaker(
        tmp_path / "home", node.store, hub.genesis, headers_of_records(node.ledger.records), SnapshotSchedule(1, 1)
    )
    assert taker.take(at + 5)
    node.store.close()
    later.write(at + 5, maker_of(hub, at + 5))
    assert taker.files.manifest(at + 5) == later.manifest(at + 5)
    with continued.serving(taker.files) as url:
        code, output = run_join(tmp_path / "other", genesis, url, options=continued.trust(at + 7))
    assert (code, f"restored the state after block {at + 5}" in output) == (0, True), output


def test_the_first_block_of_the_revision_has_a_snapshot(tmp_path, continued):
    files = SnapshotFiles(tmp_path / "first")
    files.write(continued.joint + 1, maker_of(continued.hub, continued.joint + 1))
    genesis = continued.genesis_file(tmp_path)
    with continued.serving(files) as url:
        code, output = run_join(tmp_path / "home", genesis, url, options=continued.trust(continued.joint + 4))
    assert (code, f"restored the state after block {continued.joint + 1}" in output) == (0, True), output


def test_without_a_header_that_is_trusted_there_is_nothing_to_begin_with(tmp_path, continued):
    home, genesis = tmp_path / "home", continued.genesis_file(tmp_path)
    with continued.serving() as url:
        code, output = run_join(home, genesis, url)
        assert code == 1
        wanted = f"hutong-2 begins with the state after block {continued.joint}, which this home does not have: give --trust-height"
        assert wanted in output
        with pytest.raises(
            NodeRefused, match="the database is empty: run `hutong hub join` with a header that you trust"
        ):
            open_node(home)
        old = continued.first.ledger.records.block(continued.joint).block_id.hash.hex()
        options = ("--trust-height", str(continued.joint), "--trust-hash", old)
        code, output = run_join(home, genesis, url, options=options)
        assert (code, "is of an earlier revision, hutong-2 begins after block" in output) == (1, True), output
        code, output = run_join(home, genesis, url, options=continued.trust(continued.hub.height))
        assert code == 0, output


def test_the_joint_itself_is_no_place_for_a_snapshot(continued, tmp_path):
    with pytest.raises(PredicateFailed) as refused:
        list(maker_of(continued.hub, continued.joint).chunks())
    assert refused.value.predicate == "snapshot_of_this_revision"
    assert (refused.value.got, refused.value.expected) == (continued.joint, f"> {continued.joint}")
    taken = Taken.of(continued.hub, continued.snapshot_height)
    joint = continued.joint
    lie = Taken(replace(taken.manifest, height=joint, headers=header_count(joint)), taken.chunks)
    application = HubApplication(MemoryStore(), continued.hub.genesis)
    sync = StateSync(application, MemoryStore(), SnapshotFiles(tmp_path))
    answer = sync.offer_snapshot(lie.offer, bytes(32))
    assert (answer.verdict, "snapshot_of_this_revision" in answer.reason) == (OfferVerdict.REJECT, True)


class Beginner:
    """A node of the second revision with nothing."""

    def __init__(self, genesis, directory) -> None:
        self.store = MemoryStore()
        self.application = HubApplication(self.store, genesis)
        self.sync = StateSync(self.application, self.store, SnapshotFiles(directory))

    def restore(self, taken, app_hash):
        assert self.sync.offer_snapshot(taken.offer, app_hash).verdict is OfferVerdict.ACCEPT
        for index, chunk in enumerate(taken.chunks):
            answer = self.sync.apply_snapshot_chunk(index, chunk, "peer")
            if answer.verdict is not ChunkVerdict.ACCEPT:
                break
        return answer


def changed_header(taken, height, **fields):
    """The snapshot with one header changed, and a manifest that agrees with it."""
    records = []
    for kind, body in taken.records:
        if kind is RecordKind.HEADER and (header := decode_header(body)).height == height:
            body = encode_header(replace(header, **fields))
        records.append((kind, body))
    return Taken.packed(taken.manifest, records)


@pytest.mark.parametrize(
    ("above", "fields", "reason"),
    [
        (0, {"time_ns": 10**18}, "headers_are_linked"),
        (-2, {"time_ns": 10**18}, "headers_are_linked"),
        (1, {"last_block_id": BlockId(b"\x05" * 32, PartSetHeader(1, b"\x05" * 32))}, "headers_are_linked"),
        (0, {"chain_id": "hutong-2"}, "header_of_this_chain"),
        (1, {"chain_id": "hutong-1"}, "header_of_this_chain"),
    ],
)
def test_attack_C42_ancestors_across_the_joint_are_those_that_genesis_names(tmp_path, continued, above, fields, reason):
    taken = Taken.of(continued.hub, continued.snapshot_height)
    app_hash = continued.hub.application.state.require_root(continued.snapshot_height)
    node = Beginner(continued.hub.genesis, tmp_path)
    lie = changed_header(taken, continued.joint + above, **fields)
    answer = node.restore(lie, app_hash)
    assert (answer.verdict, reason in answer.reason) == (ChunkVerdict.REJECT_SNAPSHOT, True), answer.reason
    assert dict(node.store.items()) == {}, "back to nothing"
    assert node.restore(taken, app_hash).verdict is ChunkVerdict.ACCEPT


def test_a_snapshot_of_another_origin_is_refused(tmp_path, continued):
    taken = Taken.of(continued.hub, continued.snapshot_height)
    app_hash = continued.hub.application.state.require_root(continued.snapshot_height)
    genesis = continued.hub.genesis
    other = replace(genesis, continues=replace(genesis.continues, origin=b"\x07" * 32))
    lie = Taken(replace(taken.manifest, genesis_digest=other.digest), taken.chunks)
    answer = Beginner(other, tmp_path).restore(lie, app_hash)
    assert (answer.verdict, "state_of_this_genesis" in answer.reason) == (ChunkVerdict.REJECT_SNAPSHOT, True)


@pytest.mark.long
def test_attack_C45_a_crash_while_a_later_revision_is_joined_is_gone_on_from(tmp_path, continued, monkeypatch):
    monkeypatch.setattr("hutong.relay.hub.joining.state_sync._ROWS_IN_BATCH", 400)
    genesis, at = continued.hub.genesis, continued.hub.height
    trusted = TrustedHash(at, continued.hub.ledger.records.block(at).block_id.hash)
    home = tmp_path / "home"
    prepare_home(home, genesis)

    def join_on(store):
        monkeypatch.setattr(joining, "open_store", lambda _: store)
        return join_hub(home, genesis, [Member(url)], trusted, print)

    with continued.serving() as url:
        whole = JoiningStore()
        join_on(whole)
        assert whole.writes > 12
        for writes in range(whole.writes):
            store = JoiningStore()
            store.writes_left = writes
            with pytest.raises(Crash):
                join_on(store)
            store.writes_left = 10**9
            assert join_on(store).height == at
            assert dict(store.items()) == dict(whole.items())


def test_a_node_starts_again_after_the_joint_was_pruned(monkeypatch):
    """Three weeks after a restart every node has deleted the block that genesis names."""
    monkeypatch.setattr("hutong.relay.hub.chain.pruning.LEAST_STATES", 4)
    first = GovernedHub((10,))
    joint = at_its_end(first)
    hub = restarted(first)
    hub.ledger.pruner = Pruner(hub.store, hub.application, hub.ledger.records, Retention(1, 3, 0))
    hub.ledger.pruner.prepare()
    records = hub.ledger.records
    while records.first_height() <= joint:
        hub.advance()
    hub.advance()
    again = HubLedger(hub.store, hub.genesis)
    assert again.tip == hub.ledger.tip
    other = replace(hub.genesis, continues=replace(hub.genesis.continues, block_hash=b"\x09" * 32))
    with pytest.raises(ChainDamaged, match="the database follows another genesis file of hutong-2"):
        HubLedger(hub.store, other)
    with pytest.raises(ChainDamaged, match="the database is of hutong-2 already, the genesis file of hutong-1"):
        HubLedger(hub.store, first.genesis)
    third = replace(
        hub.genesis,
        chain_id="hutong-3",
        continues=replace(hub.genesis.continues, chain_id="hutong-2", height=records.first_height() - 1),
    )
    with pytest.raises(ChainDamaged, match="the database is of hutong-2 already, the genesis file of hutong-3"):
        HubLedger(hub.store, third)
