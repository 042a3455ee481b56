"""The rule of case 21: a licensed carrier's bill went from p1 over e1 to a bank on e2 against its price, and back to the carrier, who
released the cargo against it; customs was shown what is declared alone; a bill that came too late is its exporter's again.
"""

from collections.abc import Sequence

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import encode_abi
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.credentials.credentials_meant import (
    credential_is_meant,
    gate_is_meant,
    mapping_slot,
    nothing_else_is_shown,
)
from hutong.relay.audit.cases.credentials.title_way import (
    AWAY,
    LIVE,
    NOBODY,
    RETIRED,
    Moved,
    Way,
    is_the_same_title,
    judge_move,
    judge_word,
    person_text,
    title_stands_so,
)
from hutong.relay.audit.cases.named import credential_is_there
from hutong.relay.audit.cases.shown import Shown
from hutong.relay.audit.cases.statements import SPEC, ShownCredential
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.services.identity.rules.seals import ClaimValue

CASE = "bill-of-lading"
BILL, LATE = Way("carrier", ("p1", "e1", "e2", "p1")), Way("carrier", ("p1", "e2"))
DECLARED = ("goods_code", "weight_kg")
PAID_SLOT, PRICE_SLOT, DECLARED_SLOT, RELEASED_SLOT = 1, 5, 1, 0
"""Of `ExampleLetterOfCredit.paidFor` and the amount of its terms, `ExampleCustoms.declared`, `ExampleCargo.releasedTo`."""
GIVEN_BACK = 2**256 - 1
SUPPLY_SLOT = (2).to_bytes(32, "big")
"""Of an ERC-20 token; its balances are a mapping at slot 0."""


@rule(SPEC)
def licence_is_the_issuers(licence: ShownCredential, carrier: bytes) -> None:
    """Whoever issued the bill holds the licence.

    Raises:
        PredicateFailed: somebody else holds it.
    """
    holder = licence.statement.seal.holder
    if holder != carrier:
        raise PredicateFailed("licence_is_the_issuers", "is somebody else's", holder, carrier)


@rule(SPEC)
def contract_keeps(word: int, expected: bytes) -> None:
    """A contract's word is this.

    Raises:
        PredicateFailed: it is another.
    """
    if word != int.from_bytes(expected, "big"):
        raise PredicateFailed("contract_keeps", "it keeps another word", hex(word), expected)


@rule(SPEC)
def goods_are_declared(said: Sequence[ClaimValue], digest: bytes) -> bytes:
    """Code and weight of the goods are a text and a number. Returns the hash that customs keeps of them and their manifest.

    Raises:
        PredicateFailed: one is of another type.
    """
    goods, weight = said
    if not (isinstance(goods, str) and type(weight) is int):
        raise PredicateFailed("goods_are_declared", "the code is a text and the weight a number", list(said))
    return keccak256(encode_abi(["bytes32", "string", "int256"], [digest, goods, weight]))


@rule(SPEC)
def price_was_paid(price: int, held: dict[str, int]) -> None:
    """The exporter has the price, the letter of credit nothing, and the bank all the rest: the money of the late bill too.

    Raises:
        PredicateFailed: somebody has more or less.
    """
    expected = {"exporter": price, "letter": 0, "overdue": 0, "bank": held["supply"] - price, "supply": held["supply"]}
    if held != expected or price == 0:
        raise PredicateFailed("price_was_paid", "somebody has more or less", held, expected)


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """See `CaseRule`."""
    bill = _bill(inquiry, shown, trust)
    _late(inquiry, shown, trust)
    licence, manifest = (inquiry.about(name)(credential_is_there, shown, name) for name in ("licence", "manifest"))
    judge = inquiry.about("licence")
    judge(credential_is_meant, licence, trust, "authority", "licence")
    judge(gate_is_meant, licence, trust, "e2", "letter")
    judge(nothing_else_is_shown, licence, ())
    judge(licence_is_the_issuers, licence, trust.person("carrier"))
    judge = inquiry.about("manifest")
    judge(credential_is_meant, manifest, trust, "authority", "manifest")
    judge(gate_is_meant, manifest, trust, "e1", "customs")
    said = judge(nothing_else_is_shown, manifest, DECLARED)
    slot = mapping_slot(bill.content, DECLARED_SLOT)
    word = judge_word(judge, shown, trust, ("declared", "e1", "customs"), slot)
    judge(contract_keeps, word, judge(goods_are_declared, said, manifest.digest))
    price = _money(inquiry.about("money"), shown, trust)
    return {"price": str(price), "declared": list(said), "cargo": bill.content.hex()}


def _bill(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Moved:
    """Shipped, sold and surrendered; paid for and released; away everywhere, and retired at the carrier's."""
    moves = [
        judge_move(inquiry.about(name), shown, trust, BILL, name, at)
        for at, name in enumerate(("shipped", "sold", "surrendered"))
    ]
    letter, cargo = trust.chain("e2").contract("letter"), trust.chain("p1").contract("cargo")
    receivers = (person_text(trust, "exporter"), f"0x{letter.hex()}", f"0x{cargo.hex()}")
    inquiry.about("bill")(is_the_same_title, moves, receivers)
    local = moves[0].local_id
    _stands(inquiry, shown, trust, ("bill", BILL, local), [(AWAY, NOBODY)] * 3 + [(RETIRED, cargo)])
    judge, paid = inquiry.about("bill"), ("paid-bill", "e2", "letter")
    judge(contract_keeps, _slot(judge, shown, trust, paid, PAID_SLOT), BILL.id_at(trust, 2, local))
    slot = mapping_slot(BILL.id_at(trust, 3, local), RELEASED_SLOT)
    judge(contract_keeps, judge_word(judge, shown, trust, ("released", "p1", "cargo"), slot), trust.person("bank"))
    return moves[0]


def _late(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> None:
    """It came to its letter of credit, which gave both back."""
    judge = inquiry.about("late")
    late, overdue = judge_move(judge, shown, trust, LATE, "late", 0), trust.chain("e2").contract("overdue")
    judge(is_the_same_title, [late], [f"0x{overdue.hex()}"])
    stand = [(AWAY, NOBODY), (LIVE, trust.person("exporter"))]
    _stands(inquiry, shown, trust, ("late", LATE, late.local_id), stand)
    word = _slot(judge, shown, trust, ("paid-late", "e2", "overdue"), PAID_SLOT)
    judge(contract_keeps, word, GIVEN_BACK.to_bytes(32, "big"))


def _stands(
    inquiry: Inquiry,
    shown: Shown,
    trust: CaseTrust,
    title: tuple[str, Way, bytes],
    expected: Sequence[tuple[int, bytes]],
) -> None:
    name, way, local_id = title
    for at, (state, holder) in enumerate(expected):
        judge, where = inquiry.about(f"{name}-{at}"), (f"{name}-{at}", way.chains[at], "title")
        word = judge_word(judge, shown, trust, where, way.slot_at(trust, at, local_id))
        judge(title_stands_so, word, state, holder)


def _money(judge: Judge, shown: Shown, trust: CaseTrust) -> int:
    e2 = trust.chain("e2")
    holders = {name: trust.person(name) for name in ("exporter", "bank")}
    holders |= {name: e2.contract(name) for name in ("letter", "overdue")}
    slots = {name: keccak256(bytes(12) + holder + bytes(32)) for name, holder in holders.items()}
    held = {
        name: judge_word(judge, shown, trust, (f"money-{name}", "e2", "money"), slot)
        for name, slot in ({"supply": SUPPLY_SLOT} | slots).items()
    }
    price = _slot(judge, shown, trust, ("price", "e2", "letter"), PRICE_SLOT)
    judge(price_was_paid, price, held)
    return price


def _slot(judge: Judge, shown: Shown, trust: CaseTrust, where: tuple[str, str, str], slot: int) -> int:
    return judge_word(judge, shown, trust, where, slot.to_bytes(32, "big"))
