"""Case 23, green certificates: tokens and certificates for no more energy than was metered, each kWh in one of them, on one chain.

Shown: the feed's slot on p1 and on e1 with the signed reports that made it; the registry's words on e1 (tokens, kWh in
certificates, tokens that `Transfer` keeps) and what there is of the token on e2, with the sale that brought it there; for each
certificate that was claimed, the title that arrived on e2 and was retired there, and its state on e1. The reader says the feed's
id and the contracts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.feeds import Round
from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.ibc.transfer import TRANSFER_PORT, TRANSFER_VERSION, decode_transfer
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.audit.cases.conclusion import Conclusion
from hutong.relay.audit.cases.feeds_meant import (
    id_is_given,
    report_is_of_the_feed,
    reports_made_what_stands,
    standing_round,
)
from hutong.relay.audit.cases.named import message_is_there, report_is_there, state_is_there
from hutong.relay.audit.cases.numbered import statements_are_numbered
from hutong.relay.audit.cases.shown import Shown, message_is_between, slot_is_meant
from hutong.relay.audit.cases.statements import SPEC, Fate, ShownMessage, ShownState
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

CASE = "green-certificates"
METERS_CHAIN, REGISTRY_CHAIN, BUYER_CHAIN = "p1", "e1", "e2"
BALANCES_SLOT, SUPPLY_SLOT, CERTIFIED_SLOT = bytes(32), (2).to_bytes(32, "big"), (5).to_bytes(32, "big")
"""Of an ERC-20 token, and after its own words what `ExampleGreenRegistry` has put into certificates."""
TITLES_SLOT = 1
"""Of `Title`'s mapping of documents; before it are the authority and the pause."""
TITLE_PORT, TITLE_VERSION = "title", "hutong-title-1"
AWAY, RETIRED = 3, 5
"""`TitleState`, the lowest byte of a document's first word."""
MAX_MOVE_BYTES = 16_384
_MOVE = "(bool,string,string,bytes32,bytes32,string,string,bytes)"
_ID_TYPES = ("string", "string", "bytes32")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A certificate that arrived on the buyer's chain: its local id (32 bytes), its kWh, and its ids on both chains."""

    local_id: bytes
    kwh: int
    id_at_registry: bytes
    id_at_buyer: bytes


@rule(SPEC)
def certificate_moved(message: ShownMessage, trust: CaseTrust) -> Claimed:
    """The message moved a title of the registry that the reader means, and arrived.

    Raises:
        PredicateFailed: it is no move, did not arrive, or is of another issuer's title or one from elsewhere.
        MalformedInput: it is not a payload of titles.
        MissingTrust: the reader does not say which registry is meant.
    """
    name, said = "certificate_moved", message.said
    moved = (message.statement.fate, said.source_port, said.destination_port, said.version)
    if moved != (Fate.DELIVERED, TITLE_PORT, TITLE_PORT, TITLE_VERSION):
        raise PredicateFailed(name, "is no title that arrived", moved)
    ((home, trace, issuer, local_id, content, *_),) = decode_canonical([_MOVE], said.value, "move", MAX_MOVE_BYTES)
    registry = _registry(trust)
    if home or trace or issuer != registry:
        raise PredicateFailed(name, "is no certificate of the registry", (home, trace, issuer), (False, "", registry))
    route = f"{_hub_client_at_buyer(trust)}>{trust.chain(REGISTRY_CHAIN).hub_client}"
    return Claimed(
        local_id,
        int.from_bytes(content, "big"),
        keccak256(encode_abi(_ID_TYPES, ("", issuer, local_id))),
        keccak256(encode_abi(_ID_TYPES, (route, issuer, local_id))),
    )


@rule(SPEC)
def title_is_in_state(word: int, expected: int, where: str) -> None:
    """The first word of a title's document says this state.

    Raises:
        PredicateFailed: it says another one.
    """
    if word & 0xFF != expected:
        raise PredicateFailed("title_is_in_state", f"the title on {where} is in another state", word & 0xFF, expected)


@rule(SPEC)
def claimed_once(certificates: Sequence[Claimed]) -> None:
    """No certificate is there twice.

    Raises:
        PredicateFailed: one is.
    """
    ids = [one.local_id for one in certificates]
    if len(set(ids)) != len(ids):
        raise PredicateFailed("claimed_once", "a certificate is claimed twice", len(ids), len(set(ids)))


@dataclass(frozen=True, slots=True)
class Sums:
    """In kWh. On e1: `tokens` there are, `certified` are in certificates and no tokens any more, `away` `Transfer` keeps; on e2
    `sold` there are as tokens, and `claimed` in certificates that were retired."""

    tokens: int
    certified: int
    away: int
    sold: int
    claimed: int


@rule(SPEC)
def made_for_metered_energy(metered: int, sums: Sums) -> None:
    """No more kWh were made, as tokens and in certificates, than metered; and no more claimed than are in certificates.

    Raises:
        PredicateFailed: one of them is more.
    """
    if not (sums.tokens + sums.certified <= metered and sums.claimed <= sums.certified):
        raise PredicateFailed("made_for_metered_energy", "more was made, or claimed", sums, metered)


@rule(SPEC)
def sold_is_kept_at_home(sums: Sums, sale: int) -> None:
    """What there is of the token on e2 is kept by `Transfer` on e1, and no less than the sale brought there.

    Raises:
        PredicateFailed: there is more of it, or less.
    """
    if not sale <= sums.sold <= sums.away <= sums.tokens:
        raise PredicateFailed("sold_is_kept_at_home", f"of a sale of {sale}", sums, "sale <= sold <= away <= tokens")


@rule(SPEC)
def tokens_moved(message: ShownMessage, trust: CaseTrust) -> int:
    """The message moved tokens of the registry that the reader means, and arrived. Returns the kWh.

    Raises:
        PredicateFailed: it is no transfer, did not arrive, or is of another token.
        MalformedInput: it is not a transfer's payload.
        MissingTrust: the reader does not say which registry is meant.
    """
    name, said = "tokens_moved", message.said
    moved = (message.statement.fate, said.source_port, said.destination_port, said.version)
    if moved != (Fate.DELIVERED, TRANSFER_PORT, TRANSFER_PORT, TRANSFER_VERSION):
        raise PredicateFailed(name, "is no transfer that arrived", moved)
    data, registry = decode_transfer(said.value, said.encoding), _registry(trust)
    if data.denom != registry:
        raise PredicateFailed(name, "is of another token", data.denom, registry)
    return data.amount


@rule(SPEC)
def made_is_not_older(made: ShownState, metered: ShownState) -> None:
    """What was made, which only grows, is of no earlier block than the reading that it is compared with.

    Raises:
        PredicateFailed: it is of an earlier one.
    """
    got, expected = made.statement.height, metered.statement.height
    if got < expected:
        raise PredicateFailed("made_is_not_older", "what was made is older than the reading", got, f">= {expected}")


@rule(SPEC)
def words_are_of_one_block(states: Sequence[ShownState]) -> None:
    """The registry's words are of one block: a kWh that became a certificate between two would be in both, or in neither.

    Raises:
        PredicateFailed: one is of another block than the first.
    """
    first, *others = [state.statement.height for state in states]
    for height in others:
        if height != first:
            raise PredicateFailed("words_are_of_one_block", "words of the registry", height, first)


def conclude(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> Conclusion:
    """Metered, made, sold and claimed kWh.

    Raises:
        VerificationError: the first rule that does not hold.
        MissingTrust: the reader does not say which chain, contract or feed is meant.
    """
    judge = inquiry.about("certificates")
    metered = _metered(judge, shown, trust)
    messages = shown.of_kind(ShownMessage)
    sale = judge(message_is_there, shown, "sale")
    judge(message_is_between, sale, trust, REGISTRY_CHAIN, BUYER_CHAIN)
    moved = judge(tokens_moved, sale, trust)
    moves = {name: message for name, message in messages.items() if name != "sale"}
    judge(statements_are_numbered, moves, "move")
    claimed = [
        _claimed(inquiry.about(f"certificate {name}"), shown, trust, name, message) for name, message in moves.items()
    ]
    judge(claimed_once, claimed)
    sums = _sums(inquiry.about("sums"), shown, trust, sum(one.kwh for one in claimed))
    judge(made_for_metered_energy, metered.value, sums)
    judge(sold_is_kept_at_home, sums, moved)
    return {
        "metered_kwh": str(metered.value),
        "minted_kwh": str(sums.tokens + sums.certified),
        "certified_kwh": str(sums.certified),
        "sold_kwh": str(sums.sold),
        "claimed_kwh": str(sums.claimed),
        "claimed": [[one.local_id.hex(), str(one.kwh)] for one in claimed],
    }


def _sums(judge: Judge, shown: Shown, trust: CaseTrust, claimed: int) -> Sums:
    transfer = trust.chain(REGISTRY_CHAIN).contract("transfer")
    away = keccak256(bytes(12) + transfer + BALANCES_SLOT)
    words = {"supply": SUPPLY_SLOT, "certified": CERTIFIED_SLOT, "away": away}
    states = {name: judge(state_is_there, shown, name) for name in words}
    tokens, certified, kept = (
        judge(slot_is_meant, states[name], trust, REGISTRY_CHAIN, "registry", slot) for name, slot in words.items()
    )
    judge(words_are_of_one_block, list(states.values()))
    judge(made_is_not_older, states["supply"], judge.tacitly(state_is_there, shown, f"feed-{REGISTRY_CHAIN}"))
    there = judge(state_is_there, shown, "sold")
    sold = judge(slot_is_meant, there, trust, BUYER_CHAIN, "voucher", SUPPLY_SLOT)
    return Sums(tokens, certified, kept, sold, claimed)


def _registry(trust: CaseTrust) -> str:
    return f"0x{trust.chain(REGISTRY_CHAIN).contract('registry').hex()}"


def _metered(judge: Judge, shown: Shown, trust: CaseTrust) -> Round:
    feed = judge(id_is_given, trust, "meter-feed")
    report = judge(report_is_there, shown, "metered")
    judge(report_is_of_the_feed, report, feed)
    for chain in (METERS_CHAIN, REGISTRY_CHAIN):
        judge(reports_made_what_stands, report, standing_round(judge, shown, trust, f"feed-{chain}", (chain, feed)))
    return report.made


def _claimed(judge: Judge, shown: Shown, trust: CaseTrust, name: str, message: ShownMessage) -> Claimed:
    judge(message_is_between, message, trust, REGISTRY_CHAIN, BUYER_CHAIN)
    certificate = judge(certificate_moved, message, trust)
    for chain, document, expected in (
        (REGISTRY_CHAIN, certificate.id_at_registry, AWAY),
        (BUYER_CHAIN, certificate.id_at_buyer, RETIRED),
    ):
        state = judge(state_is_there, shown, f"{name}-{chain}")
        slot = keccak256(document + TITLES_SLOT.to_bytes(32, "big"))
        judge(title_is_in_state, judge(slot_is_meant, state, trust, chain, "title", slot), expected, chain)
    return certificate


def _hub_client_at_buyer(trust: CaseTrust) -> str:
    """What the buyer's chain calls the hub."""
    return trust.value("buyer-hub-client")
