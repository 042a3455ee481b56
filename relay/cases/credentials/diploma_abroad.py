"""Case 5, education: a diploma of a university that the ministry accredited on the hub, accepted by an employer's contract on e1,
which is shown degree and year alone; and refused once it is revoked."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.city_file import City
from hutong.relay.cases.credentials.desk import MAX_AGE_S, STALE, WAIT_S, Asked, Desk, acceptance, changed_s, schema_of
from hutong.relay.cases.credentials.evidence import mapping_slot, state_credential
from hutong.relay.cases.credentials.seals import Claim, Presented, SealedCredential, issue
from hutong.relay.cases.organisation import Organisation

SCHEMA, POSITION = schema_of("diploma-1"), schema_of("bridge-builder")
DEGREE, YEAR, BORN, VALID_S = "M.Sc. Civil Engineering", 2_031, 12_784, 10**8
SHOWN, MORE = ("degree", "year"), ("degree", "year", "birth_date")
UNIVERSITY = "university"
APPLICATIONS_SLOT = 1
"""`ExampleEmployer.applications`."""


@dataclass(frozen=True)
class Office:
    """An employer's contract on e1, and whoever sends applications there."""

    desk: Desk
    employer: Contract
    applicant: LocalAccount

    def present(
        self, diploma: SealedCredential, by: Organisation, shown: Sequence[str] = SHOWN, nonce: int = 1
    ) -> Presented:
        """A diploma, for the position."""
        asked = Asked(self.employer, "applyFor", ("bytes32",), (POSITION,), self.applicant, nonce)
        return self.desk.present(diploma, by, shown, asked)

    def call(self, presented: Presented, by: Organisation, **changed: Any) -> Any:
        """The application; `changed` are members that are not as they should be."""
        return self.employer.functions.applyFor(acceptance(presented, by, **changed), POSITION)


def graduate(city: City, by: Organisation) -> SealedCredential:
    """A new diploma, at a place of the list that is drawn at random."""
    claims: dict[str, Claim] = {"degree": DEGREE, "year": YEAR, "birth_date": BORN, "name": "Ada"}
    return issue(by, SCHEMA, by.free_index(), claims, city.chain("e1").time_s() + VALID_S)


def run(city: City, diplomas: int, run: CaseRun) -> None:
    """Accept every diploma; try what must be refused; revoke one, and take the other university's accreditation."""
    e1, applicant = city.chain("e1"), city.person(0)
    # an accreditation that was taken back comes back to nobody: another mill in each run
    mill_name = f"mill-{secrets.token_hex(4)}"
    university, mill = city.operator.organisation(UNIVERSITY), city.operator.organisation(mill_name)
    desk = Desk.open(city, e1, applicant)
    employer = e1.deploy(applicant, "ExampleEmployer", desk.cache.address, MAX_AGE_S, SCHEMA)
    office, bought = Office(desk, employer, applicant), graduate(city, mill)
    given = [graduate(city, university) for _ in range(diplomas)]
    shown: list[Presented] = []
    for diploma in given:
        receipt = desk.accepted(run, university, applicant, partial(apply_with, office, diploma, university, shown))
        data = bytes(e1.web3.eth.get_transaction(receipt["transactionHash"])["input"])
        hidden = diploma.salts["birth_date"] not in data and BORN.to_bytes(32, "big") not in data
        run.check("degree and year are accepted, and the birth date is not shown", hidden)
    state_accepted(run, city, office, university, shown)
    refuse(run, city, office, university, given[0])
    # both are taken back, and the mill's is tried, while nobody tells the chain of the other and the longest age passes
    later = city.operator.revoke(UNIVERSITY, int(given[-1].said["index"]))
    city.operator.withdraw_accreditation(mill_name)
    unaccredited(run, city, office, mill, bought)
    revoked(run, city, office, (university, later), given[-1])
    run.evidence.contract("e1", "employer", employer.address)
    run.evidence.values |= {"schema": SCHEMA.hex(), "position": f"0x{POSITION.hex()}"}
    run.evidence.values |= {"university": university.did, "mill": mill.did}
    refused = {"revoked": given[-1].digest.hex(), "unaccredited": bought.digest.hex()}
    run.evidence.conclusion = {"accepted": [[DEGREE, YEAR] for _ in shown]} | refused


def apply_with(office: Office, diploma: SealedCredential, by: Organisation, shown: list[Presented]) -> Any:
    """The application with a presentation made now, which is the last of `shown` then."""
    shown[:] = [one for one in shown if one.credential is not diploma] + [office.present(diploma, by)]
    return office.call(shown[-1], by)


def refuse(run: CaseRun, city: City, office: Office, university: Organisation, diploma: SealedCredential) -> None:
    """What the employer's contract must not take of a university and diplomas that are good."""
    me, other = office.applicant, graduate(city, university)
    again, later = (office.present(diploma, university, nonce=nonce) for nonce in (1, 2))
    good, much = (office.present(other, university, shown) for shown in (SHOWN, MORE))
    (salt, name, kind, _, path), year = other.disclose(*SHOWN)
    better = [(salt, name, kind, b"Ph.D.", path), year]
    for what, call, sender, error in (
        ("a diploma presented twice", office.call(again, university), me, "NonceUsed"),
        ("a diploma that has applied", office.call(later, university), me, "AppliedAlready"),
        ("a better degree", office.call(good, university, disclosures=better), me, "ClaimNotSealed"),
        ("a diploma that shows the birth date too", office.call(much, university), me, "TooMuchShown"),
        ("an application that another sends", office.call(good, university), city.person(1), "HolderNotSigned"),
    ):
        said = office.desk.refused(run, university, sender, call)
        run.refused(what, said == error, said)


def revoked(
    run: CaseRun, city: City, office: Office, both: tuple[Organisation, Organisation], diploma: SealedCredential
) -> None:
    """The university has revoked. Whoever shows the status of before is refused once the longest age has passed, though nobody
    tells the chain; and at once when somebody does, whatever is shown."""
    e1, desk, late, (before, university) = office.desk.chain, office.desk, [], both
    revoked_s = changed_s(city, university)
    old, new = (office.present(diploma, by, nonce=3) for by in both)

    def has_passed() -> bool:
        now_s = e1.time_s()
        late.extend([e1.refusal(office.applicant, office.call(old, before))] if now_s > revoked_s + MAX_AGE_S else [])
        return bool(late)

    city.until("the longest age passes", has_passed, WAIT_S)
    run.refused(f"a revoked diploma, {MAX_AGE_S} s later, though nobody told the chain", late[0] in STALE, late[0])
    desk.sync(run, university)
    for presented, error in ((old, "StatusNotProven"), (new, "CredentialRevoked")):
        said = desk.refused(run, university, office.applicant, office.call(presented, university))
        run.refused("a revoked diploma, of which somebody told it", said == error, said)
    state_credential(run, city, "revoked", desk.records(university), new, "status_is_valid")


def unaccredited(run: CaseRun, city: City, office: Office, mill: Organisation, bought: SealedCredential) -> None:
    """A university whose accreditation the ministry has taken back."""
    office.desk.sync(run, mill, accredited=False)
    presented = office.present(bought, mill)
    said = office.desk.refused(run, mill, office.applicant, office.call(presented, mill), accredited=False)
    run.refused("a diploma of a university without accreditation", said == "AccreditationRevoked", said)
    state_credential(run, city, "unaccredited", office.desk.records(mill), presented, "accreditation_counts")


def state_accepted(run: CaseRun, city: City, office: Office, university: Organisation, shown: list[Presented]) -> None:
    """Each diploma under the hub's records, and what the employer's contract keeps of it."""
    bundle, address = office.desk.records(university), office.employer.address
    slots = [mapping_slot(one.credential.digest, APPLICATIONS_SLOT) for one in shown]
    proof = city.operator.prove("e1", address, slots)
    for at, (one, slot) in enumerate(zip(shown, slots, strict=True)):
        state_credential(run, city, f"diploma-{at:04}", bundle, one)
        run.evidence.own_slot(f"application-{at:04}", address, slot, proof, office.desk.chain.time_s)


CASE = Case(5, "diploma-abroad", "Diploma abroad", Sizes("diplomas", 2, 20), run)
