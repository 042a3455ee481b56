"""The rule of case 2: of each prescription every refill was dispensed once, in order, by whichever pharmacy was first; whoever asked
for one that was spent was refused. All were prescribed under one licence, which was good then and is suspended now.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.credentials.credentials_meant import (
    credential_is_meant,
    gate_is_meant,
    mapping_slot,
    nothing_else_is_shown,
    refused_as_meant,
)
from hutong.relay.audit.cases.credentials.title_way import person_text
from hutong.relay.audit.cases.named import credential_is_there, message_is_there, state_is_there
from hutong.relay.audit.cases.numbered import statements_are_numbered
from hutong.relay.audit.cases.shown import Shown, slot_is_meant
from hutong.relay.audit.cases.spoken import spoken
from hutong.relay.audit.cases.statements import SPEC, Fate, ShownMessage
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

CASE = "prescriptions"
CHAIN, BOOK, BOARD, SCHEMA, PHARMACIES = "p1", "book", "board", "schema", ("e1", "e2")
PHARMACIST, STRANGER = "pharmacist", "stranger"
UNDER_SLOT, LEFT_SLOT = 1, 2
"""Of `ExamplePrescriptions`, after the nonces of its gate."""
MAX_REFILLS = 1_000


@dataclass(frozen=True, slots=True)
class Dispensed:
    """A pharmacy asked to dispense on a prescription, so that this many are left."""

    prescription: int
    leaves: int
    arrived: bool


@rule(SPEC)
def pharmacy_asked(message: ShownMessage, trust: CaseTrust) -> Dispensed:
    """The message went from the pharmacist on a pharmacy's chain to the book that the reader means, which took it or refused it.

    Raises:
        PredicateFailed: it is somebody else's, it went elsewhere, or it timed out.
        MalformedInput: it cannot be read.
        MissingTrust: the reader does not say which book, chains or pharmacist.
    """
    name = "pharmacy_asked"
    sender, came, payload = _asked_of(message, trust, name)
    got = (came, sender == person_text(trust, PHARMACIST), message.statement.fate is not Fate.TIMED_OUT)
    if got != (True, True, True):
        raise PredicateFailed(name, "is of another or elsewhere, or timed out", got, sender)
    prescription, leaves = decode_canonical(["bytes32", "uint128"], payload, "dispensing", 64)
    return Dispensed(int.from_bytes(prescription, "big"), leaves, message.statement.fate is Fate.DELIVERED)


@rule(SPEC)
def stranger_was_refused(message: ShownMessage, trust: CaseTrust) -> None:
    """Somebody who is not the pharmacist asked the book from a pharmacy's chain, and it refused.

    Raises:
        PredicateFailed: it is the pharmacist's, it went elsewhere, or it was not refused.
        MalformedInput: it cannot be read.
        MissingTrust: the reader does not say which book, chains or pharmacist.
    """
    name = "stranger_was_refused"
    sender, came, _ = _asked_of(message, trust, name)
    got = (came, sender != person_text(trust, PHARMACIST), message.statement.fate is Fate.REFUSED)
    if got != (True, True, True):
        raise PredicateFailed(name, "is the pharmacist's or elsewhere, or was not refused", got, sender)


def _asked_of(message: ShownMessage, trust: CaseTrust, name: str) -> tuple[str, bool, bytes]:
    """Who asked, whether from a pharmacy's chain at the book, and what."""
    p1, sources = trust.chain(CHAIN), [trust.chain(chain).chain_id for chain in PHARMACIES]
    source, destination = message.chain_ids
    sender, receiver, payload = spoken(message, name)
    here = (destination, receiver.lower()) == (p1.chain_id, f"0x{p1.contract(BOOK).hex()}")
    return sender, here and source in sources, payload


@rule(SPEC)
def refills_are_meant(trust: CaseTrust) -> int:
    """How often each prescription may be dispensed on, as the reader says.

    Raises:
        PredicateFailed: it is no such number.
        MissingTrust: it is not said.
    """
    text = trust.value("refills")
    if not (text.isascii() and text.isdigit() and len(text) < len(str(MAX_REFILLS)) and int(text)):
        raise PredicateFailed("refills_are_meant", "is no number of refills", text)
    return int(text)


@rule(SPEC)
def each_refill_is_dispensed_once(asked: Sequence[Dispensed], prescription: int, refills: int, left: int) -> None:
    """What arrived of a prescription left one less each time, down to what the book says is left: none twice, none beside.

    Raises:
        PredicateFailed: a refill was dispensed twice, or left out, or the book has another number.
    """
    got = sorted((one.leaves for one in asked if one.prescription == prescription and one.arrived), reverse=True)
    expected = list(range(refills - 1, left - 1, -1))
    if got != expected:
        raise PredicateFailed("each_refill_is_dispensed_once", f"of prescription {prescription}", got, expected)


@rule(SPEC)
def refused_were_spent(asked: Sequence[Dispensed]) -> None:
    """Whoever was refused asked for a refill that somebody else had.

    Raises:
        PredicateFailed: nobody had it.
    """
    had = {(one.prescription, one.leaves) for one in asked if one.arrived}
    for one in asked:
        if not one.arrived and (one.prescription, one.leaves) not in had:
            raise PredicateFailed("refused_were_spent", "was refused, and nobody had it", one)


@rule(SPEC)
def every_prescription_is_shown(asked: Sequence[Dispensed], count: int) -> None:
    """Messages are of the prescriptions 0 to `count` - 1, each of which was asked for.

    Raises:
        PredicateFailed: one is of another, or one was not asked for.
    """
    got = sorted({one.prescription for one in asked})
    if got != list(range(count)):
        raise PredicateFailed("every_prescription_is_shown", "other prescriptions", got, count)


@rule(SPEC)
def prescribed_under_the_licence(word: int, digest: bytes) -> None:
    """The book names the licence's seal.

    Raises:
        PredicateFailed: another, or none.
    """
    if word.to_bytes(32, "big") != digest:
        raise PredicateFailed("prescribed_under_the_licence", "under another licence", word, digest)


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    messages = {name: one for name, one in shown.of_kind(ShownMessage).items() if name != STRANGER}
    judge = inquiry.about(STRANGER)
    judge(stranger_was_refused, judge(message_is_there, shown, STRANGER), trust)
    inquiry.about("dispensing")(statements_are_numbered, messages, "dispensing")
    asked = [inquiry.about(name)(pharmacy_asked, message, trust) for name, message in messages.items()]
    digest = _licence(inquiry.about("licence"), shown, trust)
    refills = inquiry.about("prescriptions")(refills_are_meant, trust)
    count = sum(name.startswith("left-") for name in shown.statements)
    inquiry.about("prescriptions")(every_prescription_is_shown, asked, count)
    left = []
    for number in range(count):
        judge = inquiry.about(f"prescription {number}")
        judge(prescribed_under_the_licence, _word(judge, shown, trust, ("under", UNDER_SLOT), number), digest)
        left.append(_word(judge, shown, trust, ("left", LEFT_SLOT), number))
        judge(each_refill_is_dispensed_once, asked, number, refills, left[-1])
    inquiry.about("dispensing")(refused_were_spent, asked)
    return {
        "prescriptions": count,
        "dispensed": sum(one.arrived for one in asked),
        "refused": sum(not one.arrived for one in asked),
        "left": left,
        "suspended": digest.hex(),
    }


def _word(judge: Judge, shown: Shown, trust: CaseTrust, kind: tuple[str, int], number: int) -> int:
    name, slot = kind
    state = judge(state_is_there, shown, f"{name}-{number:04}")
    return judge(slot_is_meant, state, trust, CHAIN, BOOK, mapping_slot(number.to_bytes(32, "big"), slot))


@rule(SPEC)
def suspended_is_the_licence(suspended: str, digest: bytes) -> None:
    """What is suspended is the licence under which was prescribed.

    Raises:
        PredicateFailed: it is another one.
    """
    if suspended != digest.hex():
        raise PredicateFailed("suspended_is_the_licence", "is another licence", suspended, digest)


def _licence(judge: Judge, shown: Shown, trust: CaseTrust) -> bytes:
    licence, suspended = (judge(credential_is_there, shown, name) for name in ("licence", "suspended"))
    for one in (licence, suspended):
        judge(credential_is_meant, one, trust, BOARD, SCHEMA)
        judge(gate_is_meant, one, trust, CHAIN, BOOK)
    judge(nothing_else_is_shown, licence, ())
    judge(suspended_is_the_licence, judge(refused_as_meant, suspended, ["status_is_valid"]), licence.digest)
    return licence.digest
