"""Entries of a window that a publisher anchored, whole: every entry of the root is stated, none twice, none left out."""

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.archive.anchored_root import AnchoredRoot, item_slots
from hutong.relay.audit.cases.named import state_is_there
from hutong.relay.audit.cases.shown import Shown, slot_is_meant
from hutong.relay.audit.cases.statements import SPEC, ShownEntry
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

MAX_INDEX_DIGITS = 9


def judge_window(
    inquiry: Inquiry, shown: Shown, trust: CaseTrust, name: str, contract: str, publisher: str, index: str
) -> tuple[AnchoredRoot, list[bytes]]:
    """The anchor that statements `<name>-root` and `<name>-window` show on p1, and the entries under it, in their order.

    Args:
        contract, publisher, index: names of the trust file: of the contract on p1, the person, and the value that says
            which of the publisher's anchors is meant.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MissingTrust: the reader does not say what is meant.
    """
    judge = inquiry.about(f"anchor {name}")
    slots = item_slots(trust.person(publisher), judge(index_is_meant, trust, index))
    words = []
    for part, slot in zip(("root", "window"), slots, strict=True):
        state = judge(state_is_there, shown, f"{name}-{part}")
        words.append(judge(slot_is_meant, state, trust, "p1", contract, slot).to_bytes(32, "big"))
    anchored = AnchoredRoot.of_words(words[0], words[1])
    return anchored, judge(window_is_whole, shown, name, f"{name}-root", anchored.count)


@rule(SPEC)
def index_is_meant(trust: CaseTrust, name: str) -> int:
    """The reader's value says which anchor of the publisher is meant.

    Raises:
        PredicateFailed: it is not a number.
        MissingTrust: there is none.
    """
    text = trust.value(name)
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_INDEX_DIGITS):
        raise PredicateFailed("index_is_meant", f"the value {name} is not the index of an anchor", text)
    return int(text)


@rule(SPEC)
def window_is_whole(shown: Shown, name: str, under: str, count: int, offset: int = 0) -> list[bytes]:
    """All entries of a tree are stated, `<name>-0000` and so on, and no other. Returns them in their order.

    Names leave no choice, so that a renamed statement is another evidence. A list is empty where nothing was anchored yet,
    and of nothing everything is true.

    Args:
        under: the statement that shows the root, `offset` bytes from the begin of what it shows.
        count: how many entries the root is of.

    Raises:
        PredicateFailed: naming the first that is missing, or of another tree, or too many; there is nothing.
    """
    if count == 0:
        raise PredicateFailed("window_is_whole", f"there is nothing under {under}", 0, ">= 1")
    stated = {key: one.statement for key, one in shown.of_kind(ShownEntry).items() if one.statement.under == under}
    entries: list[bytes] = []
    for index in range(count):
        said = stated.pop(f"{name}-{index:04}", None)
        if said is None:
            raise PredicateFailed("window_is_whole", f"entry {name}-{index:04} is missing", index, count)
        if (said.index, said.size, said.offset) != (index, count, offset):
            got = (said.index, said.size, said.offset)
            raise PredicateFailed("window_is_whole", f"{said.id} is of another place", got, (index, count, offset))
        entries.append(said.leaf)
    if stated:
        raise PredicateFailed("window_is_whole", "an entry too many", min(stated), count)
    return entries
