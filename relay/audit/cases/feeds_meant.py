"""What cases ask of feeds: that a state's word is the round of the feed that the reader means, and which reports made it."""

from hutong.light_clients.feeds import Round, decode_round, feed_id, round_slot
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.audit.cases.named import state_is_there
from hutong.relay.audit.cases.shown import Shown, slot_is_meant
from hutong.relay.audit.cases.statements import SPEC, ShownReport
from hutong.relay.audit.cases.trust import CaseTrust

WORD_BYTES = 32
FEED = "feed"
"""Contract in the trust file."""


@rule(SPEC)
def id_is_given(trust: CaseTrust, name: str) -> bytes:
    """The 32 bytes of a feed's id, which the reader's trust file says as hex with 0x.

    Raises:
        PredicateFailed: the text is malformed.
        MissingTrust: it is not said.
    """
    text = trust.value(name)
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != WORD_BYTES:
        raise PredicateFailed("id_is_given", f"{name} is no id of a feed", text, f"{WORD_BYTES} bytes as hex")
    return found


@rule(SPEC)
def round_stands(word: int) -> Round:
    """The round that the word of a feed's slot says.

    Raises:
        PredicateFailed: nobody has pushed one.
        MalformedInput: it is no word that a Feed stores.
    """
    stands = decode_round(word.to_bytes(WORD_BYTES, "big"))
    if stands is None:
        raise PredicateFailed("round_stands", "no round of this feed was pushed there")
    return stands


@rule(SPEC)
def report_is_of_the_feed(report: ShownReport, feed: bytes) -> None:
    """The reports are of the feed (its id) that the reader means.

    Raises:
        PredicateFailed: they are of another feed.
    """
    if feed_id(report.statement.feed) != feed:
        raise PredicateFailed("report_is_of_the_feed", "is of another feed", feed_id(report.statement.feed), feed)


@rule(SPEC)
def reports_made_what_stands(report: ShownReport, stands: Round) -> None:
    """The reports make the round that stands in the feed's slot.

    Raises:
        PredicateFailed: they make another one.
    """
    if report.made != stands:
        raise PredicateFailed("reports_made_what_stands", "they make another round", report.made, stands)


def standing_round(judge: Judge, shown: Shown, trust: CaseTrust, state: str, place: tuple[str, bytes]) -> Round:
    """The round that the state of that name shows.

    Args:
        place: the chain, and the id of the feed there.

    Raises:
        VerificationError: the first rule that does not hold.
        MissingTrust: the reader does not say which chain or contract is meant.
    """
    chain, feed = place
    found = judge(state_is_there, shown, state)
    return judge(round_stands, judge(slot_is_meant, found, trust, chain, FEED, round_slot(feed)))
