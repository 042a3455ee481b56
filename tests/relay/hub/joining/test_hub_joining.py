"""A node joins: what it believes, whom it names, and where an interruption leaves it."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import PredicateFailed
from hutong.relay.hub.application.genesis import HubParams, encode_genesis
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of, make_block
from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.consensus.validators import advance_proposer
from hutong.relay.hub.engine.block_sync import ChainContradiction, WrongTurn, apply_verified, verify_commit
from hutong.relay.hub.engine.signing_record import floor_record, why_not_sign
from hutong.relay.hub.home.home import UnusableHome, encode_validator_key
from hutong.relay.hub.home.last_signed import decode_last_signed, encode_last_signed
from hutong.relay.hub.home.process import NodeRefused
from hutong.relay.hub.joining import joining
from hutong.relay.hub.joining.joining import JoinFailed, join_hub, prepare_home
from hutong.relay.hub.joining.light_follow import TrustedHash
from hutong.relay.hub.joining.member_rpc import Member
from hutong.relay.hub.process.start import open_node
from tests.relay.hub.application.governance.validator_run import POOL
from tests.relay.hub.joining.joining_members import (
    HEIGHT,
    SNAPSHOT_HEIGHT,
    TRUSTED_HEIGHT,
    Crash,
    JoiningStore,
    block_hash,
    chain,
    lie,
    member,
    run_join,
    snapshots,
    tip_of,
    trust,
)
from tests.relay.hub.simulated_hub import SimulatedHub, hub_genesis


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return snapshots(tmp_path_factory.mktemp("snapshots"), SNAPSHOT_HEIGHT, SNAPSHOT_HEIGHT - 10)


@pytest.fixture
def genesis(tmp_path):
    path = tmp_path / "genesis.json"
    path.write_bytes(encode_genesis(chain().hub.genesis))
    return path


# --- the honest way


@pytest.mark.long
@pytest.mark.parametrize("trusted", [SNAPSHOT_HEIGHT - 5, SNAPSHOT_HEIGHT + 1, TRUSTED_HEIGHT, HEIGHT])
def test_a_node_joins_by_state_sync_from_a_header_below_at_or_above_the_snapshot(tmp_path, files, genesis, trusted):
    with member(files) as url:
        code, output = run_join(tmp_path / "home", genesis, url, options=trust(trusted))
    assert code == 0, output
    assert f"restored the state after block {SNAPSHOT_HEIGHT}" in output
    assert f"at block {HEIGHT}: {HEIGHT - SNAPSHOT_HEIGHT} blocks verified" in output
    tip, restored = tip_of(tmp_path / "home")
    assert tip == chain().hub.ledger.tip
    assert restored.number == SNAPSHOT_HEIGHT


@pytest.mark.long
def test_a_node_joins_from_block_1_without_a_trusted_header(tmp_path, files, genesis):
    with member(None) as url:
        code, output = run_join(tmp_path / "home", genesis, url)
        assert (code, f"at block {HEIGHT}: {HEIGHT} blocks verified" in output) == (0, True), output
        again, output = run_join(tmp_path / "home", genesis, url, options=trust())
    assert (again, f"at block {HEIGHT}: 0 blocks verified" in output) == (0, True), output
    tip, restored = tip_of(tmp_path / "home")
    assert (tip, restored) == (chain().hub.ledger.tip, None)


@pytest.mark.long
def test_attack_C46_a_joined_node_that_lagged_catches_up_and_then_starts(tmp_path, files, genesis):
    """Its first member ends early; later another has the rest. A joined node that is no validator starts and signs nothing."""
    home, short = tmp_path / "home", JoiningStore()
    partial = HubLedger(short, chain().hub.genesis)
    records = chain().hub.ledger.records
    blocks = [records.block(height).block for height in range(1, 53)]
    apply_verified(partial, blocks, records.block(53).block.last_commit)
    with member(None, ledger=partial) as url:
        code, output = run_join(home, genesis, url)
    assert (code, "at block 52: 52 blocks verified" in output) == (0, True), output
    with member(None) as url, member(None, ledger=partial) as late:
        code, output = run_join(home, genesis, late, url)
    assert (code, f"at block {HEIGHT}: {HEIGHT - 52} blocks verified" in output) == (0, True), output
    node = open_node(home)
    assert node.ledger.tip == chain().hub.ledger.tip
    assert node.signer.record == decode_last_signed((home / "last_signed.json").read_bytes())
    node.store.close()


def signed_by_all(hub, block):
    from hutong.relay.hub.consensus.votes import Tally

    block_id = block_id_of(block)
    votes = dict(hub.votes(block.header.height, block_id, block.header.time_ns + 10**9))
    return Tally(votes).commit(hub.ledger.tip.validators, block_id)


@pytest.fixture
def four():
    """A hub of four validators of equal power, at block 3."""
    members = POOL[:4]
    from hutong.relay.hub.application.genesis import GenesisValidator

    validators = tuple(GenesisValidator(key.public_key, 1) for key in members)
    hub = SimulatedHub(genesis=replace(hub_genesis(), validators=validators), validator_keys=members)
    while hub.height < 3:
        hub.advance()
    return hub


def next_block(hub, **header):
    block = make_block(hub.ledger.tip, hub.ledger.last_commit(), (), hub.ledger.tip.validators.proposer.address)
    return replace(block, header=replace(block.header, **header))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("app_hash", b"\x01" * 32),
        ("last_results_hash", b"\x01" * 32),
        ("time_ns", 1),
        ("next_validators_hash", b"\x02" * 32),
    ],
)
def test_attack_C44_a_block_that_all_signed_and_that_contradicts_the_state_stops_the_node(four, field, value):
    """Application result, validators and block time follow from the node's own state, whoever signed something else."""
    block = next_block(four, **{field: value})
    with pytest.raises(ChainContradiction, match=f"header.{field}"):
        apply_verified(four.ledger, [block], signed_by_all(four, block))
    good = next_block(four)
    apply_verified(four.ledger, [good], signed_by_all(four, good))
    assert four.height == 4


def test_more_than_two_thirds_of_the_states_own_set_are_needed(four):
    block, addresses = next_block(four), [one.address for one in four.ledger.tip.validators.validators]
    four.absent = set(addresses[:2])
    with pytest.raises(PredicateFailed) as refused:
        apply_verified(four.ledger, [block], signed_by_all(four, block))
    assert (refused.value.predicate, refused.value.got, refused.value.expected) == ("two_thirds_signed", 2, "> 2")
    four.absent, four.nil = set(), set(addresses[:2])
    with pytest.raises(PredicateFailed, match="two_thirds_signed"):
        apply_verified(four.ledger, [block], signed_by_all(four, block))
    four.nil = {addresses[0]}
    apply_verified(four.ledger, [block], signed_by_all(four, block))


def test_a_block_of_another_chain_id_is_refused(four):
    block = next_block(four, chain_id="other-1")
    with pytest.raises(PredicateFailed) as refused:
        verify_commit("hutong-1", four.ledger.tip.validators, block, block_id_of(block), signed_by_all(four, block))
    assert (refused.value.predicate, refused.value.got) == ("chain_id_matches", "other-1")


def test_a_turn_may_be_of_an_earlier_round_and_not_of_nobody(four):
    tip = four.ledger.tip
    second = advance_proposer(tip.validators, 1).proposer.address
    block = next_block(four, proposer_address=second)
    with pytest.raises(WrongTurn, match="whose turn it was not"):
        apply_verified(four.ledger, [block], signed_by_all(four, block))
    first = tip.validators.proposer.address
    assert first != second
    later = replace(signed_by_all(four, next_block(four)), round=1)
    from hutong.relay.hub.engine.block_sync import check_turn

    check_turn(tip.validators, next_block(four), later.round)
    check_turn(tip.validators, block, later.round)


# --- what is given and what is there


def test_a_trusted_header_older_than_the_trusting_period_carries_nothing(tmp_path, files):
    genesis = chain().hub.genesis
    stored = chain().hub.ledger.records.block(TRUSTED_HEIGHT).block.header
    edge = stored.time_ns + HubParams().trusting_period_s * 10**9
    for number, (now_ns, joins) in enumerate(((edge - 1, True), (edge, False))):
        home = tmp_path / str(number)
        prepare_home(home, genesis)
        with member(files) as url:
            trusted = TrustedHash(TRUSTED_HEIGHT, block_hash(TRUSTED_HEIGHT))
            if joins:
                assert join_hub(home, genesis, [Member(url)], trusted, print, lambda now=now_ns: now).height == HEIGHT
            else:
                with pytest.raises(JoinFailed, match=f"header {TRUSTED_HEIGHT} is older than the trusting period"):
                    join_hub(home, genesis, [Member(url)], trusted, print, lambda now=now_ns: now)


@pytest.mark.long
def test_wrong_homes_and_arguments_are_refused_in_one_sentence(tmp_path, files, genesis):
    other = tmp_path / "other.json"
    other.write_bytes(encode_genesis(replace(chain().hub.genesis, chain_id="elsewhere-1")))
    with member(files) as url:
        assert run_join(tmp_path / "home", genesis, url, options=trust())[0] == 0
        code, output = run_join(tmp_path / "home", other, url)
        assert (code, "is of hub hutong-1" in output, "elsewhere-1" in output) == (2, True, True)
        # Headers of another chain lead nowhere, whatever their hash.
        code, output = run_join(tmp_path / "far", other, url, options=trust())
        assert (code, "snapshot_of_this_genesis" in output or "chain_id_matches" in output) == (1, True), output
        for options, sentence in (
            (("--trust-height", "3"), "together"),
            (("--trust-hash", "ab" * 32), "together"),
            ((*trust()[:3], "abc"), "32 bytes"),
            (("--trust-rpc", "h:1"), "--trust-rpc"),
            (("--peer", "ab" * 20 + "@h:1"), "or --peer"),
        ):
            code, output = run_join(tmp_path / "none", genesis, url, options=options)
            assert (code, sentence in output) == (2, True), output
        assert run_join(tmp_path / "none", genesis)[0] == 2
        assert run_join(tmp_path / "none", genesis, "file:///etc/passwd")[0] == 2
    assert not (tmp_path / "none").exists()
    (tmp_path / "abci" / "cometbft").mkdir(parents=True)
    with pytest.raises(UnusableHome, match="under CometBFT"):
        prepare_home(tmp_path / "abci", chain().hub.genesis)


@pytest.mark.long
def test_attack_C45_a_key_whose_votes_are_on_the_chain_above_its_record_does_not_start(tmp_path, genesis):
    """A joined home that was given a key with a past: the chain shows what the record does not."""
    home = tmp_path / "home"
    with member(None) as url:
        assert run_join(home, genesis, url)[0] == 0
    (home / "validator_key.json").write_bytes(encode_validator_key(POOL[0]))
    records = chain().hub.ledger.records
    address = POOL[0].public_key.address
    own = max(
        height
        for height in range(1, HEIGHT + 1)
        for entry in records.commit(height).signatures
        if entry.validator_address == address
    )
    for record, sentence in (
        (floor_record(own - 1), f"has this key's vote of height {own} but the last-signed record ends at {own - 1}"),
        (floor_record(HEIGHT + 1), f"signs above height {HEIGHT + 1} only and the chain on disk ends at {HEIGHT}"),
        (
            replace(floor_record(HEIGHT + 2), round=0),
            f"signed height {HEIGHT + 2} but the chain on disk ends at {HEIGHT}",
        ),
    ):
        (home / "last_signed.json").write_bytes(encode_last_signed(record))
        with pytest.raises(NodeRefused, match=sentence):
            open_node(home)
    for record in (floor_record(HEIGHT), floor_record(own), replace(floor_record(HEIGHT + 1), round=0)):
        assert why_not_sign(record, records, address) is None


def test_attack_C45_a_key_without_its_record_is_not_joined_with(tmp_path):
    """A home whose making was interrupted has the record before the key, so a key alone was brought from elsewhere."""
    home, genesis = tmp_path / "home", chain().hub.genesis
    home.mkdir()
    (home / "validator_key.json").write_bytes(encode_validator_key(POOL[0]))
    with pytest.raises(UnusableHome, match="without its last-signed record"):
        prepare_home(home, genesis)
    assert not (home / "genesis.json").exists()
    (home / "validator_key.json").unlink()
    (home / "last_signed.json").write_bytes(encode_last_signed(LastSigned()))
    assert prepare_home(home, genesis)
    assert not prepare_home(home, genesis)
    assert (home / "validator_key.json").exists()


# --- interruptions


@pytest.mark.long
def test_attack_C45_a_crash_at_any_write_while_joining_is_gone_on_from(tmp_path, files, monkeypatch):
    """Every write of state sync and block sync is the last one before a crash; the same command then ends where others do."""
    genesis, trusted = chain().hub.genesis, TrustedHash(TRUSTED_HEIGHT, block_hash(TRUSTED_HEIGHT))
    monkeypatch.setattr("hutong.relay.hub.joining.state_sync._ROWS_IN_BATCH", 100)
    home = tmp_path / "home"
    prepare_home(home, genesis)

    def join_on(store):
        monkeypatch.setattr(joining, "open_store", lambda _: store)
        return join_hub(home, genesis, [Member(url)], trusted, print)

    with member(files) as url:
        whole = JoiningStore()
        join_on(whole)
        assert whole.writes > 30
        for writes in (*range(0, 20, 4), *range(20, whole.writes, 9)):
            store = JoiningStore()
            store.writes_left = writes
            with pytest.raises(Crash):
                join_on(store)
            store.writes_left = 10**9
            assert join_on(store).height == HEIGHT
            assert dict(store.items()) == dict(whole.items())


@pytest.mark.long
def test_a_node_does_not_start_on_a_half_restored_snapshot(tmp_path, genesis):
    home = tmp_path / "home"

    def only_once(params, result):
        if int(params["index"]) > 0:
            raise ConnectionError
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hutong.relay.hub.application.snapshot.making.MAX_CHUNK_BYTES", 4_000)
        many = snapshots(tmp_path / "many", SNAPSHOT_HEIGHT)
    assert many.list()[0].chunks > 3
    with member(many, lie("hub_snapshot_chunk", only_once)) as url:
        code, output = run_join(home, genesis, url, options=trust())
        assert (code, "no snapshot that the members serve holds" in output) == (1, True), output
    with pytest.raises(NodeRefused, match="half restored"):
        open_node(home)
    with member(many) as url:
        assert run_join(home, genesis, url, options=trust())[0] == 0
    open_node(home).store.close()


def test_attack_C43_at_the_very_change_of_the_set_only_the_set_of_that_height_counts():
    records, chain_id = chain().hub.ledger.records, chain().hub.genesis.chain_id
    changes = [h for h in range(2, HEIGHT) if records.validators(h).validators != records.validators(h - 1).validators]
    members = [{one.address for one in records.validators(h).validators} for h in range(1, HEIGHT + 1)]
    assert any(members[h - 1] != members[h - 2] for h in changes)
    for height in (h for h in changes if members[h - 1] != members[h - 2]):
        stored = records.block(height)
        for other in (height - 1, height + 1):
            if members[other - 1] == members[height - 1]:
                continue
            with pytest.raises(PredicateFailed) as refused:
                verify_commit(
                    chain_id, records.validators(other), stored.block, stored.block_id, records.commit(height)
                )
            assert refused.value.predicate == "validators_hash_matches"
        verify_commit(chain_id, records.validators(height), stored.block, stored.block_id, records.commit(height))


def test_attack_C41_a_second_block_of_the_proposer_is_not_applied_with_the_votes_of_the_first(four):
    first, second = next_block(four), next_block(four, data_hash=b"\x01" * 32)
    votes = signed_by_all(four, first)
    with pytest.raises(PredicateFailed) as refused:
        apply_verified(four.ledger, [second], votes)
    assert refused.value.predicate == "commit_matches_header"
    with pytest.raises(PredicateFailed, match="wrong signature"):
        apply_verified(four.ledger, [second], replace(votes, block_id=block_id_of(second)))
    apply_verified(four.ledger, [first], votes)
    assert four.height == 4
