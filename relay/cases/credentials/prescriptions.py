"""Case 2, health: prescriptions of licensed doctors on p1, which pharmacies on e1 and e2 dispense on by messages over the hub. Both
ask for the same refill in one second: exactly one has it."""

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any

from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.city_file import City
from hutong.relay.cases.credentials.clinic import REFILLS, Clinic, Dispensing, fates_of, name_of
from hutong.relay.cases.credentials.desk import Desk, acceptance, schema_of
from hutong.relay.cases.credentials.evidence import mapping_slot, state_credential
from hutong.relay.cases.credentials.saying import source_of
from hutong.relay.cases.credentials.seals import Presented, SealedCredential, issue
from hutong.relay.cases.organisation import Organisation

SEED, RACES_A_KILL, CHUNK = 2, 20, 20
"""`SEED` fixes who is first to ask, and after how many answers of a full run the relay is killed."""
LICENCE, BOARD = schema_of("doctor-1"), "health-board"
SETTLE_S, LICENCE_AGE_S, VALID_S = 3_600, 60, 10**8
UNDER_SLOT, LEFT_SLOT = 1, 2
"""`ExamplePrescriptions.prescribedUnder` and `left`."""
A_BUNDLE = 100
"""Prescriptions whose two slots one record bundle shows, which has at most 256."""


def run(city: City, races: int, run: CaseRun) -> None:
    """Prescribe; let both pharmacies ask at once for each prescription; then the next refills, and one too many."""
    p1, doctor, board = city.chain("p1"), city.person(1), city.operator.organisation(BOARD)
    desk = Desk.open(city, p1, doctor)
    pharmacist, pharmacies = city.person(2), (city.chain("e1"), city.chain("e2"))
    gate = (desk.cache.address, LICENCE_AGE_S, p1.contracts["mailbox"], p1.contracts["title"], LICENCE)
    sources = [source_of(chain.name, pharmacist) for chain in pharmacies]
    clinic = Clinic(desk, p1.deploy(doctor, "ExamplePrescriptions", *gate, sources), doctor, pharmacist, pharmacies)
    licence = issue(board, LICENCE, board.free_index(), {"name": "Dr. Ada", "field": "general"}, p1.time_s() + VALID_S)
    shown: dict[int, Presented] = {}
    calls = [partial(prescribe, clinic, licence, board, number, shown) for number in range(races)]
    for at in range(0, races, CHUNK):
        desk.accepted(run, board, doctor, calls[at])
        rest = calls[at + 1 : at + CHUNK]
        receipts = p1.receipts([p1.send(doctor, call()) for call in rest])
        run.paid(*(one for one in receipts if one["status"] == 1))
        # what the desk knows may have become too old before the last block of them
        for call in (one for one, receipt in zip(rest, receipts, strict=True) if receipt["status"] != 1):
            desk.accepted(run, board, doctor, call)
    asked, fates = race(run, city, clinic, races)
    won = [fates[at : at + 2].count("delivered") for at in range(0, len(fates), 2)]
    run.check("both pharmacies ask in one second, and exactly one dispenses", won == [1] * races, f"{races} races")
    run.refused("the other of the two", fates.count("refused") == races, f"{races} races")
    # of a prescription that nobody else asks for any more, so that nothing but who asks is wrong
    stranger = clinic.ask(run, [(races - 1, 1, clinic.pharmacies[0])], city.person(3))
    asked += clinic.ask(run, [(0, 1, clinic.pharmacies[0])])
    run.check("refill 2 of 3", ended(city, asked[-1:]) == ["delivered"])
    asked += clinic.ask(run, [(0, 0, chain) for chain in clinic.pharmacies])
    third = sorted(ended(city, asked[-2:]))
    run.check("refill 3 of 3", third[0] == "delivered")
    run.refused("a fourth, for which the other pharmacy asks beside the third", third[1] == "refused")
    run.refused("a refill for a stranger on a pharmacy's chain", ended(city, stranger) == ["refused"])
    run.evidence.message("stranger", city.bundle(stranger[0].packet, SETTLE_S), "refused")
    state(run, city, clinic, shown, asked)
    suspend(run, city, clinic, licence)
    run.evidence.contract("p1", "book", clinic.book.address)
    run.evidence.people["pharmacist"] = pharmacist.address
    run.evidence.values |= {"schema": LICENCE.hex(), "board": board.did, "refills": str(REFILLS)}


def race(run: CaseRun, city: City, clinic: Clinic, races: int) -> tuple[list[Dispensing], list[str]]:
    """Both pharmacies ask for each prescription; what they asked, and how each ended."""
    random, asked = Random(SEED), []  # noqa: S311 - a seed, not a secret
    for at in range(0, races, CHUNK):
        pairs = [(number, random.sample(clinic.pharmacies, 2)) for number in range(at, min(at + CHUNK, races))]
        asked += clinic.ask(run, [(number, REFILLS - 1, chain) for number, both in pairs for chain in both])
    kills = sorted(random.sample(range(2 * races), races // RACES_A_KILL))
    fates = ended(city, asked, left := list(kills))
    if kills:
        run.check("the relay was killed between answers", len(left) < len(kills), f"{len(kills) - len(left)} times")
    return asked, fates


def prescribe(
    clinic: Clinic, licence: SealedCredential, board: Organisation, number: int, shown: dict[int, Presented]
) -> Any:
    """The doctor's call, with a presentation made now, which is then `shown` at that number."""
    asked = clinic.asked(number)
    shown[number] = clinic.desk.present(licence, board, (), asked)
    return asked.call(acceptance(shown[number], board))


def ended(city: City, asked: Sequence[Dispensing], kills: list[int] | None = None) -> list[str]:
    """How each ended, once all have. As soon as so many have as the first of `kills` says, the relay is killed, and that one is
    left out of them: only one that has brought an answer since the last kill, so that none is killed before it has begun."""
    fates: list[str] = []
    killed_at = -1

    def all_ended() -> bool:
        nonlocal killed_at
        fates[:] = fates_of(asked)
        known = sum(map(bool, fates))
        if kills and kills[0] <= known and killed_at < known < len(asked) and city.operator.kill_relay():
            killed_at = known
            kills.pop(0)
        return known == len(asked)

    city.until("each pharmacy has its answer", all_ended, SETTLE_S)
    return fates


def state(run: CaseRun, city: City, clinic: Clinic, shown: dict[int, Presented], asked: Sequence[Dispensing]) -> None:
    """Every message with its end, and of each prescription its licence, and how much is left."""
    evidence, desk, book = run.evidence, clinic.desk, clinic.book
    left, races, fates = {}, len(shown), ended(city, asked)
    for at, (one, fate) in enumerate(zip(asked, fates, strict=True)):
        evidence.message(f"dispensing-{at:04}", city.bundle(one.packet, SETTLE_S), fate)
    for at in range(0, races, A_BUNDLE):
        slots = {
            f"{name}-{number:04}": mapping_slot(name_of(number), slot)
            for number in range(at, min(at + A_BUNDLE, races))
            for name, slot in (("under", UNDER_SLOT), ("left", LEFT_SLOT))
        }
        proof = city.operator.prove("p1", book.address, list(slots.values()))
        for name, slot in slots.items():
            left[name] = evidence.own_slot(name, book.address, slot, proof, desk.chain.time_s)
    state_credential(run, city, "licence", desk.records(city.operator.organisation(BOARD)), shown[races - 1])
    evidence.conclusion = {
        "prescriptions": races,
        "dispensed": fates.count("delivered"),
        "refused": fates.count("refused"),
        "left": [left[f"left-{number:04}"] for number in range(races)],
        "suspended": shown[0].credential.digest.hex(),
    }


def suspend(run: CaseRun, city: City, clinic: Clinic, licence: SealedCredential) -> None:
    """The board takes the doctor's licence away: nothing is prescribed under it any more."""
    board = city.operator.revoke(BOARD, int(licence.said["index"]))
    clinic.desk.sync(run, board)
    shown: dict[int, Presented] = {}
    said = clinic.desk.refused(run, board, clinic.doctor, prescribe(clinic, licence, board, 0, shown))
    run.refused("a prescription of a suspended doctor", said == "CredentialRevoked", said)
    state_credential(run, city, "suspended", clinic.desk.records(board), shown[0], "status_is_valid")


WHY = "a race takes two messages over the hub and their answers"
CASE = Case(2, "prescriptions", "One-time prescription", Sizes("races", 5, 200, WHY), run)
