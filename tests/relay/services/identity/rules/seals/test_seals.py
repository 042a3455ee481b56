"""Seals, claims, presentations: the page's vectors, an outside library's digests, and that nothing else passes."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import MalformedInput, PredicateFailed, VerificationError
from hutong.relay.services.identity.rules.organisations.issued import Judged, entry_is_of_what_is_judged
from hutong.relay.services.identity.rules.records.key_record import KeyAlgorithm, KeyPurpose, KeyUse, PublicKey
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, encode_log_entry
from hutong.relay.services.identity.rules.seals import (
    Claim,
    Disclosure,
    Gate,
    ShownClaim,
    claim_is_sealed,
    claims_root,
    decode_seal_file,
    disclose,
    encode_seal_file,
    holder_signed,
    presentation,
    presentation_digest,
    seal,
    seal_digest,
    seal_is_signed,
    sign_account,
)
from hutong.relay.services.identity.rules.seals.claim_tree import path_root, shown_claim_is_sealed
from hutong.relay.services.identity.rules.seals.claims import decode_claim_value, encode_claim_value
from hutong.relay.services.identity.rules.seals.signatures import low_s_p256, recovered_account
from tests.relay.services.identity.rules.seals.sample_seals import (
    CLAIMS,
    ENTRY,
    HOLDER_SECRET,
    ISSUER_SECRET,
    KEY,
    PRESENTATION,
    PRESENTED,
    SEAL,
    SEALED,
    SIGNATURE,
    filled,
    record_of,
)

PAGE = Path(__file__).resolve().parents[6] / "docs" / "spec" / "identity-seal.md"


def vectors() -> dict:
    encoded = {claim.name: encode_claim_value(claim.value) for claim in CLAIMS}
    return {
        "claims": {
            claim.name: {
                "salt": claim.salt.hex(),
                "kind": int(encoded[claim.name].kind),
                "value": encoded[claim.name].data.hex(),
                "leaf": claim.leaf().hex(),
                "path": [node.hex() for node in disclose(CLAIMS, [claim.name])[0].path],
            }
            for claim in CLAIMS
        },
        "claims root": claims_root(CLAIMS).hex(),
        "seal digest": seal_digest(SEAL).hex(),
        "seal signature, secret 1": SIGNATURE.hex(),
        "log entry": encode_log_entry(ENTRY).hex(),
        "presentation digest": presentation_digest(PRESENTATION).hex(),
        "presentation signature, secret 2": PRESENTED.hex(),
        "seal file": encode_seal_file(SEALED).decode(),
    }


def test_the_pages_vectors_are_what_the_code_makes():
    assert json.loads(PAGE.read_text().partition("```json")[2].partition("```")[0]) == vectors()


def typed(types: dict, domain: dict, message: dict, primary: str) -> bytes:
    data = {"types": types, "primaryType": primary, "domain": domain, "message": message}
    signable = encode_typed_data(full_message=data)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def members(text: str) -> list[dict[str, str]]:
    pairs = (part.split(" ") for part in text.partition("(")[2].rstrip(")").split(","))
    return [{"type": kind, "name": name} for kind, name in pairs]


def test_digests_are_those_of_another_eip_712_library():
    struct = dict(zip([one["name"] for one in members(seal.SEAL_TYPE)], SEAL.members(), strict=True))
    struct["holder"] = "0x" + SEAL.holder.hex()
    domain = {"name": "hutong credential seal", "version": "1"}
    types = {"EIP712Domain": members(seal.DOMAIN_TYPE), "CredentialSeal": members(seal.SEAL_TYPE)}
    assert typed(types, domain, struct, "CredentialSeal") == seal_digest(SEAL)
    gate = PRESENTATION.gate
    shown = {
        "caller": "0x" + PRESENTATION.caller.hex(),
        "nonce": PRESENTATION.nonce,
        "deadline": PRESENTATION.deadline_s,
        "seal": PRESENTATION.seal_digest,
        "call": PRESENTATION.call_hash,
    }
    domain = {
        "name": "hutong seal presentation",
        "version": "1",
        "chainId": gate.chain_id,
        "verifyingContract": "0x" + gate.address.hex(),
    }
    types = {
        "EIP712Domain": members(presentation.DOMAIN_TYPE),
        "SealPresentation": members(presentation.PRESENTATION_TYPE),
    }
    assert typed(types, domain, shown, "SealPresentation") == presentation_digest(PRESENTATION)


def test_attack_N72_a_seal_is_its_issuers_and_no_member_of_it_can_be_changed():
    assert seal_is_signed(SEAL, SIGNATURE, KEY) == seal_digest(SEAL)
    others = (
        replace(SEAL, schema=filled(1)),
        replace(SEAL, issuer=filled(1)),
        replace(SEAL, list_number=4),
        replace(SEAL, index=42),
        replace(SEAL, not_after_s=SEAL.not_after_s + 1),
        replace(SEAL, holder=filled(1, 20)),
        replace(SEAL, claims_root=filled(1)),
    )
    high_s = SIGNATURE[:32] + (2**256 - 1).to_bytes(32, "big") + SIGNATURE[64:]
    forged = [(other, SIGNATURE, KEY) for other in others]
    forged += [(SEAL, SIGNATURE[:64], KEY), (SEAL, high_s, KEY), (SEAL, SIGNATURE[:64] + b"\x00", KEY)]
    forged += [(SEAL, SIGNATURE, record_of(HOLDER_SECRET)), (SEAL, b"", KEY)]
    for changed, signature, key in forged:
        with pytest.raises(PredicateFailed) as caught:
            seal_is_signed(changed, signature, key)
        assert caught.value.predicate == "seal_is_signed"


def test_a_seal_may_be_signed_with_p256_in_its_low_form_alone():
    secret = ec.derive_private_key(5, ec.SECP256R1())
    point = secret.public_key().public_numbers()
    x, y = (number.to_bytes(32, "big") for number in (point.x, point.y))
    key = replace(
        KEY,
        key=PublicKey(KeyAlgorithm.ES256, x, y),
        account=bytes(20),
        use=KeyUse(KeyPurpose.SIGNING, 1),
    )
    signed = secret.sign(seal_digest(SEAL), ec.ECDSA(Prehashed(SHA256())))
    signature = low_s_p256(*decode_dss_signature(signed))
    assert seal_is_signed(SEAL, signature, key) == seal_digest(SEAL)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    high = signature[:32] + (order - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    for wrong in (high, signature[:-1], signature + b"\x1b", bytes(64), SIGNATURE):
        with pytest.raises(PredicateFailed, match="seal_is_signed"):
            seal_is_signed(SEAL, wrong, key)
    with pytest.raises(MalformedInput):
        low_s_p256(0, 1)


def test_attack_N205_an_entry_counts_for_what_it_names_also_where_one_key_signs_both():
    """A P-256 key signs credentials and seals: each is dated by its own place of the entry, as the gate's contract has it."""
    key, jwt, digest = filled(0x66), sha256(b"issuer-signed JWT").digest(), seal_digest(SEAL)
    entry = LogEntry(SEAL.list_number, SEAL.index, Issuance(key, jwt), Issuance(key, digest))

    def judged(of: bytes, *, is_seal: bool) -> Judged:
        return Judged(SEAL.list_number, SEAL.index, Issuance(key, of), KeyPurpose.SIGNING, is_seal=is_seal)

    entry_is_of_what_is_judged(entry, judged(digest, is_seal=True))
    entry_is_of_what_is_judged(entry, judged(jwt, is_seal=False))
    for wrong in (judged(digest, is_seal=False), judged(jwt, is_seal=True)):
        with pytest.raises(PredicateFailed, match="entry_is_of_what_is_judged"):
            entry_is_of_what_is_judged(entry, wrong)


def test_attack_N70_a_presentation_is_for_one_gate_chain_caller_nonce_deadline_seal_and_call():
    holder_signed(SEAL, PRESENTATION, PRESENTED)
    gate = PRESENTATION.gate
    for other in (
        replace(PRESENTATION, gate=Gate(gate.chain_id + 1, gate.address)),
        replace(PRESENTATION, gate=Gate(gate.chain_id, filled(1, 20))),
        replace(PRESENTATION, caller=filled(1, 20)),
        replace(PRESENTATION, nonce=10),
        replace(PRESENTATION, deadline_s=PRESENTATION.deadline_s + 1),
        replace(PRESENTATION, call_hash=filled(1)),
        replace(PRESENTATION, seal_digest=filled(1)),
    ):
        with pytest.raises(PredicateFailed) as caught:
            holder_signed(SEAL, other, PRESENTED)
        assert caught.value.predicate == "holder_signed"
    another = replace(SEAL, index=42)
    with pytest.raises(PredicateFailed, match="another seal"):
        holder_signed(another, PRESENTATION, PRESENTED)
    stolen = sign_account(ISSUER_SECRET, presentation_digest(PRESENTATION))
    with pytest.raises(PredicateFailed, match="another key"):
        holder_signed(SEAL, PRESENTATION, stolen)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.one_of(
    st.booleans(),
    st.integers(-(2**255), 2**255 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.binary(max_size=40),
)
salts = st.binary(min_size=32, max_size=32)
claim_lists = st.lists(
    st.builds(Claim, names, values, salts), min_size=1, max_size=9, unique_by=(lambda c: c.name, lambda c: c.salt)
)


@settings(max_examples=12)
@given(claim_lists, st.data())
def test_attack_N71_chosen_claims_are_shown_and_no_other_value_name_or_salt_passes(claims, data):
    root = claims_root(claims)
    chosen = data.draw(st.lists(st.sampled_from([claim.name for claim in claims]), unique=True))
    by_name = {claim.name: claim for claim in claims}
    for name, shown in zip(chosen, disclose(claims, chosen), strict=True):
        assert claim_is_sealed(shown, root) == by_name[name]
        told = ShownClaim.of(shown.members())
        shown_claim_is_sealed(told, root)
        other = data.draw(values)
        if encode_claim_value(other) != encode_claim_value(shown.claim.value):
            with pytest.raises(PredicateFailed, match="claim_is_sealed"):
                claim_is_sealed(Disclosure(replace(shown.claim, value=other), shown.path), root)
        for forged in (
            replace(shown.claim, name=shown.claim.name + "x"),
            replace(shown.claim, salt=bytes(byte ^ 1 for byte in shown.claim.salt)),
        ):
            with pytest.raises(PredicateFailed, match="claim_is_sealed"):
                claim_is_sealed(Disclosure(forged, shown.path), root)
        with pytest.raises(PredicateFailed, match="claim_is_sealed"):
            claim_is_sealed(Disclosure(shown.claim, (*shown.path[:7], root)), root)


def test_attack_N71_a_node_is_no_claim_and_a_text_no_number():
    """A leaf hashes 66 bytes at least and a node 64, so that no claim can be made of two nodes."""
    claims = CLAIMS[:2]
    assert path_root(claims[0].leaf(), [claims[1].leaf()]) == claims_root(claims)
    word = (1).to_bytes(32, "big")
    texts = [Claim("n", value, filled(1)).leaf() for value in (True, 1, word.decode(), word)]
    assert len(set(texts)) == 4
    for wrong in (
        lambda: Claim("", True, filled(1)),
        lambda: Claim("x" * 129, True, filled(1)),
        lambda: Claim("\ud800", True, filled(1)),
        lambda: Claim("n", "\ud800", filled(1)),
        lambda: Claim("n", 2**255, filled(1)),
        lambda: Claim("n", b"x" * 1_025, filled(1)),
        lambda: Claim("n", 1.5, filled(1)),
        lambda: Claim("n", True, filled(1, 31)),
        lambda: decode_claim_value(0, word),
        lambda: decode_claim_value(5, word),
        lambda: decode_claim_value(1, (2).to_bytes(32, "big")),
        lambda: decode_claim_value(1, b"\x01"),
        lambda: decode_claim_value(2, b"\x01"),
        lambda: decode_claim_value(3, b"\xff"),
        lambda: Disclosure(CLAIMS[0], (filled(1),) * 9),
        lambda: disclose(CLAIMS, ["none"]),
        lambda: replace(SEAL, holder=bytes(20)),
        lambda: replace(SEAL, index=2**20),
        lambda: replace(SEAL, list_number=2**16),
        lambda: replace(SEAL, not_after_s=0),
        lambda: replace(PRESENTATION, nonce=2**256),
        lambda: Gate(0, filled(1, 20)),
        lambda: ShownClaim.of((filled(1), filled(2), 1, word, [filled(3)] * 9)),
    ):
        with pytest.raises(MalformedInput):
            wrong()
    for several in ((), (CLAIMS[0], CLAIMS[0]), (CLAIMS[0], replace(CLAIMS[1], name="age_over_18"))):
        with pytest.raises(PredicateFailed, match="claims_are_distinct"):
            claims_root(several)
    same_salt = (CLAIMS[0], replace(CLAIMS[1], salt=CLAIMS[0].salt))
    with pytest.raises(PredicateFailed, match="a salt stands twice"):
        claims_root(same_salt)


@settings(max_examples=8)
@given(claim_lists)
def test_a_file_is_read_as_it_was_written(claims):
    sealed = replace(SEALED, claims=tuple(claims), seal=replace(SEAL, claims_root=claims_root(claims)))
    assert decode_seal_file(encode_seal_file(sealed)) == sealed


def test_a_file_of_other_claims_or_another_form_is_refused():
    whole = json.loads(encode_seal_file(SEALED))

    def changed(**members):
        return json.dumps({**whole, **members}).encode()

    claim = whole["claims"][0]
    for wrong in (
        changed(version=2),
        changed(version=True),
        changed(extra=1),
        changed(seal={**whole["seal"], "index": "41"}),
        changed(seal={**whole["seal"], "holder": whole["seal"]["holder"].upper()}),
        changed(signature="0x00"),
        changed(key="0x" + " " * 64),
        changed(claims=[{**claim, "value": 1}]),
        changed(claims=[{**claim, "kind": "integer", "value": "01"}]),
        changed(claims=[{**claim, "kind": "integer", "value": "1" * 79}]),
        changed(claims=[{**claim, "kind": "number", "value": "1"}]),
        changed(claims=[claim] * 257),
        b"[]",
        b"\xff",
    ):
        with pytest.raises(MalformedInput):
            decode_seal_file(wrong)
    with pytest.raises(PredicateFailed, match="claims_are_the_seals"):
        decode_seal_file(changed(claims=whole["claims"][1:]))


@settings(max_examples=25)
@given(st.data())
def test_a_changed_byte_is_refused_or_read_as_another_seal(data):
    raw = bytearray(encode_seal_file(SEALED))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = decode_seal_file(bytes(raw))
    except VerificationError:
        return
    assert read == SEALED or (read.seal, read.signature, read.key_thumbprint) != (
        SEAL,
        SIGNATURE,
        SEALED.key_thumbprint,
    )


@settings(max_examples=25)
@given(st.binary(max_size=70))
def test_junk_recovers_to_nobody_that_is_known(junk):
    assert recovered_account(seal_digest(SEAL), junk) != KEY.account
