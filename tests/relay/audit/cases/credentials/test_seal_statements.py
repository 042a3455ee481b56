"""Statements of credentials: what an auditor finds of a seal under the hub's records, and every forgery of it."""

import json
from dataclasses import replace

import pytest

from hutong.light_clients.interface import MalformedInput
from hutong.relay.audit.cases import decode_evidence, encode_evidence
from hutong.relay.audit.cases.statements import NamedClaim
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import AccreditationState
from hutong.relay.services.identity.rules.seals import Gate, ShownClaim, disclose, sign_account
from hutong.relay.services.identity.rules.status.chunk_tree import layers_of, prove_chunk
from tests.relay.audit.cases.credentials.sealed_evidence import (
    ANY,
    DIPLOMA,
    ISSUER,
    NOW_S,
    ROOT,
    SHAPE,
    accredited,
    claimed,
    evidence,
    octets,
    records,
    refusal,
)
from tests.relay.services.identity.rules.seals.sample_seals import filled

SHOWN = {"diploma": {"degree": "M.Sc.", "year": 2031}}
FORGER_SECRET = (4).to_bytes(32, "big")


def test_a_credential_that_holds_shows_chosen_claims_alone():
    assert refusal(DIPLOMA.statement(), **SHOWN) is None
    made, _ = evidence(DIPLOMA.statement(), **SHOWN)
    data = encode_evidence(made)
    assert json.loads(data)["version"] == 2 and decode_evidence(data) == made
    assert b"birth_date" not in data and (4_000).to_bytes(32, "big").hex().encode() not in data


def test_attack_N190_a_byte_of_a_credentials_evidence_changed_turns_the_verdict():
    made, auditor = evidence(DIPLOMA.statement(), **SHOWN)
    data, accepted = encode_evidence(made), []
    assert auditor.audit(data).is_valid
    begin = data.index(b'"statements"')
    for place in [*range(begin, len(data), 37), *range(0, begin, 1_501)]:
        try:
            if auditor.audit(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]).is_valid:
                accepted.append(place)
        except Exception as error:  # noqa: BLE001 - a name of a chain that nobody trusts is no verdict either
            assert type(error).__name__ in ("MissingTrust", "MalformedInput")
    assert accepted == []


def better_grade():
    """A claim of the forger's own, with the path of the true one."""
    statement = DIPLOMA.statement()
    (true, year), (forged, *_) = statement.claims, disclose(claimed({"degree": "Ph.D."}), ["degree"])
    shown = ShownClaim.of(forged.members())
    return replace(statement, claims=(NamedClaim("degree", replace(shown, path=true.shown.path)), year))


FORGED = {
    "another value under the true path": (better_grade, "shown_claim_is_sealed"),
    "a claim under another name": (
        lambda: replace(DIPLOMA.statement(), claims=(NamedClaim("grade", DIPLOMA.statement().claims[0].shown),)),
        "shown_claim_is_sealed",
    ),
    "a claim twice": (
        lambda: replace(DIPLOMA.statement(), claims=DIPLOMA.statement().claims[:1] * 2),
        "claims_are_named_once",
    ),
    "a seal of the forger's": (
        lambda: replace(DIPLOMA, issuer_secret=FORGER_SECRET).statement(),
        "seal_is_signed",
    ),
    "a holder who did not sign": (
        lambda: DIPLOMA.statement(presented=sign_account(FORGER_SECRET, filled(0x12))),
        "holder_signed",
    ),
    "another gate": (
        lambda: replace(
            DIPLOMA.statement(),
            presentation=replace(DIPLOMA.statement().presentation, gate=Gate(7_102, filled(0x77, 20))),
        ),
        "holder_signed",
    ),
    "a chunk in which nothing is revoked": (
        lambda: replace(DIPLOMA, revoked=(700,)).statement(),
        "chunk_stands_under_root",
    ),
    "another time": (lambda: DIPLOMA.statement(time_s=NOW_S - 1), "records_are_of_the_hub"),
    "another hub": (lambda: DIPLOMA.statement(chain_id="hutong-2"), "records_are_of_the_hub"),
}


@pytest.mark.parametrize("name", FORGED)
def test_attack_N190_a_credential_altered_consistently(name):
    make, expected = FORGED[name]
    found = refusal(make(), **SHOWN)
    assert found == expected


def test_attack_N190_records_left_out():
    """Of an issuer a key, the list, a level of its accreditation: whoever shows the rest is refused."""
    held = records()
    for key in (
        keys.list_key(ISSUER, 0),
        keys.accreditation_key(ROOT, ANY),
        keys.did_key(ROOT),
        keys.epoch_key(ISSUER),
    ):
        less = {other: value for other, value in held.items() if other != key}
        assert refusal(DIPLOMA.statement(), held=less, **SHOWN) in ("record_is_shown", "accreditation_holds"), key
    prefix = keys.key_prefix(ISSUER)
    for key in [one for one in held if one.startswith(prefix)]:
        less = {other: value for other, value in held.items() if other != key}
        assert refusal(DIPLOMA.statement(), held=less, **SHOWN) == "every_key_is_shown"


def test_attack_N191_a_refusal_that_the_records_do_not_show():
    """Whoever says that a good credential was refused, or that another rule refused it, is refused; a true refusal holds."""
    revoked = replace(DIPLOMA, revoked=(5,))
    told = revoked.statement(refused_by="status_is_valid")
    assert refusal(told, held=records(5), diploma="status_is_valid") is None
    assert refusal(revoked.statement(), held=records(5), **SHOWN) == "status_is_valid"
    good = DIPLOMA.statement(refused_by="status_is_valid")
    assert refusal(good, diploma="status_is_valid") == "refused_by_the_rule"
    assert refusal(replace(told, refused_by="accreditation_exists"), held=records(5), **SHOWN) == "refused_by_the_rule"
    withdrawn = records() | {keys.accreditation_key(ISSUER, ANY): accredited(ROOT, 0, AccreditationState.REVOKED)}
    rogue = DIPLOMA.statement(refused_by="accreditation_counts")
    assert refusal(rogue, held=withdrawn, diploma="accreditation_counts") is None
    assert refusal(DIPLOMA.statement(), held=withdrawn, **SHOWN) == "accreditation_holds"
    other = replace(DIPLOMA, revoked=(5,)).statement(status=prove_chunk(layers_of(SHAPE, octets(5)), 3))
    assert refusal(other, held=records(5), **SHOWN) == "chunk_stands_under_root"
    # bits of a list that the records do not have say nothing of it
    assert refusal(told, held=records(), diploma="status_is_valid") == "refused_by_the_rule"


def test_a_seal_statement_out_of_its_form_is_refused_by_its_field():
    made, _ = evidence(DIPLOMA.statement(), **SHOWN)
    for change in (
        {"refused_by": "seal_is_signed"},
        {"signature": "AA=A"},
        {"time_s": -1},
        {"chunk": "AAAA"},
        {"claims": [{"name": "x"}]},
        {"presentation": {}},
        {"seal": None},
        {"siblings": ["AAAA"]},
    ):
        document = json.loads(encode_evidence(made))
        document["statements"][0] |= change
        with pytest.raises(MalformedInput):
            decode_evidence(json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    document = json.loads(encode_evidence(made)) | {"version": 1}
    with pytest.raises(MalformedInput):
        decode_evidence(json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n")
