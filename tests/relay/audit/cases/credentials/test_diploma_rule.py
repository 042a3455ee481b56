"""Case 5 as an auditor judges it: diplomas, what an employer keeps of them, and refusals by the records; and every forgery."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.interface import Height, PredicateFailed
from hutong.light_clients.records import SlotPlace
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.cases import CaseTrust, Shown
from hutong.relay.audit.cases.credentials.diploma_abroad import conclude
from hutong.relay.audit.cases.statements import ShownCredential, ShownState, StateStatement
from hutong.relay.audit.cases.trust import ChainMeant
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.services.identity.rules.seals import Gate, seal_digest
from tests.relay.audit.cases.credentials.sealed_evidence import DIPLOMA, ISSUER, NOW_S, SCHEMA
from tests.relay.services.identity.rules.seals.sample_seals import filled

EMPLOYER, POSITION, MILL = filled(0x77, 20), filled(0x22), filled(0xB1)
CLAIMS = {"degree": "M.Sc.", "year": 2031}


def state_of(name, contract, slot, word, chain_id="7101"):
    statement = StateStatement(name, "b", chain_id, None, SlotPlace(contract, slot), word, Height(0, 7), NOW_S)
    return ShownState(statement, NOW_S, None)


def shown_of(made, name, claims=None, **changed):
    """As `judge_sealed` leaves it."""
    statement = made.statement(name, **changed)
    return ShownCredential(statement, seal_digest(statement.seal), {} if claims is None else claims)


class Applied:
    """What a run leaves, with what a test changes."""

    def __init__(self, **changed):
        second = replace(DIPLOMA, index=9)
        mill = shown_of(replace(DIPLOMA, index=3), "unaccredited", refused_by="accreditation_counts")
        seal = replace(mill.statement.seal, issuer=MILL)
        self.found = {
            "diploma-0000": shown_of(DIPLOMA, "diploma-0000", CLAIMS),
            "diploma-0001": shown_of(second, "diploma-0001", CLAIMS),
            "revoked": shown_of(second, "revoked", refused_by="status_is_valid"),
            "unaccredited": replace(mill, statement=replace(mill.statement, seal=seal), digest=seal_digest(seal)),
        }
        for number in range(2):
            self.apply(number)
        self.found |= changed
        self.values = {"university": f"did:hutong:h:{ISSUER.hex()}", "mill": f"did:hutong:h:{MILL.hex()}"}
        self.values |= {"schema": SCHEMA.hex(), "position": f"0x{POSITION.hex()}"}

    def apply(self, number, position=POSITION, degree="M.Sc.", year=2031, contract=EMPLOYER):
        name = f"application-{number:04}"
        digest = self.found[f"diploma-{number:04}"].digest
        word = keccak256(encode(["bytes32", "string", "int256"], [position, degree, year]))
        self.found[name] = state_of(name, contract, keccak256(digest + (1).to_bytes(32, "big")), word)

    def judged(self):
        trust = CaseTrust("hutong-1", {"e1": ChainMeant("e1", "7101", "x-0", {"employer": EMPLOYER})}, {}, self.values)
        return conclude(Inquiry(lambda _: None), Shown(dict(sorted(self.found.items()))), trust)

    def refusal(self):
        with pytest.raises(PredicateFailed) as caught:
            self.judged()
        return caught.value.predicate


def test_diplomas_that_were_accepted_and_refused():
    place = Applied()
    assert place.judged() == {
        "accepted": [["M.Sc.", 2031]] * 2,
        "revoked": place.found["revoked"].digest.hex(),
        "unaccredited": place.found["unaccredited"].digest.hex(),
    }
    # an accreditation that was taken back twice is gone
    gone = place.found["unaccredited"]
    assert Applied(
        unaccredited=replace(gone, statement=replace(gone.statement, refused_by="accreditation_exists"))
    ).judged()


def altered(place, name, **fields):
    one = place.found[name]
    place.found[name] = replace(one, **{field: value for field, value in fields.items() if field != "statement"})
    if "statement" in fields:
        place.found[name] = replace(place.found[name], statement=replace(one.statement, **fields["statement"]))
    return place.refusal()


def test_attack_N192_another_degree_than_the_contract_keeps_or_more_than_it_may_know():
    for changed in ({"degree": "Ph.D."}, {"year": 2030}, {"position": filled(0x23)}):
        place = Applied()
        place.apply(1, **changed)
        assert place.refusal() == "application_is_of_the_diploma", changed
    more = CLAIMS | {"birth_date": 4_000}
    assert altered(Applied(), "diploma-0000", claims=more) == "nothing_else_is_shown"
    assert altered(Applied(), "diploma-0000", claims={"degree": "M.Sc."}) == "nothing_else_is_shown"
    other_types = {"degree": 1, "year": "2031"}
    assert altered(Applied(), "diploma-0000", claims=other_types) == "application_is_of_the_diploma"


def test_attack_N192_another_issuer_schema_hub_gate_or_place():
    seal = DIPLOMA.statement().seal
    for name in ("diploma-0000", "revoked", "unaccredited"):
        for changed in (
            {"seal": replace(seal, issuer=filled(0xC1))},
            {"seal": replace(seal, schema=filled(0x45))},
            {"chain_id": "hutong-2"},
        ):
            assert altered(Applied(), name, statement=changed) == "credential_is_meant"
    gate = replace(DIPLOMA.statement().presentation, gate=Gate(7_102, EMPLOYER))
    assert altered(Applied(), "diploma-0001", statement={"presentation": gate}) == "gate_is_meant"
    place = Applied()
    place.apply(0, contract=filled(0x78, 20))
    assert place.refusal() == "slot_is_meant"
    place = Applied()
    place.found["application-0000"] = replace(place.found["application-0001"])
    assert place.refusal() == "slot_is_meant"
    place = Applied()
    place.values = {}
    with pytest.raises(MissingTrust):
        place.judged()


def test_attack_N192_refusals_of_other_diplomas_and_a_diploma_counted_twice():
    refused = Applied().found["revoked"].statement
    assert altered(Applied(), "revoked", statement={"refused_by": None}) == "refused_as_meant"
    assert altered(Applied(), "unaccredited", statement={"refused_by": "status_is_valid"}) == "refused_as_meant"
    stranger = shown_of(replace(DIPLOMA, index=77), "revoked", refused_by="status_is_valid")
    assert Applied(revoked=stranger).refusal() == "revoked_was_accepted_before"
    place = Applied()
    place.found["diploma-0001"] = place.found["diploma-0000"]
    place.apply(1)
    assert place.refusal() == "diplomas_are_distinct"
    place = Applied()
    place.found["diploma-0002"] = place.found.pop("diploma-0001")
    assert place.refusal() == "statements_are_numbered"
    for name in ("revoked", "unaccredited", "application-0001"):
        place = Applied()
        del place.found[name]
        assert place.refusal() == "statement_is_there", name
    assert refused.refused_by == "status_is_valid"
