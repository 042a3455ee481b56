"""One acceptance judged offline: everything that it asserts is needed, and each consistent forgery is refused by a rule of its own."""

import json
from base64 import b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.proofs.merkle.tree import root_of_leaves
from hutong.relay.archive.acceptance import (
    Acceptance,
    ShownChunk,
    ShownPresentation,
    decode_acceptance,
    encode_acceptance,
)
from hutong.relay.archive.shared_records import acceptance_of_records
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.identity import AcceptanceAuditor
from hutong.relay.audit.identity.accepted import Addressee
from hutong.relay.services.identity.rules.acceptance.list_place import status_uri_names_a_list
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import GOVERNANCE, AccreditationState
from hutong.relay.services.identity.rules.records.did_record import DidState, encode_did_record
from hutong.relay.services.identity.rules.records.key_record import KeyEnd, KeyPurpose, KeyState
from hutong.relay.services.identity.rules.status.chunk_tree import prove_chunk
from tests.relay.audit.identity.accepted_credentials import (
    INDEX,
    ISSUER,
    LAYERS,
    MIDDLE,
    OTHER_SCHEMA,
    REVOKED,
    ROOT,
    SCHEMA,
    SHAPE,
    SIGNING,
    STOLEN,
    URI,
    VCT,
    World,
    accreditation,
    did_record,
    filling,
    key_record,
    later,
    list_record,
    p256,
)
from tests.relay.audit.records.shown_records import Hub
from tests.relay.services.identity.rules.actors import AUDIENCE, NONCE
from tests.relay.services.identity.rules.jose.test_certificate_attacks import certificate
from tests.relay.services.identity.rules.records.sample_records import SM2

PRINT = thumbprint(p256(SIGNING))


@pytest.fixture(scope="module")
def world():
    return World()


def refused(world: World, acceptance: Acceptance | None = None, **terms) -> str:
    """By which rule or field, or "accepted"."""
    report = world.audit(encode_acceptance(world.acceptance if acceptance is None else acceptance), **terms)
    if report.failure is None:
        assert report.is_valid
        return "accepted"
    error = report.failure.check.error
    return error.field if isinstance(error, MalformedInput) else report.failure.check.name


def test_one_acceptance_is_judged_whole(world):
    report = world.audit()
    assert report.failure is None
    accepted = report.accepted
    assert accepted is not None
    assert accepted.did == f"did:hutong:hutong:{ISSUER.hex()}"
    assert (accepted.judged.list_number, accepted.judged.index, accepted.schema) == (0, INDEX, SCHEMA)
    assert accepted.addressee == Addressee(AUDIENCE, NONCE)
    assert accepted.judged.issuance.key_thumbprint == PRINT
    assert [level.grant.depth for level in accepted.standing.issuer.chain] == [0, 1, 4]
    assert accepted.claims["given_name"] == "Erika" and "family_name" not in accepted.claims
    assert decode_acceptance(encode_acceptance(world.acceptance)) == world.acceptance
    with pytest.raises(MissingTrust):
        checkpoint = Hub(chain_id="other-1").checkpoint()
        AcceptanceAuditor.of(checkpoint, world.hub.now_ns).audit(encode_acceptance(world.acceptance))


def test_attack_N44_an_issuer_with_a_key_of_SM2_is_judged_as_before_and_issues_nothing_under_it(world):
    """The hub binds no list to such a key; records that say so are a forger's, and are refused too."""
    held = {**world.keys, thumbprint(SM2): key_record(SM2, KeyPurpose.SIGNING)}
    assert refused(world.but(keys=held)) == "accepted"
    bound = {0: list_record(key_thumbprint=thumbprint(SM2))}
    assert refused(world.but(keys=held, lists=bound)) == "key_signs_credentials"


@pytest.mark.long
def test_an_acceptance_of_three_levels_in_a_large_state_has_less_than_ten_kilobytes():
    """Four validators, three levels, a list of 2^20 statuses, four thousand other DIDs, and the log entry of an ended key."""
    world = World(logged=True, more=filling(4_096))
    ended = world.but(keys={**world.keys, PRINT: key_record(p256(SIGNING), KeyPurpose.SIGNING, world.log_end)})
    data = encode_acceptance(ended.acceptance)
    assert ended.audit(data).is_valid
    print(f"{len(data)} bytes, {len(ended.acceptance.proof.siblings)} siblings, {ended.audit(data).rules} rules")
    assert len(data) < 10_000


def flipped(world: World, step: int) -> list[int]:
    """Places of which one changed bit does not turn the verdict."""
    data = encode_acceptance(world.acceptance)
    auditor = world.auditor()
    assert auditor.judge(data).is_valid
    turned = []
    for place in range(0, len(data), step):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        try:
            if auditor.judge(bytes(changed)).is_valid:
                turned.append(place)
        except MissingTrust:
            continue
    return turned


def test_attack_N166_a_changed_byte_turns_the_verdict(world):
    assert flipped(world, 41) == []


@pytest.mark.long
def test_attack_N166_every_byte_is_judged():
    logged = World(logged=True)
    ended = logged.but(keys={**logged.keys, PRINT: key_record(p256(SIGNING), KeyPurpose.SIGNING, logged.log_end)})
    assert flipped(World(), 1) == []
    assert flipped(ended, 1) == []


def test_attack_N167_only_the_key_of_the_credentials_list_may_have_signed(world):
    """An attacker's own key, one that the DID has for something else, one of another list."""
    assert refused(world.but(signer=STOLEN)) == "signature_verifies"
    both = {**world.keys, thumbprint(p256(STOLEN)): key_record(p256(STOLEN), KeyPurpose.SIGNING)}
    assert refused(world.but(keys=both, signer=STOLEN)) == "signature_verifies"
    moved = {0: list_record(key_thumbprint=thumbprint(p256(STOLEN)))}
    assert refused(world.but(keys=both, signer=STOLEN, lists=moved)) == "accepted"
    assert refused(world.but(keys=both, lists=moved)) == "signature_verifies"
    assert refused(world.but(lists=moved)) == "key_is_the_dids"
    for_people = {**world.keys, PRINT: key_record(p256(SIGNING), KeyPurpose.PRESENTATION)}
    assert refused(world.but(keys=for_people)) == "key_is_for"
    early = {**world.keys, PRINT: key_record(p256(SIGNING), KeyPurpose.SIGNING, valid_until_s=later(0))}
    assert refused(world.but(keys=early)) == "key_counts"
    in_time = {**world.keys, PRINT: key_record(p256(SIGNING), KeyPurpose.SIGNING, valid_until_s=later(1))}
    assert refused(world.but(keys=in_time)) == "accepted"


def test_attack_N168_records_are_of_one_header_all_there_and_none_beside(world):
    every = world.acceptance
    for number, claim in enumerate(every.claims):
        fewer = replace(every, claims=every.claims[:number] + every.claims[number + 1 :])
        assert refused(world, fewer) == "claims_are_proven", claim.key
    forged = World(epoch=6)  # another header's records under this one's
    assert refused(world, replace(every, claims=forged.acceptance.claims)) == "claims_are_proven"
    other_hub = replace(every, chain=Hub(world.records, label="thief").headers())
    assert refused(world, other_hub) == "validators_in_bundle"
    more = {keys.did_key(b"\x01" * 32): encode_did_record(did_record())}
    beside = World(more=more)
    bundle = beside.hub.bundle(*beside.records, *more)
    shown = beside.acceptance
    assert refused(beside, acceptance_of_records(bundle, ISSUER, shown.shown, shown.chunk)) == "records_are_needed"
    for kept_back in (one for one in world.records if one.startswith(keys.key_prefix(ISSUER))):
        fewer = world.hub.bundle(*(one for one in world.records if one != kept_back))
        assert refused(world, acceptance_of_records(fewer, ISSUER, every.shown, every.chunk)) == "every_key_is_shown"
    assert refused(world, replace(every, issuer=MIDDLE)) == "record_is_shown"
    assert refused(world) == "accepted"


def test_attack_N169_the_chain_of_accreditations_is_whole_up_to_governance(world):
    levels = dict(world.levels)
    revoked = replace(levels[MIDDLE], state=AccreditationState.REVOKED, revoked_s=later(-5))
    over = replace(levels[ROOT], grant=replace(levels[ROOT].grant, valid_until_s=later(0)))
    cases = {
        "is revoked": {**levels, MIDDLE: revoked},
        "is out of its window": {**levels, ROOT: over},
        "expected < 0, got 0": {**levels, MIDDLE: accreditation(ROOT, 0)},
        "expected < 4, got 4": {**levels, MIDDLE: accreditation(ROOT, 4)},
        "nothing is shown of a record that is needed": {ISSUER: levels[ISSUER], ROOT: levels[ROOT]},
        "the accreditor's is for another schema": {**levels, MIDDLE: accreditation(ROOT, 1, OTHER_SCHEMA)},
    }
    for reason, chain in cases.items():
        failure = world.but(levels=chain).audit().failure
        assert failure is not None and failure.check.name == "accreditation_holds"
        assert reason in str(failure.check.error)
    alone = {ISSUER: accreditation(GOVERNANCE, 0)}
    assert refused(world.but(levels=alone)) == "records_are_needed", "levels that stand beside the chain are not read"
    other = world.but(lists={0: list_record(schema=OTHER_SCHEMA)})
    assert refused(other) == "list_is_for_the_schema"


def test_attack_N170_the_status_is_that_of_the_credentials_own_index_in_the_newest_list(world):
    assert refused(world.but(index=REVOKED)) == "status_is_valid"
    chunk = prove_chunk(LAYERS, SHAPE.chunk_of(INDEX))
    other = ShownChunk(chunk.chunk, chunk.siblings)
    assert refused(world.but(index=REVOKED), replace(world.but(index=REVOKED).acceptance, chunk=other)) == (
        "chunk_stands_under_root"
    )
    short = ShownChunk(LAYERS[1][0], chunk.siblings[1:])
    assert refused(world, replace(world.acceptance, chunk=short)) == "path_has_the_trees_depth"
    beyond = world.but(claims={"status": {"status_list": {"idx": SHAPE.size, "uri": URI}}})
    assert refused(beyond) == "index_is_below_size"
    assert refused(world, newest_epoch=6) == "epoch_is_newest"
    assert refused(world, newest_epoch=5) == "accepted"
    for end, found in (("1", "record_is_shown"), ("00", "status.status_list.uri")):
        status = {"status_list": {"idx": INDEX, "uri": f"https://status.example/lists/{end}"}}
        assert refused(world.but(claims={"status": status})) == found
    for wrong in (
        "https://a.example/lists",
        "https://a.example/0?x=/1",
        "https://a.example/1#/0",
        "https://a.example/-1",
    ):
        with pytest.raises(MalformedInput):
            status_uri_names_a_list(wrong)
    assert status_uri_names_a_list("https://mirror.example/any/65535") == 65_535


def test_attack_N171_what_was_presented_to_one_is_worth_nothing_to_another(world):
    every = world.acceptance
    shown = every.shown
    assert isinstance(shown, ShownPresentation)
    to_another = replace(every, shown=replace(shown, audience="x509_hash:other"))
    assert refused(world, to_another) == "presented_to_this_verifier"
    assert refused(world, replace(every, shown=replace(shown, nonce="n-other"))) == "presented_for_this_request"
    stripped = replace(shown, text=shown.text.rpartition("~")[0] + "~")
    assert refused(world, replace(every, shown=stripped)) == "key_binding_is_as_demanded"
    parts = shown.text.split("~")
    fewer = replace(shown, text="~".join([parts[0], *parts[2:]]))
    assert refused(world, replace(every, shown=fewer)) == "all_that_was_sent_is_signed"
    assert refused(world, max_age_s=4) == "presented_just_now"
    assert refused(world, max_age_s=5) == "accepted"


def test_attack_N174_nothing_shows_that_an_issuer_is_accredited_for_a_type_of_no_schema(world):
    unsaid = world.but(claims={"vct#integrity": None})
    assert refused(unsaid) == "type_is_of_a_schema"
    assert refused(unsaid, types={VCT: SCHEMA}) == "accepted"
    assert refused(unsaid, types={VCT: OTHER_SCHEMA}) == "list_is_for_the_schema"
    assert refused(world, types={VCT: OTHER_SCHEMA}) == "type_is_of_a_schema"
    for wrong in ("sha384-AAAA", "sha256-AAAA", "sha256-*", 7):
        assert refused(world.but(claims={"vct#integrity": wrong})) == "type_is_of_a_schema"
    other = f"did:hutong:hutong:{MIDDLE.hex()}"
    assert refused(world.but(claims={"iss": other})) == "issuer_names_the_did"
    for named in (None, "https://issuer.example"):
        assert refused(world.but(claims={"iss": named})) == "accepted"


def test_attack_N175_a_certificate_is_the_one_that_the_record_names(world):
    ours, other = (certificate("issuer", key, "authority", key) for key in (SIGNING, STOLEN))
    pinned = {**world.keys, PRINT: key_record(p256(SIGNING), KeyPurpose.SIGNING, x5t_s256=ours.fingerprint(SHA256()))}

    def x5c(certificate):
        return {"x5c": [b64encode(certificate.public_bytes(Encoding.DER)).decode()]}

    assert refused(world.but(keys=pinned, header=x5c(ours))) == "accepted"
    assert refused(world.but(keys=pinned, header=x5c(other))) == "certificate_is_pinned"
    assert refused(world.but(header=x5c(ours))) == "certificates_are_judged"


# --- row 13: rotation and theft


def ended(world: World, state: KeyState, before: int, **changes) -> World:
    """The key ended when the log had `before` of the world's leaves."""
    end = KeyEnd(state, later(-60), before, root_of_leaves(world.leaves[:before]) if before else bytes(32))
    return world.but(keys={**world.keys, PRINT: key_record(p256(SIGNING), KeyPurpose.SIGNING, end)}, **changes)


def test_attack_N172_a_credential_under_an_ended_key_needs_its_own_entry_in_the_log_of_the_end():
    logged = World(logged=True)
    whole = len(logged.leaves)
    for state in (KeyState.RETIRED, KeyState.COMPROMISED):
        assert refused(ended(logged, state, whole)) == "accepted"
        assert refused(ended(logged, state, whole, logged=False)) == "issuance_is_logged"
        assert refused(ended(logged, state, whole - 1)) == "index_within_total"
        assert refused(ended(logged, state, 0)) == "key_has_a_log"
    assert refused(logged) == "log_entry_is_read", "beside a good key nobody would read it"
    good = ended(logged, KeyState.RETIRED, whole)
    assert good.acceptance.entry is not None
    moved = replace(good.acceptance.entry, index=0)
    assert refused(good, replace(good.acceptance, entry=moved)) in {"root_matches", "path_is_canonical"}
    backdated = good.but(claims={"iat": later(-10 * 86_400)})  # the old key, an allocated index, an old date
    theirs = replace(backdated.acceptance, entry=good.acceptance.entry)
    assert refused(backdated, theirs) == "entry_is_of_what_is_judged"
    another_index = good.but(index=INDEX + 1)
    assert refused(another_index, replace(another_index.acceptance, entry=good.acceptance.entry)) == (
        "entry_is_of_what_is_judged"
    )
    gone = good.but(state=DidState.DEACTIVATED)
    assert refused(gone) == "accepted" and refused(gone.but(logged=False)) == "issuance_is_logged"


def test_malformed_acceptances_are_refused_with_fields(world):
    data = encode_acceptance(world.acceptance)
    auditor = world.auditor()
    for wrong in (b"", b"\xc0", data[:-1], data + b"\0", b"{}", json.dumps({"format": "hutong-acceptance"}).encode()):
        report = auditor.audit(wrong)
        assert not report.is_valid and report.failure is not None and report.acceptance is None
    assert auditor.judge(data).is_valid, "what was refused is remembered by nobody"
    assert replace(world.acceptance, issuer=ROOT) != world.acceptance
