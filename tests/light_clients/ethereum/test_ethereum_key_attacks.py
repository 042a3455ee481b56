"""Attack checklist C35 against the ethereum client: keys and signatures that are none, and keys made to cancel others."""

from dataclasses import replace

import pytest

from hutong.light_clients.crypto import bls
from hutong.light_clients.ethereum import (
    MAINNET_PRESET,
    SyncAggregate,
    SyncCommittee,
    sync_committee_root,
)
from hutong.light_clients.ethereum.committee import decode_committee
from hutong.light_clients.ethereum.forks import signing_root
from tests.light_clients.ethereum.simulated_beacon import (
    FIRST_SLOT,
    SimulatedBeacon,
    network_of,
    secret_of,
)
from tests.light_clients.ethereum.verifying import Verifier, chain_of, with_update

G1_OUTSIDE_SUBGROUP = bytes.fromhex("8123456789abcdef" + "0123456789abcdef" * 5)
G2_OUTSIDE_SUBGROUP = bytes.fromhex("8123456789abcdef" + "0123456789abcdef" * 11)
G1_INFINITY = bytes([0xC0]) + bytes(47)
G2_INFINITY = bytes([0xC0]) + bytes(95)
PERIOD_SLOTS = 64


@pytest.fixture(scope="module")
def large() -> SimulatedBeacon:
    """A chain with committees of 512, as mainnet's."""
    return chain_of(1, network=network_of(preset=MAINNET_PRESET))


def replaced_key(committee: SyncCommittee, index: int, key: bytes) -> SyncCommittee:
    keys = committee.pubkeys[: 48 * index] + key + committee.pubkeys[48 * (index + 1) :]
    return replace(committee, pubkeys=keys)


BAD_KEYS = {
    "infinity": G1_INFINITY,
    "outside the subgroup": G1_OUTSIDE_SUBGROUP,
    "off the curve": G1_OUTSIDE_SUBGROUP[:-1] + b"\xe0",
    "zero": bytes(48),
    "uncompressed flag": bytes([0x17]) + bytes(47),
    "infinity with a sign": bytes([0xE0]) + bytes(47),
    "infinity with trailing bits": bytes([0xC0]) + bytes(46) + b"\1",
    "x not below the modulus": bytes([0x9A]) + b"\xff" * 47,
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
@pytest.mark.parametrize("signs", [True, False])
def test_attack_C35_committee_with_a_bad_key(key, signs):
    """Refused whether its member signs or not, though the committee's root is the trusted one."""
    chain = chain_of()
    committee = replaced_key(chain.committee(2), 5, key)
    trusted = replace(chain.trusted(FIRST_SLOT), current_root=sync_committee_root(committee))
    members = [member for member in range(32) if signs or member != 5]
    header = chain.header(FIRST_SLOT + 1, members=members)
    Verifier(chain).accepted(header)
    error = Verifier(chain, committees=trusted).refused(
        "committee_keys_valid", replace(header, sync_committee=committee)
    )
    assert "key 5" in error.reason and error.got == key


def test_attack_C35_aggregate_key_is_not_the_sum():
    chain = chain_of()
    committee = replace(chain.committee(2), aggregate_pubkey=chain.committee(3).aggregate_pubkey)
    trusted = replace(chain.trusted(FIRST_SLOT), current_root=sync_committee_root(committee))
    header = replace(chain.header(FIRST_SLOT + 1), sync_committee=committee)
    Verifier(chain, committees=trusted).refused("committee_keys_valid", header)


BAD_SIGNATURES = {
    "infinity": G2_INFINITY,
    "outside the subgroup": G2_OUTSIDE_SUBGROUP,
    "zero": bytes(96),
    "all ones": b"\xff" * 96,
    "uncompressed flag": bytes([0x13]) + bytes(95),
}


@pytest.mark.parametrize("signature", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES)
def test_attack_C35_signature_that_is_no_point_of_the_subgroup(signature):
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    Verifier(chain).accepted(header)
    forged = replace(header.update.sync_aggregate, signature=signature)
    Verifier(chain).refused("signed_by_committee", with_update(header, sync_aggregate=forged))


def test_attack_C35_signature_in_another_encoding():
    """The sign bit flipped names the negative point: another signature, never a twin."""
    chain = chain_of()
    header = chain.header(FIRST_SLOT + 1)
    raw = header.update.sync_aggregate.signature
    forged = replace(header.update.sync_aggregate, signature=bytes([raw[0] ^ 0x20]) + raw[1:])
    Verifier(chain).refused("signed_by_committee", with_update(header, sync_aggregate=forged))


def test_attack_C35_rogue_key_committee_is_not_the_trusted_one():
    """A key that cancels all others lets its owner sign for everybody; it needs a committee that the state does not have."""
    chain = chain_of()
    honest = chain.committee(2)
    decoded = decode_committee(honest)
    own = bls.decode_public_key(bls.public_key_of(secret_of(99, 0)))
    others = bls.add_keys(decoded.keys[1:])
    rogue = bls.encode_public_key(bls.subtract_keys(own, [others]))
    keys = rogue + honest.pubkeys[48:]
    committee = SyncCommittee(keys, bls.encode_public_key(own))
    decode_committee(committee)  # well-formed: nothing in the keys tells
    header = chain.header(FIRST_SLOT + 1)
    slot = header.update.signature_slot
    witness = chain.propose(FIRST_SLOT + 2, finalized_root=chain.blocks[FIRST_SLOT + 1].root, label="witness")
    message = signing_root(witness.root, chain.network.sync_committee_domain(slot))
    forged = SyncAggregate(b"\xff" * 4, bls.sign(secret_of(99, 0), message))
    assert bls.fast_aggregate_verify([keys[at : at + 48] for at in range(0, len(keys), 48)], message, forged.signature)
    rogue_header = replace(with_update(header, sync_aggregate=forged), sync_committee=committee)
    Verifier(chain).refused("committee_is_trusted", rogue_header)
    Verifier(chain).refused("signed_by_committee", with_update(header, sync_aggregate=forged))
    Verifier(chain).accepted(header)


def test_attack_C35_participants_whose_keys_cancel_sign_nothing():
    chain = chain_of()
    key = chain.committee(2).pubkeys[:48]
    negative = bytes([key[0] ^ 0x20]) + key[1:]
    total = bls.add_keys([bls.decode_public_key(key), bls.decode_public_key(negative)])
    for signature in (G2_INFINITY, chain.header(FIRST_SLOT + 1).update.sync_aggregate.signature):
        assert not bls.verify_under_sum(total, b"m" * 32, signature)


def test_committee_with_a_member_many_times():
    """Small validator sets are drawn with repetition; adding a point to itself is where formulas for sums differ."""
    members = [0] * 20 + [1] * 11 + [2]
    secrets = [secret_of(2, member) for member in members]
    keys = [bls.public_key_of(secret) for secret in secrets]
    total = bls.sign_aggregate(secrets, b"m" * 32)
    committee = SyncCommittee(
        b"".join(keys), bls.encode_public_key(bls.add_keys(list(map(bls.decode_public_key, keys))))
    )
    assert bls.verify_under_sum(decode_committee(committee).total, b"m" * 32, total)
    for count in (3, 16, 17, 25, 31, 32):
        aggregate = SyncAggregate(
            ((1 << count) - 1).to_bytes(4, "little"), bls.sign_aggregate(secrets[:count], b"m" * 32)
        )
        key = decode_committee(committee).sum_of(aggregate)
        assert key == bls.add_keys([bls.decode_public_key(each) for each in keys[:count]])
        assert bls.verify_under_sum(key, b"m" * 32, aggregate.signature)
        assert not bls.verify_under_sum(key, b"m" * 32, bls.sign_aggregate(secrets[: count - 1], b"m" * 32))
