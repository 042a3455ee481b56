"""A gate accepts a credential that is good, and refuses each flaw by its own error: every test has its positive twin."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from hutong.light_clients.ibc.abi import encode_abi
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import GOVERNANCE, encode_accreditation_record
from hutong.relay.services.identity.rules.records.did_record import DidState, encode_did_record
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord, encode_epoch_record
from hutong.relay.services.identity.rules.records.key_record import (
    KeyAlgorithm,
    KeyEnd,
    KeyPurpose,
    KeyRecord,
    KeyState,
    KeyUse,
    PublicKey,
    encode_key_record,
)
from hutong.relay.services.identity.rules.records.list_record import encode_list_record
from hutong.relay.services.identity.rules.seals import (
    Gate,
    Presentation,
    gated_call_hash,
    seal_digest,
    sign_account,
)
from hutong.relay.services.identity.rules.seals.acceptance import ACCEPTANCE_TUPLE
from hutong.relay.services.identity.rules.seals.signatures import low_s_p256
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from tests.contracts.evm import SENDER, Reverted
from tests.contracts.identity.gate_lane import (
    AT,
    CLAIMS,
    INDEX,
    ISSUER,
    LICENCE,
    MAX_AGE_S,
    OTHER_SCHEMA,
    PRINT,
    QUERY,
    SCHEMA,
    SEAL,
    THIEF,
    GateLane,
    Shown,
    account_of,
    accreditation,
    did_record,
    key_record,
    list_record,
    logged,
    ready,
)
from tests.relay.services.identity.rules.records.sample_records import SM2

OTHER = b"\x55" * 20
KEY_KEY, LIST_KEY, EPOCH_KEY = keys.key_key(ISSUER, PRINT), keys.list_key(ISSUER, 0), keys.epoch_key(ISSUER)


@pytest.fixture
def world():
    return ready()


def refused(world, error, shown=None, **call):
    with pytest.raises(Reverted) as caught:
        world.mint(shown, **call)
    assert caught.value.name == error, caught.value
    return caught.value.arguments


def with_key(**said):
    return {KEY_KEY: encode_key_record(key_record(**said))}


def with_list(**said):
    return {LIST_KEY: encode_list_record(list_record(**said))}


def epoch(number):
    return {EPOCH_KEY: encode_epoch_record(EpochRecord(number, AT))}


# the presentation


def test_attack_N70_a_presentation_is_good_once(world):
    for nonce in (0, 7, 2**256 - 1):
        assert not world.gate.call("isNonceUsed", SEAL.holder, nonce)
    world.mint(keep=True)
    assert world.gate.call("isNonceUsed", SEAL.holder, 7) and not world.gate.call("isNonceUsed", SEAL.holder, 8)
    assert refused(world, "NonceUsed") == ("0x" + SEAL.holder.hex(), 7)
    assert refused(world, "AlreadyMinted", Shown(nonce=8)) == (seal_digest(SEAL),), "another presentation of it is good"


def test_attack_N70_a_presentation_is_for_one_gate_chain_caller_call_and_time(world):
    arguments = encode_abi(("address",), [SENDER])
    call = gated_call_hash(world.gate.selector("mint", 2), arguments)
    gate = Gate(world.evm.chain_id, world.gate.address)
    said = Presentation(gate, SENDER, 7, 2**33, seal_digest(SEAL), call)
    world.mint(Shown(presented=said))
    for other in (
        replace(said, gate=Gate(gate.chain_id + 1, gate.address)),
        replace(said, gate=Gate(gate.chain_id, OTHER)),
        replace(said, caller=OTHER),
        replace(said, nonce=8),
        replace(said, deadline_s=2**33 + 1),
        replace(said, seal_digest=seal_digest(replace(SEAL, index=INDEX + 1))),
        replace(said, call_hash=gated_call_hash(b"\x01\x02\x03\x04", arguments)),
        replace(said, call_hash=gated_call_hash(world.gate.selector("mint", 2), encode_abi(("address",), [OTHER]))),
    ):
        refused(world, "HolderNotSigned", Shown(presented=other))
    refused(world, "HolderNotSigned", Shown(holder=THIEF))
    refused(world, "HolderNotSigned", Shown(seal=replace(SEAL, holder=account_of(THIEF))))
    with pytest.raises(Reverted, match="HolderNotSigned"):
        world.evm.send(world.gate.address, world.mint_call(), sender=OTHER, keep=False)
    second = world.evm.deploy("ExampleAgeGate", world.cache.address, MAX_AGE_S, SCHEMA)
    with pytest.raises(Reverted, match="HolderNotSigned"):
        world.evm.send(second.address, world.mint_call(), keep=False)


def test_attack_N70_a_presentation_ends_with_its_deadline_and_has_one_form(world):
    now_s = world.evm.timestamp_s
    world.mint(Shown(deadline_s=now_s))
    assert refused(world, "PresentationOver", Shown(deadline_s=now_s - 1)) == (now_s - 1, now_s)
    for wrong in (
        lambda signature: signature[:64],
        lambda signature: signature[:64] + bytes([signature[64] - 27]),
        lambda signature: signature[:32] + b"\xff" * 32 + signature[64:],
        lambda _: bytes(65),
        lambda _: b"",
    ):
        refused(world, "HolderNotSigned", change=lambda members, wrong=wrong: [*members[:9], wrong(members[9])])


# the claims


def test_attack_N71_claims_are_the_seals(world):
    world.mint(Shown(names=("age_over_18", "family_name")))
    assert refused(world, "OtherClaim", Shown(names=())) == (0,)
    assert refused(world, "OtherClaim", Shown(names=("birth_date",))) == (0,)
    minor = (replace(CLAIMS[0], value=False), *CLAIMS[1:])
    assert refused(world, "ClaimNotSealed", Shown(claims=minor)) == (0,)
    salted = (*CLAIMS[:2], replace(CLAIMS[2], salt=b"\x09" * 32), *CLAIMS[3:])
    assert refused(world, "ClaimNotSealed", Shown(claims=salted, names=("age_over_18", "family_name"))) == (0,)

    def changed(place, value):
        def change(members):
            shown = list(members[3][0])
            shown[place] = value(shown[place])
            return [*members[:3], [tuple(shown)], *members[4:]]

        return change

    for place, value in (
        (0, lambda _: bytes(32)),
        (1, lambda _: b"\x01" * 32),
        (2, lambda _: 2),
        (3, lambda word: word + b"\x00"),
        (4, lambda path: path[1:]),
        (4, lambda path: [*path, b"\x01" * 32]),
        (4, lambda path: path * 3),
    ):
        refused(world, "ClaimNotSealed", change=changed(place, value))


# the seal


def test_attack_N72_a_seal_is_its_issuers_whole_and_in_time(world):
    world.mint()
    refused(world, "SealNotSigned", Shown(signer=THIEF))
    refused(world, "SealNotSigned", Shown(signature=sign_account(THIEF, seal_digest(SEAL))))
    good = sign_account(Shown().signer, seal_digest(SEAL))
    for signature in (good[:64], good[:32] + b"\xff" * 32 + good[64:], good[:64] + b"\x00", b"", bytes(65)):
        refused(world, "SealNotSigned", Shown(signature=signature))
    for other in (
        replace(SEAL, not_after_s=SEAL.not_after_s + 1),
        replace(SEAL, index=INDEX + 1),
        replace(SEAL, claims_root=b"\x01" * 32),
    ):
        refused(world, "SealNotSigned", Shown(seal=other, signature=good))
    assert refused(world, "OtherSchema", Shown(seal=replace(SEAL, schema=OTHER_SCHEMA))) == (OTHER_SCHEMA, SCHEMA)
    now_s = world.evm.timestamp_s
    world.mint(Shown(seal=replace(SEAL, not_after_s=now_s)))
    over = Shown(seal=replace(SEAL, not_after_s=now_s - 1))
    assert refused(world, "SealOver", over) == (now_s - 1, now_s)


def p256_key():
    secret = ec.derive_private_key(5, ec.SECP256R1())
    point = secret.public_key().public_numbers()
    return secret, PublicKey(KeyAlgorithm.ES256, *(one.to_bytes(32, "big") for one in (point.x, point.y)))


def accept(world, gate, shown):
    selector = gate.selector("accept", 2)
    hashed = gated_call_hash(selector, SCHEMA)
    members = tuple(world.acceptance(shown, hashed, gate.address, SENDER))
    data = selector + encode_abi((ACCEPTANCE_TUPLE, "bytes32"), [members, SCHEMA])
    world.evm.send(gate.address, data, keep=False)
    return world.gas(gate.address, data)


def test_attack_N72_p256_is_taken_where_a_gate_says_so_and_in_its_low_form(world):
    secret, key = p256_key()
    print_of = thumbprint(key)
    query = replace(QUERY, thumbprint=print_of)
    record = KeyRecord(key, bytes(20), KeyUse(KeyPurpose.SIGNING, 1), KeyEnd(), 1, AT)
    assert (
        world.sync({keys.key_key(ISSUER, print_of): encode_key_record(record)} | with_list(print_of=print_of), query)
        == 0
    )
    digest = seal_digest(SEAL)
    r, s = decode_dss_signature(secret.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    good = low_s_p256(r, s)
    shown = Shown(seal_print=print_of, signature=good)
    assert refused(world, "AlgorithmNotTaken", shown) == (1,)
    gate = world.evm.deploy("BareGateP256", world.cache.address, MAX_AGE_S)
    assert accept(world, gate, shown) <= 500_000
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    high = good[:32] + (order - int.from_bytes(good[32:], "big")).to_bytes(32, "big")
    for signature in (high, good + b"\x00", good[::-1], bytes(64)):
        with pytest.raises(Reverted, match="SealNotSigned"):
            accept(world, gate, replace(shown, signature=signature))


# the key


def test_attack_N73_a_key_of_SM2_is_for_another_use_than_seals(world):
    """The hub records such keys for files; a gate knows no curve of theirs."""
    world.mint()
    print_of = thumbprint(SM2)
    record = KeyRecord(SM2, bytes(20), KeyUse(KeyPurpose.SIGNING, 1), KeyEnd(), 1, AT)
    shown = {keys.key_key(ISSUER, print_of): encode_key_record(record)} | with_list(print_of=print_of)
    assert world.sync(shown, replace(QUERY, thumbprint=print_of)) == 3
    refused(world, "KeyForOtherUse", Shown(seal_print=print_of))


def test_attack_N73_a_key_counts_for_contracts_alone_and_within_its_window(world):
    world.mint()
    assert world.sync({KEY_KEY: None}) == 2
    refused(world, "KeyUnknown")
    assert world.sync(with_key(purposes=KeyPurpose.SIGNING)) == 3
    refused(world, "KeyForOtherUse")
    start_s = world.evm.timestamp_s + 5
    assert world.sync(with_key(start_s=start_s)) == 4
    refused(world, "KeyOutOfWindow")
    end_s = world.evm.timestamp_s + 5
    assert world.sync(with_key(end_s=end_s)) == 0
    world.mint()
    with world.evm.at(end_s - 1):
        world.mint()
    with world.evm.at(end_s):
        assert refused(world, "StandingOver") == (end_s, end_s)


def test_attack_N73_an_issuer_that_is_not_registered_seals_nothing():
    world = GateLane()
    assert world.sync({keys.did_key(ISSUER): None, EPOCH_KEY: None}) == 1
    assert refused(world, "IssuerUnknown") == (ISSUER,)
    assert world.sync({keys.did_key(ISSUER): encode_did_record(did_record())} | epoch(1)) == 0
    world.mint()


# keys that ended: row 13


def ended(state, root=bytes(32), size=0, at_s=1):
    return with_key(end=KeyEnd(state, at_s, size, root))


def test_attack_N74_only_what_was_logged_before_its_key_ended_outlives_it(world):
    """A retired key: what was logged passes with its entry; a seal dated back with the old key does not, nor on the index of
    another person."""
    early, other = SEAL, replace(SEAL, index=INDEX + 1)
    root, proof = logged([early, other], 0)
    _, proof_of_other = logged([early, other], 1)
    world.mint()
    assert world.sync(ended(KeyState.RETIRED, root, 2)) == 0
    world.mint(Shown(log=proof))
    world.mint(Shown(seal=other, log=proof_of_other))
    refused(world, "NotLogged")
    backdated = replace(SEAL, index=INDEX + 2)
    longer, proof_of_backdated = logged([early, other, backdated], 2)
    for log in (proof, proof_of_other, proof_of_backdated):
        refused(world, "NotLogged", Shown(seal=backdated, log=log))
    forged = replace(SEAL, claims_root=b"\x01" * 32)
    for log in (proof, proof_of_other):
        refused(world, "NotLogged", Shown(seal=forged, log=log))
    for wrong in (
        (b"\x01" * 32, *proof[1:]),
        (proof[0], b"\x01" * 32, *proof[2:]),
        (*proof[:2], 1, proof[3]),
        (*proof[:2], 2, proof[3]),
        (*proof[:3], ()),
        (*proof[:3], (*proof[3], b"\x01" * 32)),
    ):
        refused(world, "NotLogged", Shown(log=wrong))
    assert longer != root


def test_attack_N74_a_compromise_takes_later_entries_and_leaves_earlier_ones(world):
    early, late = SEAL, replace(SEAL, index=INDEX + 1)
    whole, _ = logged([early, late], 0)
    assert world.sync(ended(KeyState.RETIRED, whole, 2)) == 0
    world.mint(Shown(seal=late, log=logged([early, late], 1)[1]))
    before, proof = logged([early], 0)
    assert world.sync(ended(KeyState.COMPROMISED, before, 1)) == 0
    world.mint(Shown(log=proof))
    refused(world, "NotLogged", Shown(seal=late, log=logged([early, late], 1)[1]))
    assert world.sync(ended(KeyState.COMPROMISED)) == 0
    assert refused(world, "NothingLogged", Shown(log=proof)) == (ISSUER,)


def test_attack_N74_a_key_of_a_deactivated_issuer_has_ended(world):
    gone = {keys.did_key(ISSUER): encode_did_record(did_record(DidState.DEACTIVATED))}
    assert world.sync(gone) == 0
    refused(world, "NothingLogged")
    root, proof = logged([SEAL], 0)
    assert world.sync(gone | ended(KeyState.RETIRED, root, 1)) == 0
    world.mint(Shown(log=proof))


# the list


def test_attack_N77_a_list_is_of_the_key_the_schema_and_the_issuer(world):
    world.mint()
    other = thumbprint(key_record(THIEF).key)
    assert world.sync(with_list(print_of=other)) == 0
    refused(world, "IssuerNotSynced")
    thieves = {keys.key_key(ISSUER, other): encode_key_record(key_record(THIEF))}
    assert world.sync(thieves, replace(QUERY, thumbprint=other)) == 0
    assert refused(world, "ListOfAnother")[1] != bytes(32)
    world.mint(Shown(seal_print=other, signer=THIEF))
    assert world.sync(with_list(print_of=other, seal_print=PRINT)) == 0
    world.mint()
    refused(world, "ListOfAnother", Shown(seal_print=other, signer=THIEF))
    assert world.sync(with_list(schema=OTHER_SCHEMA)) == 0
    refused(world, "IssuerNotSynced")
    unopened = Shown(seal=replace(SEAL, list_number=1))
    assert refused(world, "ListNotSynced", unopened) == (ISSUER, 1)
    world.sync(with_list(), replace(QUERY, lists=(0, 1)))
    assert refused(world, "ListUnknown", unopened) == (ISSUER, 1)
    world.mint()
    world.sync(with_list(sealed_s=5))
    world.mint()  # bits alone decide in a sealed list while its key counts


def test_attack_N77_a_list_for_another_schema_is_refused_though_its_issuer_stands(world):
    """The standing for the other schema is there too, so that the binding alone refuses."""
    granted = keys.accreditation_key(ISSUER, OTHER_SCHEMA)
    root = encode_accreditation_record(accreditation(GOVERNANCE, 1))
    query = replace(QUERY, schema=OTHER_SCHEMA)
    assert world.sync({granted: root} | with_list(schema=OTHER_SCHEMA), query) == 0
    refused(world, "ListOfAnother")
    every = keys.accreditation_key(ISSUER, bytes(32))
    assert world.sync({every: root} | with_list(schema=bytes(32)), replace(QUERY, schema=bytes(32))) == 0
    world.mint()


def test_attack_N77_the_status_is_read_at_its_place_under_the_lists_root(world):
    world.mint()
    shape = TreeShape(1, 2**20)
    revoked = (INDEX, INDEX + 9)
    world.sync(with_list(revoked=revoked))
    assert refused(world, "CredentialRevoked", Shown(revoked=revoked)) == (1,)
    refused(world, "StatusNotProven")
    free = Shown(seal=replace(SEAL, index=INDEX + 1), revoked=revoked)
    world.mint(free)

    def changed(chunk, path):
        return lambda members: [*members[:4], chunk(members[4]), path(members[5]), *members[6:]]

    def same(one):
        return one

    for chunk, path, error in (
        (lambda _: bytes(32), same, "StatusNotProven"),
        (same, lambda path: path[1:], "OtherPathLength"),
        (same, lambda path: [*path, path[0]], "OtherPathLength"),
        (same, lambda path: path[::-1], "StatusNotProven"),
        (same, lambda path: [b"\x01" * 32, *path[1:]], "StatusNotProven"),
    ):
        refused(world, error, free, change=changed(chunk, path))
    assert shape.depth == 12


def test_attack_N77_an_index_beyond_the_list_is_refused(world):
    """The list is half as long as indices may be."""
    small = replace(list_record(), shape=TreeShape(1, 2**19))
    world.sync({LIST_KEY: encode_list_record(small)})
    assert refused(world, "IndexOutOfRange", Shown(seal=replace(SEAL, index=2**19))) == (2**19, 2**19)
    refused(world, "OtherPathLength", Shown(seal=replace(SEAL, index=2**19 - 1)))


# age and epoch


def test_attack_N76_nothing_is_accepted_after_its_age_once_the_hub_is_silent(world):
    header_s = world.lane.chain.block(world.lane.trusted).header.time_ns // 10**9
    with world.evm.at(header_s + MAX_AGE_S):
        world.mint()
    for after_s in (1, 2, 10**5):
        with world.evm.at(header_s + MAX_AGE_S + after_s):
            now_s = header_s + MAX_AGE_S + after_s
            assert refused(world, "StaleList") == (header_s, MAX_AGE_S, now_s)
    number = replace(QUERY, lists=())
    world.lane.advance(MAX_AGE_S + 1)
    world.sync(query=number)
    refused(world, "StaleList")  # the issuer alone is new
    world.sync()
    world.mint()


def test_attack_N76_the_issuer_grows_old_too(world):
    other = thumbprint(key_record(THIEF).key)
    world.lane.advance(MAX_AGE_S + 1)
    thieves = {keys.key_key(ISSUER, other): encode_key_record(key_record(THIEF))}
    world.sync(thieves, replace(QUERY, thumbprint=other))
    refused(world, "StaleIssuer")
    world.sync()
    world.mint()


def test_attack_N76_a_clock_that_is_held_back_is_no_help(world):
    """The hub's headers go on, within the drift that the client allows, and a proposer's clock does not."""
    held_s = world.evm.timestamp_s
    for _ in range(MAX_AGE_S + 1):
        world.lane.chain.advance(time_ns=world.lane.chain.latest.header.time_ns + 10**9)
    world.lane.evm.timestamp_s = world.lane.chain.latest.header.time_ns // 10**9 - 5
    world.lane.update()
    assert world.evm.timestamp_s > held_s
    world.evm.timestamp_s = held_s
    refused(world, "StaleList")


def test_attack_N76_what_is_kept_is_replaced_by_a_later_height_alone(world):
    before, _ = world.sync_call(world.publish())
    revoked = (INDEX,)
    world.sync(with_list(revoked=revoked) | epoch(2))
    refused(world, "CredentialRevoked", Shown(revoked=revoked))
    world.evm.send(world.cache.address, before)
    refused(world, "CredentialRevoked", Shown(revoked=revoked))
    refused(world, "StatusNotProven")


def test_attack_N78_records_of_a_past_epoch_are_refused(world):
    world.sync(epoch(2), replace(QUERY, lists=()))
    assert refused(world, "ListOfPastEpoch") == (1, 2)
    world.sync()
    world.mint()
    other = thumbprint(key_record(THIEF).key)
    thieves = {keys.key_key(ISSUER, other): encode_key_record(key_record(THIEF))}
    world.sync(thieves | epoch(3), replace(QUERY, thumbprint=other))
    assert refused(world, "IssuerOfPastEpoch") == (2, 3)
    world.sync()
    world.mint()


def test_attack_N78_an_epoch_that_was_seen_is_not_forgotten_for_an_earlier_root(world):
    """An earlier root of another list comes later: its epoch is below what is known."""
    earlier, _ = world.sync_call(
        world.publish({keys.list_key(ISSUER, 1): encode_list_record(list_record())}), replace(QUERY, lists=(1,))
    )
    world.sync(epoch(2))
    world.evm.send(world.cache.address, earlier)
    assert refused(world, "ListOfPastEpoch", Shown(seal=replace(SEAL, list_number=1))) == (1, 2)
    world.mint()


def test_what_other_gates_ask_is_their_own():
    world = ready()
    gate = world.evm.deploy("ExampleAgeGate", world.cache.address, 86_400, SCHEMA)
    assert (gate.call("identityCache"), gate.call("maxCredentialAge")) == (world.cache.text, 86_400)
    assert world.gate.call("maxCredentialAge") == MAX_AGE_S
    assert gate.call("decimals") == 0
    assert LICENCE != SCHEMA
