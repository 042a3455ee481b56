"""A node joins: what it believes, whom it names, and where an interruption leaves it."""

import base64
import json
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from light_clients.interface import MalformedInput, PredicateFailed
from light_clients.tendermint.codec import decode_commit, decode_validator_set, encode_commit, encode_validator_set
from light_clients.tendermint.types import BlockIdFlag
from relay.cli.hub import app
from relay.evm.lmdb_store import LmdbStore
from relay.hub.application.genesis import HubParams, encode_genesis
from relay.hub.consensus.blocks import block_id_of, decode_block, encode_block, make_block
from relay.hub.consensus.validators import advance_proposer
from relay.hub.node import joining
from relay.hub.node.block_sync import ChainContradiction, WrongTurn, apply_verified, verify_commit
from relay.hub.node.home import UnusableHome
from relay.hub.node.joining import JoinFailed, join_hub, prepare_home
from relay.hub.node.ledger import HubLedger
from relay.hub.node.light_follow import TrustedHash
from relay.hub.node.member_rpc import Member, MemberFailed
from relay.hub.node.signer import decode_last_signed
from relay.hub.node.signing_record import floor_record, why_not_sign
from relay.hub.node.start import NodeRefused, open_node
from tests.relay.hub.joining_members import (
    HEIGHT,
    SNAPSHOT_HEIGHT,
    TRUSTED_HEIGHT,
    Crash,
    JoiningStore,
    block_hash,
    chain,
    member,
    snapshots,
)
from tests.relay.hub.simulated_hub import SimulatedHub, hub_genesis


def unb64(text: str) -> bytes:
    return base64.b64decode(text)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return snapshots(tmp_path_factory.mktemp("snapshots"), SNAPSHOT_HEIGHT, SNAPSHOT_HEIGHT - 10)


@pytest.fixture
def genesis(tmp_path):
    path = tmp_path / "genesis.json"
    path.write_bytes(encode_genesis(chain().hub.genesis))
    return path


def trust(height=TRUSTED_HEIGHT, hashed=None):
    hashed = block_hash(height) if hashed is None else hashed
    return ("--trust-height", str(height), "--trust-hash", hashed.hex())


def run_join(home, genesis, *urls, options=()):
    sources = [argument for url in urls for argument in ("--from", url)]
    done = CliRunner().invoke(app, ["join", "--home", str(home), "--genesis", str(genesis), *sources, *options])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def tip_of(home):
    store = LmdbStore(home / "data")
    try:
        ledger = HubLedger(store, chain().hub.genesis)
        return ledger.tip, ledger.application.blocks.restored()
    finally:
        store.close()


# --- the honest way


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


def test_a_node_joins_from_block_1_without_a_trusted_header(tmp_path, files, genesis):
    with member(None) as url:
        code, output = run_join(tmp_path / "home", genesis, url)
        assert (code, f"at block {HEIGHT}: {HEIGHT} blocks verified" in output) == (0, True), output
        again, output = run_join(tmp_path / "home", genesis, url, options=trust())
    assert (again, f"at block {HEIGHT}: 0 blocks verified" in output) == (0, True), output
    tip, restored = tip_of(tmp_path / "home")
    assert (tip, restored) == (chain().hub.ledger.tip, None)


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
    with member(None) as url, member(None, ledger=partial) as behind:
        code, output = run_join(home, genesis, behind, url)
    assert (code, f"at block {HEIGHT}: {HEIGHT - 52} blocks verified" in output) == (0, True), output
    node = open_node(home)
    assert node.ledger.tip == chain().hub.ledger.tip
    assert node.signer.record == decode_last_signed((home / "last_signed.json").read_bytes())
    node.store.close()


# --- hostile members


def lie(method, change):
    """Tamper with one method's results."""

    def tamper(called, params, result):
        return change(params, result) if called == method else result

    return tamper


def damaged_chunk(_, result):
    chunk = unb64(result["chunk"])
    return {"chunk": b64(chunk[:-1] + bytes([chunk[-1] ^ 1]))}


def other_manifest(_, result):
    first = result["snapshots"][0]
    manifest = bytearray(unb64(first["manifest"]))
    manifest[-1] ^= 1
    return {"snapshots": [{**first, "manifest": b64(bytes(manifest))}]}


def changed_commit(change):
    def answer(_, result):
        return {**result, "commit": b64(encode_commit(change(decode_commit(unb64(result["commit"])))))}

    return answer


def first_signature_of(commit, signature=None, **fields):
    index = next(i for i, entry in enumerate(commit.signatures) if entry.block_id_flag is BlockIdFlag.COMMIT)
    entry = replace(commit.signatures[index], signature=signature or bytes(64), **fields)
    return replace(commit, signatures=(*commit.signatures[:index], entry, *commit.signatures[index + 1 :]))


def last_entry_forged(commit):
    """Beyond two thirds: a light check never reads it."""
    index = max(i for i, entry in enumerate(commit.signatures) if entry.block_id_flag is BlockIdFlag.COMMIT)
    entry = replace(commit.signatures[index], signature=b"\x01" * 64)
    return replace(commit, signatures=(*commit.signatures[:index], entry, *commit.signatures[index + 1 :]))


def other_transactions(_, result):
    blocks = [decode_block(unb64(one)) for one in result["blocks"]]
    blocks[0] = replace(blocks[0], transactions=(*blocks[0].transactions, b"\x02more"))
    return {**result, "blocks": [b64(encode_block(one)) for one in blocks]}


def old_commit(_, result):
    """Valid signatures of an older height, by as many validators."""
    records = chain().hub.ledger.records
    size = len(records.commit(HEIGHT).signatures)
    older = next(h for h in range(HEIGHT - 1, 0, -1) if len(records.commit(h).signatures) == size)
    return {**result, "commit": b64(encode_commit(records.commit(older)))}


def of_another_height(params, _):
    stored = chain().hub.ledger.records.block(int(params["height"]) + 1)
    return {"blocks": [b64(encode_block(stored.block))], "commit": b64(encode_commit(stored.block.last_commit))}


def priorities_turned(params, result):
    validators = decode_validator_set(unb64(result["validator_set"]))
    return {**result, "validator_set": b64(encode_validator_set(advance_proposer(validators, 1)))}


def set_without_one(params, result):
    validators = decode_validator_set(unb64(result["validator_set"]))
    fewer = validators.validators[:-1]
    return {
        **result,
        "validator_set": b64(encode_validator_set(replace(validators, validators=fewer, proposer=fewer[0]))),
    }


def later_header(params, result):
    from light_clients.tendermint.rpc_json import commit_to_rpc, header_to_rpc

    records = chain().hub.ledger.records
    height = int(params["height"])
    other = records.block(height - 1).block.header
    return {
        "signed_header": {
            "header": {**header_to_rpc(other), "height": str(height)},
            "commit": commit_to_rpc(records.commit(height)),
        }
    }


def dropped(*_):
    raise ConnectionError


LIES = {
    "a chunk with a changed bit": ("hub_snapshot_chunk", damaged_chunk, "chunk_is_the_manifests"),
    "a manifest that nobody else has": ("hub_snapshots", other_manifest, "chunk_is_the_manifests"),
    "a header with another content": ("commit", later_header, "header_is_the_trusted_one"),
    "a validator set without one member": ("hub_validator_set", set_without_one, "set_is_the_headers"),
    "results with another gas": (
        "block_results",
        lambda _, result: {**result, "txs_results": [{"code": 0, "data": None, "gas_wanted": "1", "gas_used": "1"}]},
        "results_are_the_next_headers",
    ),
    "a block with another transaction": ("hub_blocks", other_transactions, "block_is_the_next_headers_parent"),
    "blocks of another height": ("hub_blocks", of_another_height, "block.height"),
    "a closed connection": ("hub_blocks", dropped, "no answer"),
    "no JSON": ("status", lambda *_: b"{", "malformed answer"),
    "a long answer": ("hub_snapshots", lambda *_: b"[" + b" " * 17_000_000 + b"]", "more than 16777216 bytes"),
    "a snapshot list of another shape": ("hub_snapshots", lambda *_: {"snapshots": {}}, "snapshots"),
    "a height of 2^70": (
        "status",
        lambda *_: {"sync_info": {"latest_block_height": str(2**70)}},
        "latest_block_height",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_member_that_lies_or_fails_is_named_and_the_next_one_asked(tmp_path, files, genesis, name):
    method, change, rule = LIES[name]
    with member(files, lie(method, change)) as liar, member(files) as honest:
        code, output = run_join(tmp_path / "home", genesis, liar, honest, options=trust())
        named = [line for line in output.splitlines() if line.startswith(liar)]
        assert named
        assert rule in named[0], named
        assert not [line for line in output.splitlines() if line.startswith(honest)]
        assert code == 0, output
        assert tip_of(tmp_path / "home")[0] == chain().hub.ledger.tip
        alone, output = run_join(tmp_path / "alone", genesis, liar, options=trust())
    assert (alone, "not joined" in output) == (1, True), output


BLOCK_LIES = {
    "C42: a commit of an older height": (old_commit, "commit_matches_header"),
    "C42: a commit of an older round": (
        changed_commit(lambda commit: replace(commit, round=commit.round + 1)),
        "wrong signature",
    ),
    "C40: a commit with a false signature": (changed_commit(first_signature_of), "wrong signature"),
    "C41: a proposer's second block, without votes": (other_transactions, "commit_is_for_the_block"),
    "a false entry beyond two thirds": (changed_commit(last_entry_forged), "every_entry_signed"),
    "an entry fewer": (
        changed_commit(lambda commit: replace(commit, signatures=commit.signatures[:-1])),
        "one_entry_a_validator",
    ),
}


@pytest.mark.parametrize("name", BLOCK_LIES)
def test_attack_C42_a_joining_node_believes_no_block_without_its_own_commit(tmp_path, genesis, name):
    change, rule = BLOCK_LIES[name]

    def tamper(method, params, result):
        # Only the last answer: the blocks before it are vouched for by one another.
        if method == "hub_blocks" and int(params["height"]) + len(result["blocks"]) > HEIGHT:
            return change(params, result)
        return result

    with member(None, tamper) as liar, member(None) as honest:
        code, output = run_join(tmp_path / "home", genesis, liar, honest)
        named = [line for line in output.splitlines() if line.startswith(liar)]
        assert (code, len(named)) == (0, 1), output
        assert rule in named[0]
        assert tip_of(tmp_path / "home")[0] == chain().hub.ledger.tip


def test_a_member_that_claims_more_than_it_has_holds_nobody_up(tmp_path, files, genesis):
    claim = lie("status", lambda *_: {"sync_info": {"latest_block_height": str(10**12)}})
    with member(files, claim) as liar, member(files) as honest:
        code, output = run_join(tmp_path / "home", genesis, liar, honest, options=trust())
    assert (code, tip_of(tmp_path / "home")[0]) == (0, chain().hub.ledger.tip), output
    assert f"{liar}: hub_blocks {HEIGHT + 1} 32" in output


def test_a_member_that_lies_about_whose_turn_it_is_is_found_by_the_blocks_and_left(tmp_path, files, genesis):
    """No header commits to priorities, so only the proposers of the blocks that follow tell."""
    with member(files, lie("hub_validator_set", priorities_turned)) as liar, member(files) as honest:
        code, output = run_join(tmp_path / "home", genesis, liar, honest, options=trust())
        assert code == 0, output
        assert f"{liar}: priorities of the validators" in output
        assert tip_of(tmp_path / "home")[0] == chain().hub.ledger.tip
        code, output = run_join(tmp_path / "alone", genesis, liar, options=trust())
    assert (code, "no other member is left" in output) == (1, True), output


def test_attack_C40_a_fork_that_all_validators_signed_is_not_joined_past_the_trusted_header(tmp_path, genesis):
    """More than two thirds signed two chains: the header that the person trusts says which one it is."""
    fork_store = JoiningStore()
    for key, value in chain().hub.store.items():
        with fork_store.batch() as batch:
            batch.put(key, value)
    fork = SimulatedHub(
        fork_store, genesis=chain().hub.genesis, validator_keys=tuple(chain().hub.validator_keys.values())
    )
    fork.time_s = int(time.time()) - 5
    for _ in range(3):
        fork.advance()
    trusted = TrustedHash(HEIGHT + 2, b"\x05" * 32)
    home = tmp_path / "home"
    prepare_home(home, chain().hub.genesis)
    with member(None, ledger=fork.ledger) as url:
        code, output = run_join(home, genesis, url)
        assert (code, f"at block {HEIGHT + 3}" in output) == (0, True)
        code, output = run_join(home, genesis, url, options=trust(trusted.height, trusted.hash))
        assert code == 1
        assert (
            f"block {HEIGHT + 2} of this home is {fork.ledger.records.block(HEIGHT + 2).block_id.hash.hex()}" in output
        )
        code, output = run_join(tmp_path / "new", genesis, url, options=trust(trusted.height, trusted.hash))
    assert (code, "no member serves a snapshot" in output) == (1, True), output


def signed_by_all(hub, block):
    from relay.hub.consensus.votes import Tally

    block_id = block_id_of(block)
    votes = dict(hub._votes(block.header.height, block_id, block.header.time_ns + 10**9))
    return Tally(votes).commit(hub.ledger.tip.validators, block_id)


@pytest.fixture
def four():
    """A hub of four validators of equal power, at block 3."""
    from tests.relay.hub.validator_run import POOL

    members = POOL[:4]
    from relay.hub.application.genesis import GenesisValidator

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
    from relay.hub.node.block_sync import _check_turn

    _check_turn(tip.validators, next_block(four), later.round)
    _check_turn(tip.validators, block, later.round)


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


def test_attack_C45_a_key_whose_votes_are_on_the_chain_above_its_record_does_not_start(tmp_path, genesis):
    """A joined home that was given a key with a past: the chain shows what the record does not."""
    from relay.hub.node.home import encode_validator_key
    from relay.hub.node.signer import encode_last_signed
    from tests.relay.hub.validator_run import POOL

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


# --- interruptions


def test_attack_C45_a_crash_at_any_write_while_joining_is_gone_on_from(tmp_path, files, monkeypatch):
    """Every write of state sync and block sync is the last one before a crash; the same command then ends where others do."""
    genesis, trusted = chain().hub.genesis, TrustedHash(TRUSTED_HEIGHT, block_hash(TRUSTED_HEIGHT))
    monkeypatch.setattr("relay.hub.node.state_sync._ROWS_IN_BATCH", 100)
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


def test_a_node_does_not_start_on_a_half_restored_snapshot(tmp_path, genesis):
    home = tmp_path / "home"

    def only_once(params, result):
        if int(params["index"]) > 0:
            raise ConnectionError
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("relay.hub.application.snapshot.making.MAX_CHUNK_BYTES", 4_000)
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


# --- what is read from members


def answering(body):
    import httpx

    return Member("http://member", httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(body))))


ASKED = {
    "latest_height": lambda one: one.latest_height(),
    "signed_header": lambda one: one.signed_header(3),
    "validator_set": lambda one: one.validator_set(3),
    "blocks": lambda one: one.blocks(3, 4),
    "results": lambda one: one.results(3),
    "snapshots": lambda one: one.snapshots(),
    "chunk": lambda one: one.chunk(3, 0),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=80).map(b64),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["blocks", "commit", "snapshots", "manifest", "format", "chunk", "validator_set", "sync_info",
             "latest_block_height", "txs_results", "code", "data", "gas_wanted", "gas_used", "signed_header", "header"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(JSON, st.sampled_from(sorted(ASKED)))
def test_any_answer_of_a_member_is_a_value_or_a_named_failure(result, method):
    try:
        ASKED[method](answering(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()))
    except MemberFailed as error:
        assert error.url == "http://member"
        assert len(str(error)) < 1_000


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_changed_block_answer_is_refused_by_form_or_by_rule(data):
    """Blocks 1 to 3 as served, with one byte changed: nothing but the true blocks is ever applied."""
    records = chain().hub.ledger.records
    encoded = [encode_block(records.block(height).block) for height in (1, 2, 3)]
    which = data.draw(st.integers(0, 2))
    at = data.draw(st.integers(0, len(encoded[which]) - 1))
    changed = bytearray(encoded[which])
    changed[at] ^= data.draw(st.integers(1, 255))
    encoded[which] = bytes(changed)
    ledger = HubLedger(JoiningStore(), chain().hub.genesis)
    answer = {"blocks": [b64(one) for one in encoded], "commit": b64(encode_commit(records.commit(3)))}
    try:
        blocks, commit = answering(json.dumps({"result": answer}).encode()).blocks(1, 3)
        apply_verified(ledger, blocks, commit)
    except (MemberFailed, PredicateFailed, MalformedInput):
        pass
    else:
        raise AssertionError("a changed block was believed")
    for height in range(1, ledger.tip.height + 1):
        assert ledger.records.block(height) == records.block(height)


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
