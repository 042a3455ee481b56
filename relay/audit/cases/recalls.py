"""A recall, from the maker's message on p1 until a shop on another chain gave nothing of the lots out any more."""

from dataclasses import dataclass

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.audit.cases.named import message_is_there, state_is_there
from hutong.relay.audit.cases.shown import Shown, message_is_between, slot_is_meant
from hutong.relay.audit.cases.spoken import spoken
from hutong.relay.audit.cases.statements import SPEC, Fate, ShownMessage
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

LIMIT_S = 15
LONGEST_TIMEOUT_S = 86_400
"""Mailbox takes no message whose timeout is further ahead of its own block (docs/spec/mailbox.md)."""
MAX_RECALL_BYTES = 64 * 1024
MAKER_CHAIN, MAKER, SHOP = "p1", "maker", "shop"
RECALLED_SLOT = 2
"""`ExampleShop.recalledAt`."""


@dataclass(frozen=True, slots=True)
class Recall:
    """When the maker says that it recalled, Unix seconds, and which lots, 32 bytes each."""

    told_s: int
    lots: tuple[bytes, ...]


def judge_recall(
    inquiry: Inquiry, shown: Shown, trust: CaseTrust, chains: tuple[str, ...]
) -> tuple[Recall, dict[str, int]]:
    """One recall on all chains (statements `recall-<chain>`, `blocked-<chain>`), and after how many seconds each blocked.

    Raises:
        VerificationError: the first rule that does not hold.
        MissingTrust: the reader does not say what is meant.
    """
    recalls, took = [], {}
    for chain in chains:
        judge = inquiry.about(f"recall on {chain}")
        message = judge(message_is_there, shown, f"recall-{chain}")
        judge(message_is_between, message, trust, MAKER_CHAIN, chain)
        recalls.append(judge(recall_is_the_makers, message, trust, chain))
        state = judge(state_is_there, shown, f"blocked-{chain}")
        slot = keccak256(recalls[-1].lots[0] + RECALLED_SLOT.to_bytes(32, "big"))
        blocked_at_s = judge(slot_is_meant, state, trust, chain, SHOP, slot)
        took[chain] = judge(recall_blocks_in_time, recalls[-1], blocked_at_s, message)
    inquiry.about("recall")(recalls_agree, recalls)
    return recalls[0], took


@rule(SPEC)
def recall_is_the_makers(message: ShownMessage, trust: CaseTrust, chain: str) -> Recall:
    """The message was delivered to the chain's shop, from the maker's account, and recalls at least one lot, none twice.

    Raises:
        PredicateFailed: it ended otherwise, or is of somebody else, to somebody else, or of no lot.
        MalformedInput: it cannot be read.
        MissingTrust: the reader does not say who the maker and the shop are.
    """
    name, said = "recall_is_the_makers", message.said
    if message.statement.fate is not Fate.DELIVERED:
        raise PredicateFailed(name, "the recall did not arrive", message.statement.fate, Fate.DELIVERED)
    sender, receiver, payload = spoken(message, name)
    wanted = f"0x{trust.person(MAKER).hex()}", f"0x{trust.chain(chain).contract(SHOP).hex()}"
    if (sender, receiver.lower()) != wanted:
        raise PredicateFailed(name, "is of another sender or receiver", (sender, receiver), wanted)
    told_s, lots = decode_canonical(["uint256", "bytes32[]"], payload, "recall", MAX_RECALL_BYTES)
    if not lots or len(set(lots)) != len(lots):
        raise PredicateFailed(name, "recalls no lot, or one twice", len(lots), said.version)
    return Recall(told_s, tuple(map(bytes, lots)))


@rule(SPEC)
def recall_blocks_in_time(recall: Recall, blocked_at_s: int, message: ShownMessage) -> int:
    """The shop has blocked within LIMIT_S of the time that the maker says. Returns the seconds.

    The header under which a sending is shown is later than the sending, so that it bounds nothing from below. The timeout
    does: the maker's Mailbox took the message in a block at most LONGEST_TIMEOUT_S before it. So a time that is at least as
    much before the timeout is not after the sending; and one who says an earlier time has less time itself.

    Raises:
        PredicateFailed: later, never, or before the recall; or the recall may have been sent before the time that it says.
    """
    name, sent_from_s = "recall_blocks_in_time", message.said.timeout_timestamp_s - LONGEST_TIMEOUT_S
    if recall.told_s > sent_from_s:
        raise PredicateFailed(
            name, "the recall may have been sent before the time that it says", recall.told_s, f"<= {sent_from_s}"
        )
    took_s = blocked_at_s - recall.told_s
    if not 0 <= took_s <= LIMIT_S:
        raise PredicateFailed(name, "seconds from the recall until the shop blocked", took_s, f"0 to {LIMIT_S}")
    return took_s


@rule(SPEC)
def recalls_agree(recalls: list[Recall]) -> None:
    """Every shop was told the same lots.

    Raises:
        PredicateFailed: one was told others.
    """
    told = {frozenset(recall.lots) for recall in recalls}
    if len(told) != 1:
        raise PredicateFailed("recalls_agree", "shops were told different lots", sorted(map(len, told)))


@rule(SPEC)
def forged_recall_was_refused(message: ShownMessage, trust: CaseTrust, chains: tuple[str, ...]) -> None:
    """A recall that somebody who is not the maker sent from p1 to a shop was refused there. A message that says something
    else, or goes to somebody else, is refused for other reasons.

    Raises:
        PredicateFailed: it was not refused, it was the maker's, or it was no recall to a shop.
        MalformedInput: it cannot be read.
        MissingTrust: the reader does not say who the maker and the shops are.
    """
    name = "forged_recall_was_refused"
    if message.statement.fate is not Fate.REFUSED:
        raise PredicateFailed(name, "it ended otherwise", message.statement.fate, Fate.REFUSED)
    sender, receiver, payload = spoken(message, name)
    if sender == f"0x{trust.person(MAKER).hex()}":
        raise PredicateFailed(name, "it was the maker's own", sender)
    meant = [trust.chain(chain) for chain in chains]
    shops = [(trust.chain(MAKER_CHAIN).chain_id, one.chain_id, f"0x{one.contract(SHOP).hex()}") for one in meant]
    found = (*message.chain_ids, receiver.lower())
    if found not in shops:
        raise PredicateFailed(name, "it went elsewhere than from p1 to a shop", found, shops)
    _, lots = decode_canonical(["uint256", "bytes32[]"], payload, "recall", MAX_RECALL_BYTES)
    if not lots:
        raise PredicateFailed(name, "it recalls no lot", len(lots))
