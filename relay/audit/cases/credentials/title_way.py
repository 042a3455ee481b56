"""One title on its way from chain to chain over the hub: what each move carried, what it is called where, and how it stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ibc.abi import decode_canonical, encode_abi
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.audit.cases.named import message_is_there, state_is_there
from hutong.relay.audit.cases.shown import Shown, message_is_between, slot_is_meant
from hutong.relay.audit.cases.statements import SPEC, Fate, ShownMessage
from hutong.relay.audit.cases.trust import CaseTrust

TITLES_SLOT = 1
"""Of `Title`'s documents."""
LIVE, AWAY, RETIRED = 1, 3, 5
"""`TitleState`, the lowest byte of a document's first word; the holder is in the 20 bytes above it."""
MAX_MOVE_BYTES = 16_384
_MOVE = "(bool,string,string,bytes32,bytes32,string,string,bytes)"
NOBODY = bytes(20)


@dataclass(frozen=True, slots=True)
class Moved:
    """The issuer's name for the title (32 bytes), the hash of what it is a title to, who got it, and its counters, packed."""

    local_id: bytes
    content: bytes
    receiver: str
    counters: bytes


@dataclass(frozen=True, slots=True)
class Way:
    """Chains that a title of `issuer` (a person of the trust file) goes over, its issuer's first; the reader says what each
    calls the hub, `hub-at-<chain>`."""

    issuer: str
    chains: tuple[str, ...]

    def trace(self, trust: CaseTrust, at: int) -> str:
        """The routes by which it comes to the chain of that place, the last first.

        Raises:
            MissingTrust: the reader does not say what a chain calls the hub, or what the hub calls a chain.
        """
        hops = [
            f"{trust.value(f'hub-at-{here}')}>{trust.chain(before).hub_client}"
            for before, here in zip(self.chains, self.chains[1:], strict=False)
        ]
        return "/".join(reversed(hops[:at]))

    def id_at(self, trust: CaseTrust, at: int, local_id: bytes) -> bytes:
        """What it is called on the chain of that place."""
        said = [self.trace(trust, at), person_text(trust, self.issuer), local_id]
        return keccak256(encode_abi(["string", "string", "bytes32"], said))

    def slot_at(self, trust: CaseTrust, at: int, local_id: bytes) -> bytes:
        """Where `Title` keeps the first word of its document there."""
        return keccak256(self.id_at(trust, at, local_id) + TITLES_SLOT.to_bytes(32, "big"))


def person_text(trust: CaseTrust, person: str) -> str:
    """An address as titles have it.

    Raises:
        MissingTrust: the reader does not say who.
    """
    return f"0x{trust.person(person).hex()}"


@rule(SPEC)
def title_moved(message: ShownMessage, trust: CaseTrust, issuer: str, trace: str) -> Moved:
    """The message moved a title of the issuer's, which had come by these routes, and arrived.

    Raises:
        PredicateFailed: it is no move, did not arrive, or is of another issuer's title or of one from elsewhere.
        MalformedInput: it cannot be read.
        MissingTrust: the reader does not say who the issuer is.
    """
    name, said = "title_moved", message.said
    moved = (message.statement.fate, said.source_port, said.destination_port, said.version)
    if moved != (Fate.DELIVERED, "title", "title", "hutong-title-1"):
        raise PredicateFailed(name, "is no title that arrived", moved)
    ((home, came, issued, local_id, content, _, receiver, counters),) = decode_canonical(
        [_MOVE], said.value, "move", MAX_MOVE_BYTES
    )
    got, expected = (home, came, issued), (False, trace, person_text(trust, issuer))
    if got != expected:
        raise PredicateFailed(name, "is of another issuer, or from elsewhere", got, expected)
    return Moved(bytes(local_id), bytes(content), receiver, counters)


@rule(SPEC)
def is_the_same_title(moves: Sequence[Moved], receivers: Sequence[str]) -> None:
    """Every move is of one title, and went to whom it should.

    Raises:
        PredicateFailed: naming the first that is of another, or went to somebody else.
    """
    for at, (move, receiver) in enumerate(zip(moves, receivers, strict=True)):
        got, expected = (move.local_id, move.content, move.receiver), (moves[0].local_id, moves[0].content, receiver)
        if got != expected:
            raise PredicateFailed("is_the_same_title", f"move {at} is of another title, or to another", got, expected)


@rule(SPEC)
def title_stands_so(word: int, state: int, holder: bytes) -> None:
    """The title is in this state, and held by this account (zeros: nobody).

    Raises:
        PredicateFailed: it is in another state, or held by another.
    """
    got, expected = (word & 0xFF, (word >> 8) % 2**160), (state, int.from_bytes(holder, "big"))
    if got != expected:
        raise PredicateFailed("title_stands_so", "is in another state, or another's", got, expected)


def judge_move(judge: Judge, shown: Shown, trust: CaseTrust, way: Way, name: str, at: int) -> Moved:
    """What the statement of that name moved from the chain of that place on the way to the next.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MissingTrust: the reader does not say what is meant.
    """
    message = judge(message_is_there, shown, name)
    judge(message_is_between, message, trust, way.chains[at], way.chains[at + 1])
    return judge(title_moved, message, trust, way.issuer, way.trace(trust, at))


def judge_word(judge: Judge, shown: Shown, trust: CaseTrust, where: tuple[str, str, str], slot: bytes) -> int:
    """The word that a statement shows of a slot; `where` are its name, the chain and the contract.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MissingTrust: the reader does not say what is meant.
    """
    name, chain, contract = where
    return judge(slot_is_meant, judge(state_is_there, shown, name), trust, chain, contract, slot)
