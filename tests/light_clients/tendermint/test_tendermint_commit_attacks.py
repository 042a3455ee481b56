from dataclasses import replace

import pytest

from hutong.light_clients.crypto import ed25519, secp256k1, sha256
from hutong.light_clients.interface import MalformedInput, NotEnoughTrust, PredicateFailed
from hutong.light_clients.tendermint.hashing import proposal_sign_bytes, validator_set_hash
from hutong.light_clients.tendermint.predicates import validator_set_is_sound
from hutong.light_clients.tendermint.types import (
    ABSENT_SIGNATURE,
    MAX_TOTAL_VOTING_POWER,
    MAX_VALIDATORS,
    BlockId,
    BlockIdFlag,
    KeyType,
    PartSetHeader,
    PublicKey,
    SignedMessageType,
    TrustLevel,
    Validator,
    ValidatorSet,
)
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, flags, signers, validator_set
from tests.light_clients.tendermint.verifying import (
    Verifier,
    flipped,
    with_commit,
    with_entries,
    with_entry,
    with_header,
)

KEY_TYPES = pytest.mark.parametrize("key_type", list(KeyType))


def chain_of(*powers: int, key_type: KeyType = KeyType.SECP256K1) -> SimulatedChain:
    """Powers in descending order, so that index in the set is index here."""
    chain = SimulatedChain(members=dict(zip(signers(len(powers), key_type), powers, strict=True)))
    chain.advance()
    return chain


@KEY_TYPES
def test_attack_C1_two_thirds_exactly_is_refused_and_one_more_passes(key_type):
    chain = chain_of(10, 10, 9, 1, key_type=key_type)
    client = Verifier(chain, 1)
    exactly = chain.fork(2, flags=flags(absent=(2, 3)))
    one_more = chain.fork(2, flags=flags(absent=(2,)))
    error = client.refuses("two_thirds_signed", chain.update(2, 1, exactly))
    assert (error.got, error.expected) == (20, "> 20")
    client.accepts(chain.update(2, 1, one_more))


@KEY_TYPES
def test_attack_C1_trust_level_exactly_is_not_enough_and_one_more_passes(key_type):
    old = signers(3, key_type)
    newcomer = signers(1, key_type, "newcomer")[0]
    for stayers, verdict in (({old[0]: 10}, NotEnoughTrust(10, 10, 30)), ({old[0]: 10, old[2]: 1}, None)):
        chain = SimulatedChain(members={old[0]: 10, old[1]: 19, old[2]: 1})
        chain.set_members({**stayers, newcomer: 100})
        chain.advance(4)
        client = Verifier(chain, 1)
        if verdict is None:
            client.accepts(chain.update(4, 1))
        else:
            assert client.verify(chain.update(4, 1)) == verdict


@pytest.mark.parametrize("level", [TrustLevel(1, 0), TrustLevel(0, 1), TrustLevel(1, 4), TrustLevel(3, 2)])
def test_attack_C1_stored_trust_level_outside_its_range_counts_nothing(level):
    """Creation refuses these; what stands in a state all the same is judged again, also where it would divide by zero."""
    chain = chain_of(10, 10, 10, 10)
    chain.advance(3)
    Verifier(chain, 1, trust_level=level).refuses("trust_level_in_range", chain.update(4, 1))
    Verifier(chain, 1, trust_level=TrustLevel(1, 1)).verify(chain.update(4, 1))
    Verifier(chain, 1).accepts(chain.update(4, 1))


def test_attack_C2_validator_counted_twice_by_index():
    chain = chain_of(10, 10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    entries = update.signed_header.commit.signatures
    error = client.refuses(
        "two_thirds_signed", with_entries(update, {1: entries[0], 2: ABSENT_SIGNATURE, 3: ABSENT_SIGNATURE})
    )
    assert error.got == entries[0].validator_address
    client.accepts(update)


def test_attack_C2_validator_counted_twice_by_address_in_the_trusted_set():
    chain = chain_of(10, 10, 10, 10)
    chain.advance()
    client = Verifier(chain, 1)
    update = chain.update(3, 1)
    entries = update.signed_header.commit.signatures
    error = client.refuses("trusted_power_signed", with_entries(update, {1: entries[0]}))
    assert error.got == entries[0].validator_address
    client.accepts(update)


def test_attack_C2_duplicate_key_in_the_new_set():
    chain = chain_of(10, 10, 10)
    chain.advance()
    client = Verifier(chain, 1)
    update = chain.update(3, 1)
    first = update.validator_set.validators[0]
    doubled = ValidatorSet((first, *update.validator_set.validators), first)
    header = replace(update.signed_header.header, validators_hash=validator_set_hash(doubled))
    forged = replace(update, signed_header=chain.sign(header, doubled), validator_set=doubled)
    assert client.refuses("validator_set_is_sound", forged).got == first.address
    single = replace(update, signed_header=chain.sign(update.signed_header.header, update.validator_set))
    client.accepts(single)


def test_attack_C3_transmitted_address_is_not_derived_from_the_key():
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    for field in ("validator_set", "trusted_validators"):
        validators = getattr(update, field)
        first, second, *rest = validators.validators
        forged = replace(validators, validators=(first, replace(second, address=first.address), *rest))
        error = client.refuses("validator_set_is_sound", replace(update, **{field: forged}))
        assert (error.got, error.expected) == (first.address, second.address)
    client.accepts(update)


def test_attack_C3_entry_with_the_address_of_another_validator():
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    other = update.validator_set.validators[1].address
    error = client.refuses("two_thirds_signed", with_entry(update, 0, validator_address=other))
    assert error.got == other
    client.accepts(update)


def test_attack_C3_proposer_that_is_no_member():
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    stranger = Validator.of(signers(1, label="stranger")[0].public_key, 10)
    for proposer in (None, stranger, replace(stranger, address=update.validator_set.validators[0].address)):
        forged = replace(update.validator_set, proposer=proposer)
        client.refuses("validator_set_is_sound", replace(update, validator_set=forged))
    client.accepts(
        replace(update, validator_set=replace(update.validator_set, proposer=chain.block(2).validators.validators[2]))
    )


@KEY_TYPES
def test_attack_C4_nil_and_absent_votes_count_nothing(key_type):
    chain = chain_of(10, 10, 10, key_type=key_type)
    client = Verifier(chain, 1)
    for missing in (flags(nil=(0,)), flags(absent=(1,)), flags(nil=(0,), absent=(1,))):
        error = client.refuses("two_thirds_signed", chain.update(2, 1, chain.fork(2, flags=missing)))
        assert error.expected == "> 20"
    client.accepts(chain.update(2, 1))


def test_attack_C4_nil_vote_relabelled_as_commit():
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1, chain.fork(2, flags=flags(nil=(2,))))
    client.refuses("two_thirds_signed", with_entry(update, 2, block_id_flag=BlockIdFlag.COMMIT))
    client.accepts(chain.update(2, 1))


@KEY_TYPES
def test_attack_C4_prevotes_and_proposals_are_no_precommits(key_type):
    chain = chain_of(10, 10, 10, key_type=key_type)
    client = Verifier(chain, 1)
    for signed_type in (SignedMessageType.PREVOTE, SignedMessageType.PROPOSAL):
        client.refuses("two_thirds_signed", chain.update(2, 1, chain.fork(2, signed_type=signed_type)))
    client.accepts(chain.update(2, 1, chain.fork(2, signed_type=SignedMessageType.PRECOMMIT)))


def test_attack_C4_signature_of_a_proposal_as_vote():
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    entry = update.signed_header.commit.signatures[0]
    proposal = proposal_sign_bytes(chain.chain_id, 2, 0, -1, update.signed_header.commit.block_id, entry.timestamp_ns)
    signature = chain.keys[entry.validator_address].sign(proposal)
    assert client.refuses("two_thirds_signed", with_entry(update, 0, signature=signature)).got == signature
    client.accepts(update)


@KEY_TYPES
@pytest.mark.parametrize(
    "signed",
    [
        {"signed_chain_id": "sim-2"},
        {"signed_chain_id": ""},
        {"signed_height": 3},
        {"signed_round": 1},
        {"signed_block_id": BlockId(b"\x01" * 32, PartSetHeader(1, b"\x02" * 32))},
        {"signed_block_id": BlockId()},
    ],
    ids=str,
)
def test_attack_C5_signature_over_something_else(key_type, signed):
    chain = chain_of(10, 10, 10, key_type=key_type)
    client = Verifier(chain, 1)
    client.refuses("two_thirds_signed", chain.update(2, 1, chain.fork(2, **signed)))
    client.accepts(chain.update(2, 1, chain.fork(2, signed_chain_id="sim-1", signed_height=2, signed_round=0)))


def test_attack_C5_part_set_header_exchanged_under_the_signatures():
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    block_id = update.signed_header.commit.block_id
    for parts in (PartSetHeader(2, block_id.part_set_header.hash), PartSetHeader(1, b"\x07" * 32), PartSetHeader()):
        changed = with_commit(update, block_id=replace(block_id, part_set_header=parts))
        client.refuses("two_thirds_signed", changed)
    client.accepts(update)


@KEY_TYPES
def test_attack_C5_timestamp_changed_after_signing(key_type):
    chain = chain_of(10, 10, 10, key_type=key_type)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    at = update.signed_header.commit.signatures[1].timestamp_ns
    for moved in (at + 1, at - 1, 0):
        client.refuses("two_thirds_signed", with_entry(update, 1, timestamp_ns=moved))
    client.accepts(update)


def test_attack_C6_commit_of_another_header():
    chain = chain_of(10, 10, 10)
    chain.advance()
    client = Verifier(chain, 1)
    update, other = chain.update(2, 1), chain.update(3, 1)
    wrong = replace(update, signed_header=replace(update.signed_header, commit=other.signed_header.commit))
    error = client.refuses("commit_matches_header", wrong)
    assert (error.got, error.expected) == (3, 2)
    fork = chain.fork(2, app_hash=b"\x09" * 32).signed_header.commit
    error = client.refuses(
        "commit_matches_header", replace(update, signed_header=replace(update.signed_header, commit=fork))
    )
    assert error.got == fork.block_id.hash
    client.accepts(update)


def test_attack_C6_commit_height_or_round_changed():
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    assert client.refuses("commit_matches_header", with_commit(update, height=3)).got == 3
    assert client.refuses("commit_matches_header", with_commit(update, round=-1)).got == -1
    client.refuses("two_thirds_signed", with_commit(update, round=1))
    client.accepts(chain.update(2, 1, chain.fork(2, round_=1)))


@pytest.mark.parametrize(
    "field",
    ["last_commit_hash", "data_hash", "consensus_hash", "app_hash", "last_results_hash", "evidence_hash"],
)
def test_attack_C6_every_header_field_is_under_the_hash(field):
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    changed = with_header(update, **{field: flipped(getattr(update.signed_header.header, field))})
    client.refuses("commit_matches_header", changed)
    client.accepts(update)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_attack_C6_entries_fewer_or_more_than_validators(count):
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    entries = (*update.signed_header.commit.signatures, ABSENT_SIGNATURE)[:count]
    error = client.refuses("one_entry_a_validator", with_commit(update, signatures=entries))
    assert (error.got, error.expected) == (count, 3)
    client.accepts(update)


@pytest.mark.parametrize("power", [0, -1, -(2**63)])
def test_attack_C12_power_that_is_not_positive(power):
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    *rest, last = update.validator_set.validators
    forged = replace(update.validator_set, validators=(*rest, replace(last, voting_power=power)))
    assert client.refuses("validator_set_is_sound", replace(update, validator_set=forged)).got == power
    client.accepts(update)


def test_attack_C12_total_power_above_its_cap():
    one, two = signers(2)
    at_cap = validator_set({one: MAX_TOTAL_VOTING_POWER - 1, two: 1})
    validator_set_is_sound(at_cap)
    with pytest.raises(PredicateFailed) as caught:
        validator_set_is_sound(validator_set({one: MAX_TOTAL_VOTING_POWER, two: 1}))
    assert (caught.value.predicate, caught.value.got) == ("validator_set_is_sound", MAX_TOTAL_VOTING_POWER + 1)
    chain = chain_of(MAX_TOTAL_VOTING_POWER - 1, 1)
    Verifier(chain, 1).accepts(chain.update(2, 1))


def test_attack_C12_empty_set_and_set_of_one():
    chain = chain_of(10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    client.accepts(update)
    empty = ValidatorSet((), update.validator_set.proposer)
    client.refuses("validator_set_is_sound", replace(update, trusted_validators=empty))
    client.refuses("one_entry_a_validator", replace(update, validator_set=empty))
    client.refuses("validator_set_is_sound", with_commit(replace(update, validator_set=empty), signatures=()))


@pytest.mark.long
def test_attack_C12_set_of_10_000_validators_is_judged_and_one_more_is_refused():
    chain = chain_of(*[1] * MAX_VALIDATORS, key_type=KeyType.ED25519)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    client.accepts(update)
    many = update.validator_set.validators
    too_many = replace(update, validator_set=ValidatorSet((*many, many[0]), many[0]))
    with pytest.raises(MalformedInput) as caught:
        client.verify(too_many)
    assert (caught.value.field, caught.value.got) == ("header.validator_set.validators", MAX_VALIDATORS + 1)


ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
IDENTITY = (1).to_bytes(32, "little")


def non_canonical_s(signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    return signature[:32] + s.to_bytes(32, "little")


def test_attack_C14_ed25519_signatures_that_are_invalid():
    chain = chain_of(10, 10, 10, key_type=KeyType.ED25519)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    good = update.signed_header.commit.signatures[0].signature
    for bad in (non_canonical_s(good), bytes(64), good[:63], good[32:] + good[:32], flipped(good, 9)):
        assert client.refuses("two_thirds_signed", with_entry(update, 0, signature=bad)).got == bad
    for bad in (b"", good + b"\x00"):
        with pytest.raises(MalformedInput) as caught:
            client.verify(with_entry(update, 0, signature=bad))
        assert caught.value.field == "header.signed_header.commit.signatures[0].signature"
    client.accepts(update)


def test_attack_C14_small_order_keys_are_judged_as_cometbft_judges_them():
    """ZIP-215, which CometBFT follows, accepts them; so must its client, alone and in a batch alike."""
    trivial = IDENTITY + bytes(32)
    items = [(IDENTITY, b"any message", trivial), (IDENTITY, b"any message", non_canonical_s(trivial))]
    assert [ed25519.verify(*item) for item in items] == [True, False] == ed25519.verify_batch(items)


@KEY_TYPES
def test_attack_C14_single_and_batch_verification_agree(key_type):
    signer = signers(1, key_type)[0]
    message = b"m" * 32
    good = signer.sign(message)
    digest = message if key_type is KeyType.ED25519 else sha256(message)
    library = ed25519 if key_type is KeyType.ED25519 else secp256k1
    single = ed25519.verify if key_type is KeyType.ED25519 else secp256k1.verify_low_s
    batch = ed25519.verify_batch if library is ed25519 else secp256k1.verify_low_s_batch
    items = [(signer.public_key.data, digest, s) for s in (good, flipped(good, 3), bytes(64), b"", good[:-1])]
    assert batch(items) == [single(*item) for item in items] == [True, False, False, False, False]


def test_attack_C14_key_of_one_type_under_the_tag_of_the_other():
    chain = chain_of(10, 10, 10, key_type=KeyType.ED25519)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    first, *rest = update.validator_set.validators
    mislabelled = replace(first, public_key=PublicKey(KeyType.SECP256K1, first.public_key.data))
    forged = replace(update, validator_set=replace(update.validator_set, validators=(mislabelled, *rest)))
    with pytest.raises(MalformedInput) as caught:
        client.verify(forged)
    assert caught.value.field == "header.validator_set.validators[0].pub_key"
    client.accepts(update)


def test_attack_C14_secp256k1_high_s_twin():
    chain = chain_of(10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    good = update.signed_header.commit.signatures[0].signature
    high = good[:32] + (secp256k1.ORDER - int.from_bytes(good[32:], "big")).to_bytes(32, "big")
    assert client.refuses("two_thirds_signed", with_entry(update, 0, signature=high)).got == high
    client.accepts(update)


def test_mixed_key_types_in_one_set_are_verified_each_by_its_own():
    members = {signers(1, KeyType.ED25519)[0]: 10, signers(1, KeyType.SECP256K1)[0]: 9, signers(2)[1]: 8}
    chain = SimulatedChain(members=members)
    chain.advance(4)
    client = Verifier(chain, 1)
    client.accepts(chain.update(2, 1))
    client.accepts(chain.update(5, 1))
    client.refuses("two_thirds_signed", chain.update(2, 1, chain.fork(2, signed_round=3)))


def test_commit_rule_first_bad_signature_refuses_and_later_ones_are_not_read():
    chain = chain_of(10, 10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    assert client.refuses("two_thirds_signed", with_entry(update, 2, signature=b"\x01" * 64)).got == b"\x01" * 64
    accepted = client.accepts(with_entry(update, 3, signature=b"\x01" * 64))
    assert accepted == client.accepts(update)


def test_commit_rule_bad_signature_refuses_also_where_enough_good_ones_follow():
    chain = chain_of(10, 10, 10, 10)
    client = Verifier(chain, 1)
    update = chain.update(2, 1)
    client.refuses("two_thirds_signed", with_entry(update, 0, signature=b"\x01" * 64))
    client.accepts(chain.update(2, 1, chain.fork(2, flags=flags(absent=(0,)))))
