"""Members that lie to a node that joins: each is named, the next one asked, and nothing false is believed."""

import json
import time
from dataclasses import replace

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.light_clients.tendermint.codec import (
    decode_commit,
    decode_validator_set,
    encode_commit,
    encode_validator_set,
)
from hutong.light_clients.tendermint.types import BlockIdFlag
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.application.snapshot.format import decode_manifest, encode_manifest
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import decode_block, encode_block
from hutong.relay.hub.consensus.validators import advance_proposer
from hutong.relay.hub.engine.block_sync import apply_verified
from hutong.relay.hub.joining.joining import prepare_home
from hutong.relay.hub.joining.light_follow import TrustedHash
from hutong.relay.hub.joining.member_rpc import MAX_ANSWER_BYTES, Member, MemberFailed
from tests.relay.hub.joining.joining_members import (
    HEIGHT,
    SNAPSHOT_HEIGHT,
    JoiningStore,
    b64,
    chain,
    lie,
    member,
    run_join,
    snapshots,
    tip_of,
    trust,
    unb64,
)
from tests.relay.hub.simulated_hub import SimulatedHub

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return snapshots(tmp_path_factory.mktemp("snapshots"), SNAPSHOT_HEIGHT, SNAPSHOT_HEIGHT - 10)


@pytest.fixture
def genesis(tmp_path):
    path = tmp_path / "genesis.json"
    path.write_bytes(encode_genesis(chain().hub.genesis))
    return path


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
    from hutong.light_clients.tendermint.rpc_json import commit_to_rpc, header_to_rpc

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


def test_a_snapshot_of_a_height_that_was_made_up_is_its_members_fault_alone(tmp_path, files, genesis):
    def made_up(_, result):
        manifest = decode_manifest(unb64(result["snapshots"][0]["manifest"]))
        lied = replace(manifest, height=10**6, headers=257)
        return {"snapshots": [{"height": "1000000", "format": 1, "manifest": b64(encode_manifest(lied))}]}

    with member(files, lie("hub_snapshots", made_up)) as liar, member(files) as honest:
        code, output = run_join(tmp_path / "home", genesis, liar, honest, options=trust())
    assert code == 0, output
    assert [line.split(": ")[0] for line in output.splitlines() if line.startswith("http")] == [liar]


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


# --- what is read from members


def answering(body):
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


class Endless(httpx.SyncByteStream):
    """An answer that goes on and on; nobody may read more of it than the bound and a piece."""

    def __iter__(self):
        for _ in range(18):
            yield b" " * 1024 * 1024
        raise AssertionError("it was read on")


def test_an_endless_answer_is_left_at_the_bound():
    endless = Member("http://member", httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless())))
    with pytest.raises(MemberFailed) as refused:
        endless.latest_height()
    assert refused.value.reason == f"an answer of more than {MAX_ANSWER_BYTES} bytes"
