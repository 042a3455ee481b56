"""The rule of case 15: every trip of a day is its rider's and told once; what licensed operators reported of it is what a recount
says, and they have been paid exactly what is net of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto import keccak256, recover_eth_address
from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.ibc.transfer import TRANSFER_PORT, decode_transfer
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.audit.cases.anchored import window_is_whole
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.credentials.credentials_meant import (
    credential_is_meant,
    gate_is_meant,
    nothing_else_is_shown,
)
from hutong.relay.audit.cases.credentials.title_way import judge_word
from hutong.relay.audit.cases.named import credential_is_there, message_is_there
from hutong.relay.audit.cases.shown import Shown, message_is_between
from hutong.relay.audit.cases.spoken import spoken
from hutong.relay.audit.cases.statements import SPEC, Fate, ShownCredential, ShownMessage
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.services.identity.rules.seals import ClaimValue

CASE = "one-ticket"
OPERATORS, CHAINS, CLEARING = ("metro", "bus", "bikes"), ("p1", "e2", "l"), "e1"
ACCOUNT_SLOT, SOURCE_SLOT, SUPPLY_SLOT = 1, 4, 2
"""Of `ExampleClearing.accounts` and `sources`, one word an operator; of an ERC-20 token."""
SAID_BYTES, TRIP_BYTES, ADDRESS_BYTES = 29, 94, 20
_REPORT = ["uint256", "bytes32", "uint64", "int256[3]"]
REPORT_BYTES, MAX_DEPOSIT_DIGITS = 192, 30


@dataclass(frozen=True, slots=True)
class Report:
    """What an operator told of a day (days since 1970): root and number of its batches, and fares owed for riders of each."""

    day: int
    root: bytes
    batches: int
    owed: tuple[int, ...]


@rule(SPEC)
def operator_reported(message: ShownMessage, trust: CaseTrust, place: int, fate: Fate) -> Report:
    """The operator told the clearing that the reader means, and the message ended so.

    Raises:
        PredicateFailed: it is of another sender, to another receiver, or ended otherwise.
        MalformedInput: it cannot be read.
        MissingTrust: the reader does not say who and which.
    """
    sender, receiver, payload = spoken(message, "operator_reported")
    got = (sender, receiver.lower(), message.statement.fate)
    clearing = trust.chain(CLEARING).contract("clearing")
    expected = (f"0x{trust.person(OPERATORS[place]).hex()}", f"0x{clearing.hex()}", fate)
    if got != expected:
        raise PredicateFailed("operator_reported", "is of another, to another, or ended otherwise", got, expected)
    day, root, batches, owed = decode_canonical(_REPORT, payload, "report", REPORT_BYTES)
    return Report(day, bytes(root), batches, tuple(owed))


@rule(SPEC)
def reports_are_of_one_day(reports: Sequence[Report]) -> int:
    """All are of one day. Returns it.

    Raises:
        PredicateFailed: one is of another.
    """
    days = {report.day for report in reports}
    if len(days) != 1:
        raise PredicateFailed("reports_are_of_one_day", "of several days", sorted(days))
    return reports[0].day


@rule(SPEC)
def trips_are_their_riders(day: int, carrier: int, batches: Sequence[bytes]) -> list[bytes]:
    """Each trip was signed by the key of its rider's id, for this day and this carrier. Returns what they say, without signatures.

    Raises:
        PredicateFailed: one was not, or a batch is not whole trips.
    """
    said: list[bytes] = []
    head = b"one ticket" + day.to_bytes(8, "big") + bytes([carrier])
    for number, batch in enumerate(batches):
        if not batch or len(batch) % TRIP_BYTES:
            raise PredicateFailed("trips_are_their_riders", f"batch {number} is no trips", len(batch), TRIP_BYTES)
        for at in range(0, len(batch), TRIP_BYTES):
            trip, signature = batch[at : at + SAID_BYTES], batch[at + SAID_BYTES : at + TRIP_BYTES]
            signer = recover_eth_address(keccak256(head + trip), signature)
            if signer != trip[:ADDRESS_BYTES]:
                raise PredicateFailed(
                    "trips_are_their_riders", f"a trip of batch {number}", signer, trip[:ADDRESS_BYTES]
                )
            said.append(trip)
    return said


@rule(SPEC)
def no_trip_is_told_twice(trips: Sequence[bytes]) -> None:
    """No rider rides twice with one operator in one second.

    Raises:
        PredicateFailed: one does.
    """
    once = {trip[:ADDRESS_BYTES] + trip[21:25] for trip in trips}
    if len(once) != len(trips):
        raise PredicateFailed("no_trip_is_told_twice", "a trip stands twice", len(trips), len(once))


@rule(SPEC)
def shares_are_recounted(report: Report, trips: Sequence[bytes]) -> None:
    """What the operator is owed for the riders of each is the sum of their fares.

    Raises:
        PredicateFailed: it is more or less, or a ticket was sold by nobody.
    """
    owed = [0] * len(OPERATORS)
    for trip in trips:
        home = trip[ADDRESS_BYTES]
        if home >= len(owed):
            raise PredicateFailed("shares_are_recounted", "a ticket that nobody sold", home)
        owed[home] += int.from_bytes(trip[25:29], "big")
    if report.owed != tuple(owed):
        raise PredicateFailed("shares_are_recounted", "other shares were reported", report.owed, owed)


@rule(SPEC)
def place_is_the_operators(account: int, source: int, operator: bytes, chain: str) -> None:
    """The clearing pays the operator's account, and hears it from its chain alone.

    Raises:
        PredicateFailed: another account, or another source.
    """
    told = encode_abi(["string", "string"], [chain, f"0x{operator.hex()}"])
    got = (account, source)
    expected = (int.from_bytes(operator, "big"), int.from_bytes(keccak256(told), "big"))
    if got != expected:
        raise PredicateFailed("place_is_the_operators", "is another's", got, expected)


@rule(SPEC)
def licence_is_of_the_operator(said: tuple[ClaimValue, ...], operator: str) -> None:
    """The licence names the operator: the clearing gives each name one place.

    Raises:
        PredicateFailed: it names another.
    """
    if said != (operator,):
        raise PredicateFailed("licence_is_of_the_operator", "names another operator", said, operator)


@rule(SPEC)
def presented_by_the_operator(licence: ShownCredential, operator: bytes) -> None:
    """The operator's account presented the licence.

    Raises:
        PredicateFailed: another did.
    """
    caller = licence.statement.presentation.caller
    if caller != operator:
        raise PredicateFailed("presented_by_the_operator", "another presented it", caller, operator)


@rule(SPEC)
def share_came_home(message: ShownMessage, trust: CaseTrust) -> int:
    """The metro's share went home as the money that the reader means, and arrived. Returns how much.

    Raises:
        PredicateFailed: it is no transfer of that money to the metro, or did not arrive.
        MalformedInput: it cannot be read.
        MissingTrust: the reader does not say which money, or who the metro is.
    """
    said, metro = message.said, f"0x{trust.person(OPERATORS[0]).hex()}"
    data = decode_transfer(said.value, said.encoding)
    money = f"0x{trust.chain(CLEARING).contract('money').hex()}"
    got = (message.statement.fate, said.source_port, data.denom, data.receiver.lower())
    expected = (Fate.DELIVERED, TRANSFER_PORT, money, metro)
    if got != expected:
        raise PredicateFailed("share_came_home", "is of another, or did not arrive", got, expected)
    return data.amount


@rule(SPEC)
def deposit_is_meant(trust: CaseTrust) -> int:
    """What each operator had, as the reader says.

    Raises:
        PredicateFailed: it is no number.
        MissingTrust: it is not said.
    """
    text = trust.value("deposit")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DEPOSIT_DIGITS):
        raise PredicateFailed("deposit_is_meant", "is no amount", text)
    return int(text)


@rule(SPEC)
def net_was_paid(held: Sequence[int], supply: int, deposit: int, net: Sequence[int]) -> None:
    """Each has its deposit and what is net, and there is no other money.

    Raises:
        PredicateFailed: somebody has more or less.
    """
    got, expected = (list(held), supply), ([deposit + one for one in net], deposit * len(net))
    if got != expected:
        raise PredicateFailed("net_was_paid", "somebody has more or less", got, expected)


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    reports, count = [], 0
    for place, name in enumerate(OPERATORS):
        judge = inquiry.about(name)
        reports.append(_reported(judge, shown, trust, f"report-{name}", place, Fate.DELIVERED))
        trips = _trips(judge, shown, reports[-1], place)
        judge(shares_are_recounted, reports[-1], trips)
        _licensed(judge, shown, trust, place)
        count += len(trips)
    day = inquiry.about("reports")(reports_are_of_one_day, reports)
    again = _reported(inquiry.about("second report"), shown, trust, "second-report", 1, Fate.REFUSED)
    inquiry.about("second report")(reports_are_of_one_day, [*reports, again])
    owed = [list(report.owed) for report in reports]
    net = [sum(owed[one]) - sum(of[one] for of in owed) for one in range(len(owed))]
    judge = inquiry.about("money")
    home = judge(message_is_there, shown, "home")
    judge(message_is_between, home, trust, CLEARING, CHAINS[0])
    moved = judge(share_came_home, home, trust)
    held = [_word(judge, shown, trust, f"money-{name}", _balance(trust, name)) for name in OPERATORS]
    supply = _word(judge, shown, trust, "money-supply", SUPPLY_SLOT.to_bytes(32, "big"))
    judge(net_was_paid, [held[0] + moved, *held[1:]], supply, judge(deposit_is_meant, trust), net)
    return {"day": day, "trips": count, "owed": owed, "net": net}


def _reported(judge: Judge, shown: Shown, trust: CaseTrust, name: str, place: int, fate: Fate) -> Report:
    message = judge(message_is_there, shown, name)
    judge(message_is_between, message, trust, CHAINS[place], CLEARING)
    return judge(operator_reported, message, trust, place, fate)


def _trips(judge: Judge, shown: Shown, report: Report, place: int) -> list[bytes]:
    name = OPERATORS[place]
    said = judge(message_is_there, shown, f"report-{name}").said.value
    batches = judge(window_is_whole, shown, name, f"report-{name}", report.batches, said.index(report.root))
    trips = judge(trips_are_their_riders, report.day, place, batches)
    judge(no_trip_is_told_twice, trips)
    return trips


def _licensed(judge: Judge, shown: Shown, trust: CaseTrust, place: int) -> None:
    name = OPERATORS[place]
    operator, licence = trust.person(name), judge(credential_is_there, shown, f"licence-{name}")
    judge(credential_is_meant, licence, trust, "authority", "schema")
    judge(gate_is_meant, licence, trust, CLEARING, "clearing")
    judge(licence_is_of_the_operator, judge(nothing_else_is_shown, licence, ("name",)), name)
    judge(presented_by_the_operator, licence, operator)
    account, source = (
        judge_word(judge, shown, trust, (f"{part}-{name}", CLEARING, "clearing"), (slot + place).to_bytes(32, "big"))
        for part, slot in (("account", ACCOUNT_SLOT), ("source", SOURCE_SLOT))
    )
    judge(place_is_the_operators, account, source, operator, CHAINS[place])


def _word(judge: Judge, shown: Shown, trust: CaseTrust, name: str, slot: bytes) -> int:
    return judge_word(judge, shown, trust, (name, CLEARING, "money"), slot)


def _balance(trust: CaseTrust, name: str) -> bytes:
    return keccak256(bytes(12) + trust.person(name) + bytes(32))
