from dataclasses import replace

import pytest

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientExpired,
    MalformedInput,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    PredicateFailed,
    UnknownHeight,
    Updated,
)
from hutong.light_clients.protobuf import ibc_pb2
from hutong.light_clients.tendermint.codec import encode_tendermint_header
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.light_clients.tendermint.types import (
    MAX_TIME_NS,
    BlockId,
    Commit,
    KeyType,
    chain_name,
    revision_of,
    with_revision,
)
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers
from tests.light_clients.tendermint.verifying import CLIENT, Verifier, flipped, with_header

SECOND = NANOSECONDS_PER_SECOND


def chain_with(blocks: int = 4, **options) -> SimulatedChain:
    chain = SimulatedChain(**options)
    chain.advance(blocks - 1)
    return chain


def test_attack_C7_validator_set_is_not_under_its_hash():
    chain = chain_with()
    client = Verifier(chain, 1)
    for number in (2, 3):
        update = chain.update(number, 1)
        *rest, last = update.validator_set.validators
        forged = replace(update.validator_set, validators=(*rest, replace(last, voting_power=11)))
        error = client.refuses("validators_hash_matches", replace(update, validator_set=forged))
        assert error.expected == update.signed_header.header.validators_hash
        client.accepts(update)


def test_attack_C7_trusted_set_is_not_the_one_that_the_trusted_state_named():
    chain = chain_with()
    client = Verifier(chain, 1)
    update = chain.update(3, 1)
    *rest, last = update.trusted_validators.validators
    for forged in (
        replace(update.trusted_validators, validators=(*rest, replace(last, voting_power=11))),
        replace(update.trusted_validators, validators=tuple(rest)),
        replace(update.trusted_validators, validators=(last, *rest)),
    ):
        error = client.refuses("trusted_validators_hash_matches", replace(update, trusted_validators=forged))
        assert error.expected == chain.consensus_state(1).next_validators_hash
    client.accepts(update)


def test_attack_C7_sets_swapped():
    old, new = signers(4), signers(2, label="newcomer")
    chain = SimulatedChain(members=dict.fromkeys(old, 10))
    chain.set_members(dict.fromkeys((*old, *new), 10))
    chain.advance(4)
    client = Verifier(chain, 1)
    update = chain.update(5, 1)
    swapped = replace(update, validator_set=update.trusted_validators, trusted_validators=update.validator_set)
    client.refuses("one_entry_a_validator", swapped)
    client.refuses("trusted_validators_hash_matches", replace(update, trusted_validators=update.validator_set))
    client.accepts(update)


def test_attack_C8_skip_with_less_than_a_third_of_the_trusted_power():
    old, new = signers(4), signers(4, label="newcomer")
    chain = SimulatedChain(members=dict.fromkeys(old, 10))
    chain.set_members({old[0]: 10, **dict.fromkeys(new, 10)})
    chain.advance(5)
    client = Verifier(chain, 1)
    assert client.verify(chain.update(6, 1)) == NotEnoughTrust(10, 13, 40)
    client.accepts(chain.update(2, 1))
    nearer = Verifier(chain, 1, 2)
    nearer.accepts(chain.update(6, 2))


def test_attack_C8_adjacent_header_with_a_set_that_was_not_announced():
    chain = chain_with()
    client = Verifier(chain, 1)
    chain.keys.update({signer.address: signer for signer in signers(4, label="usurper")})
    usurpers = SimulatedChain(members=dict.fromkeys(signers(4, label="usurper"), 10))
    forged_header = replace(chain.block(2).header, validators_hash=usurpers.block(1).header.validators_hash)
    forged = replace(
        chain.update(2, 1),
        signed_header=chain.sign(forged_header, usurpers.block(1).validators),
        validator_set=usurpers.block(1).validators,
    )
    error = client.refuses("next_validators_continue", forged)
    assert error.expected == chain.consensus_state(1).next_validators_hash
    client.accepts(chain.update(2, 1))


def test_attack_C8_whole_set_replaced_in_one_announced_step_passes_only_adjacently():
    chain = chain_with(2)
    chain.set_members(dict.fromkeys(signers(4, label="newcomer"), 10))
    chain.advance(3)
    client = Verifier(chain, 1)
    assert client.verify(chain.update(5, 1)) == NotEnoughTrust(0, 13, 40)
    for number in (2, 3, 4, 5):
        client = Verifier(chain, *range(1, number))
        client.accepts(chain.update(number, number - 1))


def test_attack_C43_header_at_the_very_height_of_a_set_change():
    """The block that announces a change is still signed by the old set, the one after it by the new one."""
    chain = chain_with(2)
    chain.set_members(dict.fromkeys(signers(4, label="newcomer"), 10))
    chain.advance(2)
    announcing, changed = chain.block(3), chain.block(4)
    assert announcing.next_validators == changed.validators != announcing.validators
    client = Verifier(chain, 2, 3)
    early = replace(chain.update(3, 2), validator_set=changed.validators)
    client.refuses("validators_hash_matches", early)
    late = replace(chain.update(4, 3), validator_set=announcing.validators)
    client.refuses("validators_hash_matches", late)
    Verifier(chain, 2).accepts(chain.update(3, 2))
    client.accepts(chain.update(4, 3))


def test_attack_C9_header_time_at_the_drift_bound():
    chain = chain_with()
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    now_ns = update.signed_header.header.time_ns - chain.max_clock_drift_ns
    error = client.refuses("header_not_from_future", update, now_ns)
    assert error.got == update.signed_header.header.time_ns
    client.accepts(update, now_ns + 1)


@pytest.mark.parametrize("before_ns", [0, 1, SECOND])
def test_attack_C9_header_time_not_after_the_trusted_time(before_ns):
    chain = chain_with()
    client = Verifier(chain, 1)
    trusted_ns = chain.block(1).header.time_ns
    update = chain.update(2, 1, chain.fork(2, time_ns=trusted_ns - before_ns))
    error = client.refuses("time_increases", update)
    assert (error.got, error.expected) == (trusted_ns - before_ns, trusted_ns)
    client.accepts(chain.update(2, 1, chain.fork(2, time_ns=trusted_ns + 1)))


def test_attack_C9_far_future_and_before_1970():
    chain = chain_with()
    client = Verifier(chain, 1)
    client.refuses("header_not_from_future", chain.update(2, 1, chain.fork(2, time_ns=MAX_TIME_NS - 9 * SECOND)))
    client.refuses("time_increases", chain.update(2, 1, chain.fork(2, time_ns=-1)))
    client.accepts(chain.update(2, 1))


@pytest.mark.parametrize(("seconds", "nanos"), [(1, -1), (1, 10**9), (253_402_300_800, 0), (-62_135_596_801, 0)])
def test_attack_C9_timestamp_outside_its_range(seconds, nanos):
    chain = chain_with()
    client = Verifier(chain, 1)
    message = ibc_pb2.TendermintHeader.FromString(encode_tendermint_header(chain.update(2, 1)))
    message.signed_header.header.time.seconds = seconds
    message.signed_header.header.time.nanos = nanos
    with pytest.raises(MalformedInput) as caught:
        CLIENT.verify_header(client.state, client.states, message.SerializeToString(deterministic=True), client.now_ns)
    assert caught.value.field.startswith("header.signed_header.header.time.")
    client.accepts(chain.update(2, 1))


@pytest.mark.parametrize(("late_ns", "valid"), [(-1, True), (0, False), (1, False)])
def test_attack_C10_trusting_period_at_its_edge(late_ns, valid):
    chain = chain_with()
    client = Verifier(chain, 1)
    edge_ns = chain.block(1).header.time_ns + chain.trusting_period_ns
    update = chain.update(2, 1)
    if valid:
        client.accepts(update, edge_ns + late_ns)
        return
    with pytest.raises(ClientExpired) as caught:
        client.verify(update, edge_ns + late_ns)
    assert (caught.value.expired_at_ns, caught.value.now_ns) == (edge_ns, edge_ns + late_ns)


def test_attack_C10_expired_trusted_state_while_a_newer_one_is_fresh():
    chain = chain_with()
    client = Verifier(chain, 1, 2)
    edge_ns = chain.block(1).header.time_ns + chain.trusting_period_ns
    with pytest.raises(ClientExpired) as caught:
        client.verify(chain.update(4, 1), edge_ns)
    assert caught.value.expired_at_ns == edge_ns
    client.accepts(chain.update(4, 2), edge_ns)


def test_attack_C11_height_not_above_the_trusted_height():
    chain = chain_with()
    client = Verifier(chain, 1, 2, 3)
    for number in (2, 3):
        error = client.refuses("height_increases", chain.update(number, 3))
        assert (error.got, error.expected) == (number, "> 3")
    client.accepts(chain.update(4, 3))


def test_attack_C11_trusted_height_that_is_not_stored():
    chain = chain_with()
    client = Verifier(chain, 1)
    for height in (chain.height(2), chain.height(0), replace(chain.height(1), revision_number=2)):
        with pytest.raises(UnknownHeight) as caught:
            client.verify(replace(chain.update(3, 1), trusted_height=height))
        assert (caught.value.height, caught.value.latest) == (height, chain.height(1))
    client.accepts(chain.update(3, 1))


@pytest.mark.parametrize(
    ("chain_id", "predicate"),
    [
        ("sim-2", "revision_matches"),
        ("sim-01", "revision_matches"),
        ("sim-1-", "revision_matches"),
        ("sim", "revision_matches"),
        ("other-1", "chain_id_matches"),
        ("SIM-1", "chain_id_matches"),
        ("si-m-1", "chain_id_matches"),
    ],
)
def test_attack_C11_header_of_another_chain_or_revision(chain_id, predicate):
    chain = chain_with()
    client = Verifier(chain, 1)
    assert client.refuses(predicate, chain.update(2, 1, chain.fork(2, chain_id=chain_id))).got is not None
    client.accepts(chain.update(2, 1, chain.fork(2, chain_id="sim-1")))


@pytest.mark.parametrize(
    ("chain_id", "revision"),
    [
        ("hutong-1", 1),
        ("hutong-18446744073709551615", 2**64 - 1),
        ("a-b-7", 7),
        ("hutong", 0),
        ("hutong-", 0),
        ("hutong-0", 0),
        ("hutong-01", 0),
        ("hutong--1", 0),
        ("-1", 0),
        ("1", 0),
        ("hutong-1x", 0),
        ("hut\nong-1", 0),
        ("hutong-1\n", 0),
        ("", 0),
    ],
)
def test_revision_is_parsed_as_ibc_go_parses_it(chain_id, revision):
    assert revision_of(chain_id) == revision
    assert with_revision(chain_id, 9) == (f"{chain_name(chain_id)}-9" if revision else chain_id)


def test_revision_beyond_uint64_is_malformed():
    for number in ("18446744073709551616", "1" + "0" * 30):
        with pytest.raises(MalformedInput) as caught:
            revision_of(f"hutong-{number}")
        assert caught.value.field == "chain_id"


@pytest.mark.parametrize("field", ["app_hash", "next_validators_hash"])
def test_attack_C13_field_that_becomes_trusted_is_empty(field):
    chain = chain_with()
    client = Verifier(chain, 1)
    for value in (b"", bytes(32)):
        error = client.refuses("consensus_fields_present", chain.update(2, 1, chain.fork(2, **{field: value})))
        assert field in error.reason
    client.accepts(chain.update(2, 1, chain.fork(2, **{field: b"\x01" * 32})))


def test_attack_C13_header_without_validators_hash_has_no_hash():
    chain = chain_with()
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    client.refuses("header_hash_defined", with_header(update, validators_hash=b""))
    with pytest.raises(PredicateFailed) as caught:
        header_hash(replace(update.signed_header.header, validators_hash=b""))
    assert caught.value.predicate == "header_hash_defined"
    client.accepts(update)


@pytest.mark.parametrize(
    "changes",
    [
        {"version_block": 10},
        {"version_block": 0},
        {"proposer_address": b""},
        {"chain_id": "s" * 49 + "-1"},
    ],
    ids=str,
)
def test_header_that_stock_chains_would_refuse(changes):
    chain = SimulatedChain(chain_id=changes.get("chain_id", "sim-1"))
    chain.advance()
    client = Verifier(chain, 1)
    client.refuses("header_is_well_formed", chain.update(2, 1, chain.fork(2, **changes)))


def test_attack_C15_same_header_is_no_op_and_another_freezes():
    chain = chain_with()
    client = Verifier(chain, 1, 3)
    assert client.verify(chain.update(3, 1)) == NoOp(chain.height(3))
    for changes in ({"app_hash": b"\x0a" * 32}, {"time_ns": chain.block(3).header.time_ns + 1}):
        verdict = client.verify(chain.update(3, 1, chain.fork(3, **changes)))
        assert isinstance(verdict, Misbehaved)
        assert verdict.height == chain.height(3)
    unread_by_clients = chain.fork(3, data_hash=b"\x0b" * 32)
    assert client.verify(chain.update(3, 1, unread_by_clients)) == NoOp(chain.height(3))


@pytest.mark.parametrize(
    ("offset_ns", "freezes"), [(-1, False), (0, True), (1, True)], ids=["before", "equal", "after"]
)
def test_attack_C15_header_between_stored_ones_with_time_out_of_order(offset_ns, freezes):
    chain = chain_with()
    client = Verifier(chain, 1, 3)
    block = chain.fork(2, time_ns=chain.block(3).header.time_ns + offset_ns)
    verdict = client.verify(chain.update(2, 1, block))
    assert isinstance(verdict, Misbehaved if freezes else Updated)


def test_attack_C15_header_above_the_latest_with_an_older_time_freezes():
    chain = chain_with(6)
    client = Verifier(chain, 1, 5)
    block = chain.fork(6, time_ns=chain.block(5).header.time_ns)
    verdict = client.verify(chain.update(6, 1, block))
    assert isinstance(verdict, Misbehaved)
    assert "5" in verdict.reason
    client.accepts(chain.update(6, 1))


def test_update_below_the_latest_height_keeps_it():
    chain = chain_with()
    client = Verifier(chain, 1, 4)
    assert CLIENT.latest_height(client.accepts(chain.update(2, 1)).client_state) == chain.height(4)


def test_attack_C42_commit_of_an_older_round_height_or_chain():
    """Votes that were cast honestly, replayed for a block that they do not name."""
    chain = chain_with()
    client = Verifier(chain, 1)
    update = chain.update(3, 1)
    block_id = update.signed_header.commit.block_id
    old = chain.block(2).signed_header.commit
    replayed = replace(
        update,
        signed_header=replace(update.signed_header, commit=Commit(3, old.round, block_id, old.signatures)),
    )
    client.refuses("trusted_power_signed", replayed)
    other_round = chain.fork(3, round_=2).signed_header.commit
    client.refuses(
        "trusted_power_signed",
        replace(update, signed_header=replace(update.signed_header, commit=replace(other_round, round=0))),
    )
    twin = SimulatedChain(chain_id="twin-1")
    twin.advance(3)
    elsewhere = twin.sign(update.signed_header.header, update.validator_set, signed_chain_id="twin-1").commit
    client.refuses(
        "trusted_power_signed", replace(update, signed_header=replace(update.signed_header, commit=elsewhere))
    )
    client.accepts(update)
    assert block_id != BlockId()


def test_attack_C41_a_proposers_second_block_without_votes_is_refused():
    chain = chain_with()
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    second = chain.fork(2, data_hash=b"\x33" * 32)
    stolen = replace(
        update,
        signed_header=replace(
            second.signed_header,
            commit=replace(second.signed_header.commit, signatures=update.signed_header.commit.signatures),
        ),
    )
    client.refuses("two_thirds_signed", stolen)
    client.accepts(update)


@pytest.mark.parametrize("key_type", list(KeyType))
def test_skipping_verifies_from_one_seventh_to_hundreds_of_validators(key_type):
    for count in (1, 4, 7, 100):
        chain = SimulatedChain(members=dict.fromkeys(signers(count, key_type), 10))
        chain.advance(4)
        client = Verifier(chain, 1)
        client.accepts(chain.update(5, 1))
        client.accepts(chain.update(2, 1))
        tampered = replace(chain.block(5).header, data_hash=flipped(chain.block(5).header.data_hash))
        client.refuses("commit_matches_header", with_header(chain.update(5, 1), data_hash=tampered.data_hash))
