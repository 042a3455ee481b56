"""A seal that was presented to a gate, judged offline by what the gate judges, and with a library of secp256k1 alone."""

from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle.proof import prove_leaf
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.archive.acceptance import Acceptance, ShownEntry, ShownSeal, encode_acceptance
from hutong.relay.audit.identity.seals import seal_of_words, words_of_seal
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records.key_record import KeyEnd, KeyPurpose, KeyState
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, encode_log_entry
from hutong.relay.services.identity.rules.seals import Claim, Seal, claims_root, seal_digest
from tests.relay.audit.identity.accepted_credentials import (
    HOLDER_SECRET,
    INDEX,
    ISSUER,
    LOGGING_SECRET,
    MIDDLE,
    OTHER_SCHEMA,
    REVOKED,
    SCHEMA,
    SEALED_CLAIMS,
    SEALING_SECRET,
    World,
    eth_account,
    k256,
    key_record,
    later,
    list_record,
)

PRINT = thumbprint(k256(SEALING_SECRET))
CLAIMS = tuple(
    Claim(name, value, bytes([number]) * 32) for number, (name, value) in enumerate(SEALED_CLAIMS.items(), 1)
)
SEAL = Seal(SCHEMA, ISSUER, 0, INDEX, later(86_400), eth_account(HOLDER_SECRET), claims_root(CLAIMS))


@pytest.fixture(scope="module")
def world():
    return World()


def refused(world: World, acceptance: Acceptance, **terms) -> str:
    report = world.audit(encode_acceptance(acceptance), **terms)
    if report.failure is None:
        assert report.is_valid
        return "accepted"
    error = report.failure.check.error
    return error.field if isinstance(error, MalformedInput) else report.failure.check.name


def shown_of(acceptance: Acceptance) -> ShownSeal:
    assert isinstance(acceptance.shown, ShownSeal)
    return acceptance.shown


def test_attack_N178_a_seal_is_its_issuers_and_its_holders_for_one_call(world):
    good = world.sealed_as(SEAL, CLAIMS)
    assert refused(world, good) == refused(world, good, schema=SCHEMA) == "accepted"
    assert seal_of_words(words_of_seal(SEAL)) == SEAL
    others = {
        "seal_is_signed": world.but(sealer=LOGGING_SECRET).sealed_as(SEAL, CLAIMS),
        "seal_is_not_over": world.sealed_as(replace(SEAL, not_after_s=later(-1)), CLAIMS),
        "seal_is_of_the_issuer": world.sealed_as(replace(SEAL, issuer=MIDDLE), CLAIMS),
        "record_is_shown": world.sealed_as(replace(SEAL, list_number=1), CLAIMS),
        "deadline_is_ahead": world.sealed_as(SEAL, CLAIMS, deadline_s=later(-1)),
        "holder_signed": world.sealed_as(replace(SEAL, holder=bytes([9]) * 20), CLAIMS),
        "shown_claim_is_sealed": world.sealed_as(replace(SEAL, claims_root=bytes([9]) * 32), CLAIMS),
        "list_is_for_the_schema": world.sealed_as(replace(SEAL, schema=OTHER_SCHEMA), CLAIMS),
        "chunk_stands_under_root": world.sealed_as(replace(SEAL, index=REVOKED), CLAIMS),
    }
    for rule, acceptance in others.items():
        assert refused(world, acceptance) == rule
    assert refused(world, good, schema=OTHER_SCHEMA) == "schema_is_asked_for"
    assert refused(world, good, newest_epoch=6) == "epoch_is_not_past"
    revoked = world.but(index=REVOKED)
    assert refused(revoked, revoked.sealed) == "status_is_valid"
    call = shown_of(good).call
    for changed in (
        replace(call, chain_id=1),
        replace(call, gate=bytes(20)),
        replace(call, caller=bytes(20)),
        replace(call, nonce=8),
        replace(call, deadline_s=later(61)),
        replace(call, call_hash=bytes(32)),
    ):
        assert refused(world, replace(good, shown=replace(shown_of(good), call=changed))) == "holder_signed"
    no_claim = replace(shown_of(good).claims[0], value=bytes(32))
    assert refused(world, replace(good, shown=replace(shown_of(good), claims=(no_claim,)))) == "shown_claim_is_sealed"


def test_attack_N178_the_key_of_seals_ends_as_others_do(world):
    """Only with its own entry in the log of the end; the credential's entry beside it is of another key."""
    entry = encode_log_entry(LogEntry(0, INDEX, None, Issuance(PRINT, seal_digest(SEAL))))
    leaves = [leaf_hash(b"first"), leaf_hash(entry)]

    def ended(size: int) -> World:
        end = KeyEnd(KeyState.COMPROMISED, later(-3_600), size, root_of_leaves(leaves[:size]))
        return world.but(keys={**world.keys, PRINT: key_record(k256(SEALING_SECRET), KeyPurpose.CONTRACT, end)})

    entered = ShownEntry(entry, 1, prove_leaf(leaves, 1).aunts)
    for size, found in ((2, "accepted"), (1, "index_within_total")):
        hub = ended(size)
        bare = hub.sealed_as(SEAL, CLAIMS)
        assert refused(hub, replace(bare, entry=entered)) == found
        assert refused(hub, bare) == "issuance_is_logged"
    assert refused(world, replace(world.sealed_as(SEAL, CLAIMS), entry=entered)) == "log_entry_is_read"
    one_key = world.but(lists={0: list_record(seal_thumbprint=bytes(32))})
    assert refused(one_key, one_key.sealed_as(SEAL, CLAIMS)) == "seal_is_signed"


def test_attack_N178_a_changed_byte_of_a_seal_turns_the_verdict(world):
    data = encode_acceptance(world.sealed)
    auditor = world.auditor()
    assert auditor.judge(data).is_valid
    for place in range(0, len(data), 61):
        if data[place : place + 8] == b"hutong-1":
            continue
        changed = bytearray(data)
        changed[place] ^= 4
        if world.acceptance.chain.chain_id.encode() not in bytes(changed):
            continue  # of another hub, for which there is no checkpoint
        assert not auditor.judge(bytes(changed)).is_valid, place
