"""Attack checklist lines against the bitcoin client, each refusal beside a twin that differs in the attacked part only."""

import time
from dataclasses import replace

import pytest

from hutong.light_clients.bitcoin import (
    BitcoinClient,
    Header,
    MembershipProof,
    MerkleBranch,
    Network,
    TransactionOutput,
    decode_client_state,
    decode_consensus_state,
    decode_transaction,
    encode_consensus_state,
    encode_header_message,
    encode_membership_proof,
)
from hutong.light_clients.bitcoin.codec import MAX_HEADER_BYTES
from hutong.light_clients.bitcoin.merkle import MAX_BRANCH_STEPS, merkle_branch
from hutong.light_clients.bitcoin.messages import MAGIC, OP_RETURN, encode_message, message_for
from hutong.light_clients.bitcoin.types import MAX_CONFIRMATION_DEPTH, MAX_HEADERS, MAX_SCRIPT_BYTES, hash256
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientExpired,
    ClientFrozen,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    NoOp,
    PredicateFailed,
    UnknownHeight,
    UnsupportedOperation,
    Updated,
    VerificationError,
)
from hutong.light_clients.protobuf import bitcoin_pb2, ibc_pb2
from tests.light_clients.bitcoin.bitcoin_chain import (
    DEPTH,
    PUBLISHER,
    STRANGER,
    TRUSTING_PERIOD_S,
    SimulatedChain,
    child_of,
    funding_of,
    mine,
    publication,
    spending,
    transaction,
    trusting,
)

CLIENT = BitcoinClient()
KEY = b"client-0\x01" + (7).to_bytes(8, "big")
OTHER_KEY = b"client-0\x01" + (8).to_bytes(8, "big")
VALUE = bytes(range(1, 33))
TRUSTED = 12


@pytest.fixture(scope="module")
def chain() -> SimulatedChain:
    """Heights 0 to 12 plain, 13 with a message of the publisher's and 14 with a stranger's, then 8 more."""
    chain = SimulatedChain()
    chain.publish((KEY, VALUE), (OTHER_KEY, VALUE[::-1]))
    chain.publish((b"stranger", VALUE), script=STRANGER)
    chain.advance(8)
    return chain


def judge(chain: SimulatedChain, header: Header | bytes, *trusted: int, now_ns: int | None = None, **changed):
    """Verdict of a client that was created at the highest of `trusted` (12 unless given)."""
    client, states = trusting(chain, *(trusted or (TRUSTED,)), **changed)
    message = header if isinstance(header, bytes) else encode_header_message(header)
    return CLIENT.verify_header(client, states, message, chain.now_ns if now_ns is None else now_ns)


def refused(predicate: str, chain: SimulatedChain, header: Header | bytes, *trusted: int, **options):
    with pytest.raises(PredicateFailed) as caught:
        judge(chain, header, *trusted, **options)
    assert caught.value.predicate == predicate, caught.value
    return caught.value


def member(chain: SimulatedChain, proof: MembershipProof | bytes, height: int = 16, key=KEY, value=VALUE, **changed):
    data = proof if isinstance(proof, bytes) else encode_membership_proof(proof)
    CLIENT.verify_membership(chain.client_state(height, **changed), chain.consensus_state(height), data, (key,), value)


def not_member(predicate: str, chain: SimulatedChain, proof: MembershipProof | bytes, *args, **options):
    with pytest.raises(PredicateFailed) as caught:
        member(chain, proof, *args, **options)
    assert caught.value.predicate == predicate, caught.value
    return caught.value


# B: proofs


def test_attack_B9_bitcoin_proof_with_too_many_steps_is_malformed(chain):
    proof = chain.membership_proof(KEY, 16)
    member(chain, proof)
    for steps in (MAX_BRANCH_STEPS + 1, 10_000):
        long = (hash256(b"step"),) * steps
        for bad in (replace(proof, branch=MerkleBranch(0, long)), replace(proof, coinbase_siblings=long)):
            with pytest.raises(MalformedInput, match=f"more than {MAX_BRANCH_STEPS} steps"):
                member(chain, bad)
    not_member("coinbase_sets_depth", chain, replace(proof, coinbase_siblings=()))
    not_member("transaction_included", chain, replace(proof, branch=MerkleBranch(0, ())))


def test_attack_B10_bitcoin_empty_and_exchanged_keys_and_values(chain):
    proof, other = chain.membership_proof(KEY, 16), chain.membership_proof(OTHER_KEY, 16)
    member(chain, proof)
    member(chain, other, key=OTHER_KEY, value=VALUE[::-1])
    not_member("message_commits", chain, proof, key=OTHER_KEY)
    not_member("message_commits", chain, proof, value=VALUE[::-1])
    not_member("message_commits", chain, other)
    not_member("message_commits", chain, replace(proof, output_index=other.output_index))
    not_member("value_is_one_word", chain, proof, value=bytes(32))
    for key, value in ((b"", VALUE), (KEY, b""), (KEY, VALUE + b"\0"), (KEY * 100, VALUE)):
        with pytest.raises(MalformedInput):
            member(chain, proof, key=key, value=value)


@pytest.mark.parametrize("at", [13, 15, 17, 22])
def test_attack_B11_bitcoin_proof_at_another_block(chain, at):
    proof = chain.membership_proof(KEY, 16)
    error = not_member("headers_lead_to_state", chain, proof, at)
    assert error.expected == chain.state(at).block_hash[::-1].hex()
    member(chain, chain.membership_proof(KEY, at), at)


def test_attack_B11_bitcoin_header_with_another_root_between(chain):
    proof = chain.membership_proof(KEY, 16)
    for index in range(len(proof.headers)):
        headers = list(proof.headers)
        headers[index] = mine(replace(headers[index], merkle_root=bytes(32)))
        not_member("headers_lead_to_state", chain, replace(proof, headers=tuple(headers)))
    not_member("headers_lead_to_state", chain, replace(proof, headers=proof.headers[::-1]))
    not_member("headers_lead_to_state", chain, replace(proof, headers=(proof.headers[0], proof.headers[-1])))
    not_member("coinbase_sets_depth", chain, replace(proof, headers=proof.headers[1:]))


def test_attack_B12_bitcoin_absence_is_never_proven(chain):
    client, state = chain.client_state(16), chain.consensus_state(16)
    for proof in (b"", chain.proof(KEY, 16)):
        for key in (KEY, b"nothing"):
            with pytest.raises(UnsupportedOperation, match="absence"):
                CLIENT.verify_non_membership(client, state, proof, (key,))


def test_attack_B15_bitcoin_messages_in_another_encoding(chain):
    update, proof = chain.header(16, TRUSTED), chain.proof(KEY, 16)
    assert isinstance(judge(chain, update), Updated)
    member(chain, proof)
    unknown = b"\xaa\x06\x00"
    repeated = bitcoin_pb2.Header(height=ibc_pb2.Height(revision_height=16)).SerializeToString()
    for tail in (unknown, repeated, b"\x00"):
        with pytest.raises(MalformedInput):
            judge(chain, update + tail)
        with pytest.raises(MalformedInput):
            member(chain, proof + tail)


def test_attack_B37_bitcoin_message_that_the_publisher_did_not_pay_for(chain):
    stranger = chain.membership_proof(b"stranger", 16)
    error = not_member("publisher_spent", chain, stranger, key=b"stranger")
    assert (error.got, error.expected) == (STRANGER, PUBLISHER)
    member(chain, stranger, key=b"stranger", publisher_script=STRANGER)
    proof = chain.membership_proof(KEY, 16)
    not_member("publisher_spent", chain, proof, publisher_script=STRANGER)
    member(chain, proof)


def test_attack_B37_bitcoin_funding_transaction_of_another_output(chain):
    proof = chain.membership_proof(KEY, 16)
    other = funding_of(999)
    not_member("publisher_spent", chain, replace(proof, funding=other))
    not_member("publisher_spent", chain, replace(proof, input_index=1))
    not_member("publisher_spent", chain, replace(proof, input_index=2**32 - 1))
    forged = decode_transaction(proof.funding.serialized.replace(STRANGER, PUBLISHER))
    assert forged.outputs[0].script == PUBLISHER
    not_member("publisher_spent", chain, replace(proof, funding=forged))


def test_attack_B37_bitcoin_script_that_only_looks_like_the_publishers_signature():
    """A stranger's output can be unlocked by any bytes, also by ones that look like a signature and the publisher's key."""
    chain = SimulatedChain()
    anyone = funding_of(5, b"\x75\x75\x51")
    looks = b"\x47" + b"\x30" * 71 + b"\x21" + b"\x02" * 33
    forged = transaction(
        [spending(anyone.txid, 1, looks)],
        [TransactionOutput(1, PUBLISHER), TransactionOutput(0, encode_message(message_for(KEY, VALUE)))],
    )
    chain.advance(1, forged)
    block = chain.blocks[-1]
    proof = MembershipProof(
        (block.header,),
        forged,
        merkle_branch(block.txids, 4),
        1,
        0,
        anyone,
        block.transactions[0],
        merkle_branch(block.txids, 0).siblings,
    )
    not_member("publisher_spent", chain, proof, chain.height)
    member(chain, proof, chain.height, publisher_script=b"\x75\x75\x51")


def test_attack_B45_bitcoin_message_at_another_position(chain):
    proof = chain.membership_proof(KEY, 16)
    branch = proof.branch
    for index in range(8):
        if index != branch.index:
            bad = replace(proof, branch=replace(branch, index=index))
            with pytest.raises(PredicateFailed) as caught:
                member(chain, bad)
            assert caught.value.predicate in ("transaction_included", "no_node_repeated")
    not_member("branch_fits_a_block", chain, replace(proof, branch=replace(branch, index=branch.index + 8)))
    member(chain, proof)


def test_attack_B47_bitcoin_transaction_of_64_bytes_commits_to_nothing():
    chain = SimulatedChain()
    short = transaction([spending(funding_of(1).txid, 1)], [TransactionOutput(0, b"\x51" * 4)])
    assert len(short.serialized) == 64
    chain.advance(1, short)
    block = chain.blocks[-1]
    proof = MembershipProof(
        (block.header,),
        short,
        merkle_branch(block.txids, 4),
        0,
        0,
        funding_of(1),
        block.transactions[0],
        merkle_branch(block.txids, 0).siblings,
    )
    error = not_member("transaction_not_64_bytes", chain, proof, chain.height)
    assert error.got == short.serialized


def test_attack_B47_bitcoin_coinbase_is_part_of_every_proof(chain):
    proof = chain.membership_proof(KEY, 16)
    block = chain.blocks[13]
    not_member("coinbase_sets_depth", chain, replace(proof, coinbase=block.transactions[1]))
    other = chain.blocks[14].transactions[0]
    not_member("coinbase_sets_depth", chain, replace(proof, coinbase=other))
    shallow = proof.coinbase_siblings[:-1]
    not_member("coinbase_sets_depth", chain, replace(proof, coinbase_siblings=shallow))
    member(chain, proof)


@pytest.mark.parametrize(
    "script",
    [
        b"",
        bytes([OP_RETURN]),
        bytes([OP_RETURN, 71]) + MAGIC + bytes(63),
        bytes([OP_RETURN, 71]) + b"hutong\x02" + bytes(64),
        bytes([OP_RETURN, 0x4C, 71]) + MAGIC + bytes(64),
        bytes([OP_RETURN, 71]) + MAGIC + bytes(64) + b"\x51",
        bytes([OP_RETURN, 0x51, 71]) + MAGIC + bytes(64),
        b"\x51" + bytes([71]) + MAGIC + bytes(64),
    ],
)
def test_attack_E6_bitcoin_scripts_that_are_nearly_messages(script):
    """One script for each message: nothing before, after or around it."""
    chain = SimulatedChain()
    funding = funding_of(4)
    paid = transaction(
        [spending(funding.txid, 1)],
        [TransactionOutput(0, script), TransactionOutput(0, encode_message(message_for(KEY, VALUE)))],
    )
    chain.advance(1, paid)
    block = chain.blocks[-1]
    proof = MembershipProof(
        (block.header,),
        paid,
        merkle_branch(block.txids, 4),
        0,
        0,
        funding,
        block.transactions[0],
        merkle_branch(block.txids, 0).siblings,
    )
    error = not_member("message_commits", chain, proof, chain.height)
    assert error.got == script
    not_member("message_commits", chain, replace(proof, output_index=2), chain.height)
    member(chain, replace(proof, output_index=1), chain.height)


# C: headers


def test_attack_C9_bitcoin_header_time_at_its_two_bounds(chain):
    trusted = chain.state(TRUSTED)
    median_s = trusted.median_time_past_s
    for time_s, expected in ((median_s, "time_above_median"), (median_s + 1, None), (trusted.time_s - 1, None)):
        block = child_of(trusted, time_s=time_s)
        run = [block, child_of(block.state)]
        run.append(child_of(run[-1].state))
        update = chain.update(TRUSTED + 1, TRUSTED, run)
        if expected is None:
            assert isinstance(judge(chain, update), Updated)
        else:
            error = refused(expected, chain, update)
            assert (error.got, error.expected) == (median_s, f"> {median_s}")
    ahead_ns = 7_200 * NANOSECONDS_PER_SECOND
    tip_ns = chain.state(chain.height).time_s * NANOSECONDS_PER_SECOND
    update = chain.update(16, TRUSTED)
    assert isinstance(judge(chain, update, now_ns=tip_ns - ahead_ns), Updated)
    error = refused("header_not_from_future", chain, update, now_ns=tip_ns - ahead_ns - 1)
    assert error.got == chain.state(chain.height).time_s


@pytest.mark.parametrize("time_s", [0, 1, 2**32 - 1])
def test_attack_C9_bitcoin_times_at_the_ends_of_the_field(chain, time_s):
    block = child_of(chain.state(TRUSTED), time_s=time_s)
    run = [block]
    for _ in range(DEPTH - 1):
        run.append(child_of(run[-1].state, time_s=chain.state(TRUSTED).time_s + 1))
    refused("time_above_median" if time_s < 2 else "header_not_from_future", chain, chain.update(13, TRUSTED, run))


def test_attack_C10_bitcoin_trusting_period_at_its_edge_and_an_expired_state_beside_a_fresh_one(chain):
    edge_ns = chain.state(TRUSTED).timestamp_ns + TRUSTING_PERIOD_S * NANOSECONDS_PER_SECOND
    update = chain.update(16, TRUSTED)
    assert isinstance(judge(chain, update, now_ns=edge_ns - 1), Updated)
    for now_ns in (edge_ns, edge_ns + 1):
        with pytest.raises(ClientExpired) as caught:
            judge(chain, update, now_ns=now_ns)
        assert (caught.value.expired_at_ns, caught.value.now_ns) == (edge_ns, now_ns)
    with pytest.raises(ClientExpired):
        judge(chain, chain.update(18, TRUSTED), TRUSTED, 15, now_ns=edge_ns)
    assert isinstance(judge(chain, chain.update(18, 15), TRUSTED, 15, now_ns=edge_ns), Updated)


def test_attack_C11_bitcoin_block_that_is_not_among_the_headers(chain):
    assert isinstance(judge(chain, chain.update(13, TRUSTED)), Updated)
    for height in (0, TRUSTED - 1, TRUSTED, chain.height + 1, 2**64 - 1):
        error = refused("height_in_run", chain, chain.update(height, TRUSTED))
        assert (error.got, error.expected) == (height, f"13 to {chain.height}")
    with pytest.raises(UnknownHeight) as caught:
        judge(chain, chain.update(16, 11))
    assert caught.value.height == Height(0, 11)
    for changed in ({"trusted_height": Height(1, TRUSTED)}, {"height": Height(1, 16)}):
        with pytest.raises(MalformedInput, match="revision 0"):
            judge(chain, replace(chain.update(16, TRUSTED), **changed))


def test_attack_C12_bitcoin_ten_megabytes_of_headers_and_the_longest_run_end_in_bounded_time(chain):
    header = chain.blocks[13].header
    started = time.thread_time()
    for count in (130_000, MAX_HEADERS + 1):
        with pytest.raises(MalformedInput, match=f"more than {MAX_HEADER_BYTES} bytes"):
            judge(chain, Header(Height(0, TRUSTED), Height(0, 13), (header,) * count))
    refused("headers_linked", chain, Header(Height(0, TRUSTED), Height(0, 13), (header,) * MAX_HEADERS))
    assert time.thread_time() - started < 5


def test_attack_C15_bitcoin_same_block_again_is_no_op_whatever_lies_on_it(chain):
    client, states = trusting(chain, TRUSTED)
    verdict = judge(chain, chain.update(16, TRUSTED))
    states = states.with_state(verdict.height, verdict.consensus_state)
    for tip in (18, 20, chain.height):
        update = chain.header(16, TRUSTED, chain.run(TRUSTED, tip))
        assert CLIENT.verify_header(verdict.client_state, states, update, chain.now_ns) == NoOp(Height(0, 16))


def believing(chain: SimulatedChain, height: int = 16) -> tuple[bytes, MemoryConsensusStates]:
    """A client that trusts 12 and was shown the whole chain for `height`."""
    client, states = trusting(chain, TRUSTED)
    verdict = CLIENT.verify_header(client, states, chain.header(height, TRUSTED), chain.now_ns)
    return verdict.client_state, states.with_state(verdict.height, verdict.consensus_state)


def fork(chain: SimulatedChain, at: int, blocks: int, salt: int = 1):
    return chain.run(TRUSTED, at - 1) + chain.fork(at, blocks, salt=salt)


def later_ns(chain: SimulatedChain) -> int:
    return chain.now_ns + 50 * 600 * NANOSECONDS_PER_SECOND


def test_attack_C16_bitcoin_evidence_that_is_invalid_freezes_nothing(chain):
    client, states = believing(chain)
    own = chain.update(16, TRUSTED)
    equal = chain.update(16, TRUSTED, fork(chain, 16, chain.height - 15))
    heavier_elsewhere = chain.update(17, TRUSTED, fork(chain, 16, chain.height - 15))
    lighter = chain.update(16, TRUSTED, fork(chain, 16, DEPTH))
    unmined = replace(equal, headers=(*equal.headers[:-1], mine(equal.headers[-1], meet=False)))
    short = chain.update(16, TRUSTED, fork(chain, 16, DEPTH - 1))
    strange = replace(equal, trusted_height=Height(0, 11))

    def evidence(first, second, now_ns=None):
        return CLIENT.check_misbehaviour(
            client, states, chain.misbehaviour(first, second), later_ns(chain) if now_ns is None else now_ns
        )

    for first, second, predicate in (
        (own, own, "headers_conflict"),
        (own, heavier_elsewhere, "headers_conflict"),
        (own, chain.update(16, TRUSTED, chain.run(TRUSTED) + chain.confirmations(chain.height, 1)), "headers_conflict"),
        (own, lighter, "most_work"),
        (lighter, own, "most_work"),
        (own, unmined, "proof_of_work"),
        (own, short, "confirmation_depth"),
    ):
        with pytest.raises(PredicateFailed) as caught:
            evidence(first, second)
        assert caught.value.predicate == predicate, caught.value
    with pytest.raises(UnknownHeight):
        evidence(own, strange)
    edge_ns = chain.state(TRUSTED).timestamp_ns + TRUSTING_PERIOD_S * NANOSECONDS_PER_SECOND
    with pytest.raises(ClientExpired):
        evidence(own, equal, edge_ns)
    with pytest.raises(PredicateFailed, match="two hours"):
        evidence(own, equal, (chain.state(chain.height).time_s - 7_201) * NANOSECONDS_PER_SECOND)
    for first, second in ((own, equal), (equal, own)):
        assert decode_client_state(evidence(first, second).client_state).is_frozen


def test_attack_C17_bitcoin_frozen_client_does_nothing(chain):
    client, states = believing(chain)
    frozen = chain.client_state(16, is_frozen=True)
    proof = chain.proof(KEY, 16)
    state = states.get(Height(0, 16))
    evidence = chain.misbehaviour(
        chain.update(16, TRUSTED), chain.update(16, TRUSTED, fork(chain, 16, chain.height - 15))
    )
    attempts = (
        lambda c: CLIENT.verify_header(c, states, chain.header(18, 16), chain.now_ns),
        lambda c: CLIENT.verify_membership(c, state, proof, (KEY,), VALUE),
        lambda c: CLIENT.check_misbehaviour(c, states, evidence, later_ns(chain)),
        lambda c: CLIENT.create(c, chain.consensus_state(16), chain.now_ns),
    )
    for attempt in attempts:
        with pytest.raises(ClientFrozen):
            attempt(frozen)
    for attempt in attempts[:3]:
        attempt(client)
    attempts[3](chain.client_state(16))


def test_attack_C18_bitcoin_unfit_substitutes(chain):
    frozen = chain.client_state(16, is_frozen=True)
    fit = chain.client_state(20, trusting_period_s=5)
    recovered = decode_client_state(CLIENT.recovered(frozen, fit))
    assert recovered == decode_client_state(fit)
    for changed in (
        {"is_frozen": True},
        {"publisher_script": STRANGER},
        {"confirmation_depth": DEPTH + 1},
        {"network": Network.TESTNET4},
    ):
        with pytest.raises(PredicateFailed) as caught:
            CLIENT.recovered(frozen, chain.client_state(20, **changed))
        assert caught.value.predicate in ("substitute_not_frozen", "substitute_parameters_match")


def raw_client_state(**changed) -> bytes:
    fields = {
        "network": 3,
        "publisher_script": PUBLISHER,
        "confirmation_depth": DEPTH,
        "trusting_period_s": 1_000_000,
        "latest_height": ibc_pb2.Height(revision_height=TRUSTED),
        "best_chainwork": (2**40).to_bytes(32, "big"),
    }
    return bitcoin_pb2.ClientState(**{**fields, **changed}).SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"network": 0}, MalformedInput),
        ({"network": 6}, MalformedInput),
        ({"network": 5}, UnsupportedOperation),
        ({"publisher_script": b""}, MalformedInput),
        ({"publisher_script": bytes(MAX_SCRIPT_BYTES + 1)}, MalformedInput),
        ({"confirmation_depth": 0}, MalformedInput),
        ({"confirmation_depth": MAX_CONFIRMATION_DEPTH + 1}, MalformedInput),
        ({"trusting_period_s": 0}, MalformedInput),
        ({"latest_height": ibc_pb2.Height()}, MalformedInput),
        ({"latest_height": ibc_pb2.Height(revision_number=1, revision_height=TRUSTED)}, MalformedInput),
        ({"latest_height": ibc_pb2.Height(revision_height=2**32)}, MalformedInput),
        ({"latest_height": ibc_pb2.Height(revision_height=TRUSTED + 1)}, MalformedInput),
        ({"best_chainwork": bytes(32)}, MalformedInput),
        ({"best_chainwork": b"\x01"}, MalformedInput),
        ({"best_chainwork": b"\x00" * 31 + b"\x01"}, MalformedInput),
    ],
)
def test_attack_C20_bitcoin_client_states_with_unfit_parameters(chain, changed, error):
    consensus_state, now_ns = chain.consensus_state(TRUSTED), chain.now_ns
    CLIENT.create(raw_client_state(), consensus_state, now_ns)
    with pytest.raises(error):
        CLIENT.create(raw_client_state(**changed), consensus_state, now_ns)


@pytest.mark.parametrize(
    "changed",
    [
        {"block_hash": bytes(32)},
        {"block_hash": b"\x01" * 31},
        {"chainwork": bytes(32)},
        {"bits": 0},
        {"regular_bits": 0},
        {"period_first_bits": 0},
        {"recent_times_s": []},
        {"recent_times_s": [1_700_000_000] * 10},
        {"recent_times_s": [1_700_000_000] * 12},
        {"recent_times_s": [0] * 11},
    ],
)
def test_attack_C20_bitcoin_unfit_first_states(chain, changed):
    message = bitcoin_pb2.ConsensusState()
    message.ParseFromString(chain.consensus_state(TRUSTED))
    for name, value in changed.items():
        message.ClearField(name)
        if isinstance(value, list):
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)
    with pytest.raises(MalformedInput, match=next(iter(changed))):
        CLIENT.create(raw_client_state(), message.SerializeToString(deterministic=True), chain.now_ns)


# C50 to C53: proof of work


def test_attack_C50_bitcoin_reorganisation_below_the_depth_after_delivery_stops_the_route(chain):
    client, states = believing(chain)
    member(chain, chain.proof(KEY, 16))
    outrun = chain.update(16, TRUSTED, fork(chain, 14, chain.height - 13 + 1))
    verdict = CLIENT.verify_header(client, states, encode_header_message(outrun), later_ns(chain))
    assert isinstance(verdict, Misbehaved)
    assert "replaces a block that was believed" in verdict.reason
    frozen = verdict.client_state
    with pytest.raises(ClientFrozen):
        CLIENT.verify_membership(frozen, states.get(Height(0, 16)), chain.proof(KEY, 16), (KEY,), VALUE)
    with pytest.raises(ClientFrozen):
        CLIENT.verify_header(frozen, states, chain.header(18, 16), chain.now_ns)


def test_attack_C50_bitcoin_reorganisation_above_the_depth_is_followed():
    """Two blocks of the tip give way; the block that was believed stays."""
    chain = SimulatedChain()
    chain.advance(6)
    client, states = trusting(chain, TRUSTED)
    verdict = CLIENT.verify_header(client, states, chain.header(16, TRUSTED), chain.now_ns)
    states = states.with_state(verdict.height, verdict.consensus_state)
    replaced = chain.run(16, 16) + chain.fork(17, 4)
    after = CLIENT.verify_header(verdict.client_state, states, chain.header(18, 16, replaced), later_ns(chain))
    assert isinstance(after, Updated)
    assert decode_consensus_state(after.consensus_state).block_hash == replaced[1].state.block_hash


@pytest.mark.parametrize("blocks", [DEPTH, 8, 9])
def test_attack_C50_bitcoin_lighter_or_equal_fork_neither_replaces_nor_freezes(chain, blocks):
    """Without this anybody could mine a few blocks on an old one and stop the client."""
    client, states = believing(chain)
    tip = chain.height
    assert tip - 13 == 9
    update = chain.update(14, TRUSTED, fork(chain, 14, blocks))
    with pytest.raises(PredicateFailed) as caught:
        CLIENT.verify_header(client, states, encode_header_message(update), later_ns(chain))
    assert caught.value.predicate == "most_work"
    heavier = chain.update(14, TRUSTED, fork(chain, 14, 10))
    assert isinstance(CLIENT.verify_header(client, states, encode_header_message(heavier), later_ns(chain)), Misbehaved)


def test_attack_C51_bitcoin_fork_of_low_difficulty(chain):
    """Bits that are easier than the chain demands are refused, however much they are met; and harder ones too."""
    trusted = chain.state(TRUSTED)
    honest = chain.blocks[13].header
    for bits in (0x207FFFFE, 0x2000FFFF, 0x1F7FFFFF):
        run = (mine(replace(honest, bits=bits)), *[b.header for b in chain.run(13)])
        relinked = run[:1]
        for header in run[1:]:
            relinked += (mine(replace(header, previous_block_hash=relinked[-1].block_hash)),)
        error = refused("difficulty_as_required", chain, Header(Height(0, TRUSTED), Height(0, 13), relinked))
        assert (error.got, error.expected) == (f"{bits:08x}", f"{trusted.bits:08x}")
    for bits in (0, 0x2100FFFF, 0x1D80FFFF):
        run = (replace(honest, bits=bits),) * DEPTH
        linked = (run[0],)
        for header in run[1:]:
            linked += (replace(header, previous_block_hash=linked[-1].block_hash),)
        refused("difficulty_as_required", chain, Header(Height(0, TRUSTED), Height(0, 13), linked))


def test_attack_C51_bitcoin_headers_of_another_network(chain):
    """D5 too: a chain of regtest shown to a client of testnet4 or mainnet."""
    update = chain.update(16, TRUSTED)
    assert isinstance(judge(chain, update), Updated)
    for network in (Network.MAINNET, Network.TESTNET3, Network.TESTNET4):
        client = chain.client_state(TRUSTED, network=network)
        states = MemoryConsensusStates(
            {
                Height(0, TRUSTED): encode_consensus_state(
                    replace(chain.state(TRUSTED), bits=0x1D00FFFF, regular_bits=0x1D00FFFF)
                )
            }
        )
        with pytest.raises(PredicateFailed) as caught:
            CLIENT.verify_header(client, states, encode_header_message(update), chain.now_ns)
        assert caught.value.predicate == "difficulty_as_required"


def test_attack_C51_bitcoin_too_few_confirmations(chain):
    for height in range(chain.height - DEPTH + 2, chain.height + 1):
        error = refused("confirmation_depth", chain, chain.update(height, TRUSTED))
        assert (error.got, error.expected) == (chain.height - height + 1, f">= {DEPTH}")
    assert isinstance(judge(chain, chain.update(chain.height - DEPTH + 1, TRUSTED)), Updated)


def test_attack_C52_bitcoin_two_versions_of_one_message_are_never_both_proven(chain):
    """Two branches carry two values under one key, each at its depth; whichever is believed first is the only one."""
    other_value = VALUE[::-1]
    twin = SimulatedChain()
    twin.publish((KEY, other_value), (OTHER_KEY, VALUE))
    twin.advance(10)
    assert twin.state(TRUSTED) == chain.state(TRUSTED)
    assert twin.state(13) != chain.state(13)
    worlds = ((chain, VALUE, twin, other_value), (twin, other_value, chain, VALUE))
    for first, first_value, second, second_value in worlds:
        client, states = trusting(first, TRUSTED)
        verdict = CLIENT.verify_header(client, states, first.header(16, TRUSTED), later_ns(twin))
        states = states.with_state(verdict.height, verdict.consensus_state)
        CLIENT.verify_membership(
            verdict.client_state, verdict.consensus_state, first.proof(KEY, 16), (KEY,), first_value
        )
        for proof, value in ((second.proof(KEY, 16), second_value), (first.proof(KEY, 16), second_value)):
            with pytest.raises(PredicateFailed):
                CLIENT.verify_membership(verdict.client_state, verdict.consensus_state, proof, (KEY,), value)
        after = second.header(16, TRUSTED, second.run(TRUSTED) + second.confirmations(second.height, 2))
        outcome = CLIENT.verify_header(verdict.client_state, states, after, later_ns(twin))
        assert isinstance(outcome, Misbehaved)
        with pytest.raises(ClientFrozen):
            CLIENT.verify_membership(
                outcome.client_state, second.consensus_state(16), second.proof(KEY, 16), (KEY,), second_value
            )


def test_attack_C53_bitcoin_valid_work_on_another_parent(chain):
    update = chain.update(16, TRUSTED)
    for index in range(len(update.headers)):
        headers = list(update.headers)
        headers[index] = mine(replace(headers[index], previous_block_hash=hash256(b"nobody")))
        error = refused("headers_linked", chain, replace(update, headers=tuple(headers)))
        assert error.got == hash256(b"nobody")[::-1].hex()
    for headers in (update.headers[1:], update.headers[::-1], update.headers[:2] + update.headers[3:]):
        refused("headers_linked", chain, replace(update, headers=headers))
    assert isinstance(judge(chain, update), Updated)


def test_attack_C53_bitcoin_work_that_misses_the_target(chain):
    update = chain.update(16, TRUSTED)
    missed = mine(update.headers[-1], meet=False)
    error = refused("proof_of_work", chain, replace(update, headers=(*update.headers[:-1], missed)))
    assert error.got == missed.block_hash[::-1].hex()
    assert isinstance(judge(chain, update), Updated)


@pytest.mark.parametrize("version", [3, 1, 0, -1, -(2**31)])
def test_attack_C53_bitcoin_version_that_ended(chain, version):
    def run(version):
        blocks = [child_of(chain.state(TRUSTED), version=version)]
        for _ in range(DEPTH - 1):
            blocks.append(child_of(blocks[-1].state))
        return chain.update(13, TRUSTED, blocks)

    error = refused("version_not_obsolete", chain, run(version))
    assert (error.got, error.expected) == (version, ">= 4")
    assert isinstance(judge(chain, run(4)), Updated)


def test_attack_H_bitcoin_every_byte_of_a_proof_counts(chain):
    """One bit changed anywhere in a proof: refused, but for what the proof does not rest on, of which there is nothing."""
    proof = chain.proof(KEY, 16)
    member(chain, proof)
    for at in range(len(proof)):
        damaged = proof[:at] + bytes([proof[at] ^ 1 << at % 8]) + proof[at + 1 :]
        with pytest.raises(VerificationError):
            member(chain, damaged)


def test_publication_carries_several_messages(chain):
    member(chain, chain.membership_proof(OTHER_KEY, 22), 22, OTHER_KEY, VALUE[::-1])
    assert len(publication(funding_of(1), (KEY, VALUE), (OTHER_KEY, VALUE)).outputs) == 3
